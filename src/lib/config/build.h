/* SPDX-License-Identifier: MIT */
/**
 * Building: raw policies and domains become those of the snapshot.
 *
 * Internal to config/.
 */
#pragma once

struct arena;
struct config;
struct diag;
struct raw_config;

/**
 * Builds each domain as it is parsed into config->domains, sorted, and adds what is wrong. The
 * settings are resolved already.
 *
 * scratch  of the load
 */
void config_build(struct raw_config *raw, struct arena *scratch, struct config *config,
                  struct diag *diag);
