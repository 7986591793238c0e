/* SPDX-License-Identifier: MIT */
/**
 * Resolving: policies and domains of the raw configuration become those of the snapshot.
 *
 * Internal to config/.
 */
#pragma once

struct arena;
struct config;
struct diag;
struct raw_config;

/**
 * Makes the entries into config->domains, sorted, and adds what is wrong. The settings are
 * resolved already.
 */
void domains_resolve(struct raw_config *raw, struct config *config, struct diag *diag);
