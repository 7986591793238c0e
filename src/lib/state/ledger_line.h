/* SPDX-License-Identifier: MIT */
/**
 * One line of the ledger: its shape, read and written.
 *
 *     1764370000 serves example.com ID enforce 604800 example.com - own
 * mx1.example.com,mx2.example.com 1764370007 fetchable example.com 1764970000 ends example.com
 *
 * A line is ASCII, its fields are separated by one space, and it ends in a newline. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"
#include "lib/policy/id.h"
#include "lib/policy/policy.h"

enum ledger_event {
    LEDGER_SERVES,    /* from now on, this policy */
    LEDGER_ENDS,      /* no policy is served any more */
    LEDGER_FETCHABLE, /* for the first time, senders could fetch it */
    LEDGER_EVENT_COUNT,
};

/** A policy that was served, and which records went with it. All texts are A-labels. */
struct ledger_policy {
    struct slice id;
    enum policy_mode mode;
    uint32_t max_age_s;
    struct slice zone;         /* of the domain's own records */
    struct slice mta_sts_zone; /* where _mta-sts is delegated to; empty: it is not */
    struct slice tls_rpt_zone; /* where _smtp._tls is delegated to; empty: it is not */
    bool has_tls_rpt;
    struct slice mx; /* the patterns, separated by commas; may be empty */
};

struct ledger_line {
    int64_t at_unix_s;
    enum ledger_event event;
    struct slice domain;
    struct ledger_policy policy; /* with LEDGER_SERVES; else empty */
};

/** Whether `text`, without its newline, is a line; then *ret_line points into it. */
bool ledger_line_parse(struct slice text, struct ledger_line *ret_line);

/** Prints a line with its newline. */
void ledger_line_print(const struct ledger_line *line, FILE *out);

/** Whether both say the same of a policy. */
bool ledger_policy_eq(const struct ledger_policy *a, const struct ledger_policy *b);
