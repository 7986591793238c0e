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
 * Fills config->domains (sorted; its arena owns them) and adds what is wrong. The settings are
 * resolved already.
 */
void domains_resolve(const struct raw_config *raw, struct config *config, struct diag *diag);
