/* SPDX-License-Identifier: MIT */
/**
 * Settings: everything of the raw configuration but policies and domains, checked, with defaults.
 *
 * Internal to config/.
 */
#pragma once

struct config;
struct diag;
struct raw_settings;

/** Fills the settings of `config` (its arena owns them) and adds what is wrong. */
void settings_build(const struct raw_settings *raw, struct config *config, struct diag *diag);
