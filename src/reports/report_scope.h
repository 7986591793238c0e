/* SPDX-License-Identifier: MIT */
/**
 * The scope: the domains whose reports are wanted.
 *
 * These are the configured domains, the MX hosts that their policies cover (reports about DANE name
 * the MX host), and domains whose policy ended a short while ago. It may be read by any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct config;
struct ledger;
struct report_scope;

enum {
    REPORT_SCOPE_ENDED_S = 60 * 24 * 60 * 60, /* after its end a domain's reports are wanted */
};

/**
 * config, ledger  outlive the scope; a NULL ledger has nothing
 * Never returns NULL.
 */
struct report_scope *report_scope_new(const struct config *config, const struct ledger *ledger,
                                      int64_t now_unix_s);

/** Takes NULL. */
void report_scope_free(struct report_scope *scope);

/** Whether reports about a domain, in stored form, are wanted; a report_ownership. */
bool report_scope_has(const void *scope, const char *domain);
