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
 * Builds each domain as soon as it is parsed, sorts config->domains and adds what is wrong. The
 * settings are built already.
 *
 * scratch  for what is parsed; must outlive the call
 */
void config_build(struct raw_config *raw, struct arena *scratch, struct config *config,
                  struct diag *diag);
