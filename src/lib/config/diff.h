/* SPDX-License-Identifier: MIT */
/**
 * Differences: what a reload would change for those who send mail.
 *
 * Pure, safe from any thread that holds references to both snapshots.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"

struct config;
struct domain;

/**
 * Until when senders may enforce a policy of the domain that was served before, and that does not
 * have this mx pattern; the empty slice: any. 0: no sender does. -1: nothing is known of the
 * domain.
 */
typedef int64_t compare_enforced(void *context, const struct domain *domain, struct slice mx);

struct compare_options {
    FILE *out;        /* NULL: count only */
    size_t lines_max; /* what goes beyond is counted in a last line */
    int64_t now_unix_s;
    compare_enforced *enforced; /* NULL: by the max_age of what is served now */
    void *context;
};

struct difference {
    size_t n_added;
    size_t n_removed; /* that are gone, or have no policy any more */
    size_t n_changed; /* that have other bytes or another id */
};

/**
 * Compares the policies that two snapshots serve and prints a line for each change, the graver
 * first within its line: "changed: example.com; mode testing -> enforce; id ...". Domains that
 * share both policies share the line. Lines with "  risk: " follow that say what a change may cost,
 * and until when.
 */
struct difference config_compare(const struct config *current, const struct config *next,
                                 const struct compare_options *options);
