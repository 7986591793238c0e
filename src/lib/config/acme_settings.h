/* SPDX-License-Identifier: MIT */
/**
 * The settings of `acme:`, checked, with defaults.
 *
 * Internal to config/. Pure.
 */
#pragma once

struct cert_source;
struct config;
struct diag;
struct raw_acme;

/** The least life of a certificate that the rate is judged by, the CA/Browser Forum's to come. */
enum {
    ACME_LIFE_S = 45 * 24 * 60 * 60,
};

/**
 * Fills config->acme, if the YAML has it, and adds what is wrong. The hosts and the state directory
 * are built already.
 */
void acme_settings_build(const struct raw_acme *raw, struct config *config, struct diag *diag);

/** Where ordered certificates lie; config->state is set. */
struct cert_source acme_settings_source(const struct config *config);

/**
 * Adds a warning if the rate cannot renew the certificates of all domains, which are built, and if
 * no listener answers challenges.
 */
void acme_settings_check(const struct config *config, struct diag *diag);
