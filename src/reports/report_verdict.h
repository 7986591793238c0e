/* SPDX-License-Identifier: MIT */
/**
 * The verdict: whether `mode: enforce` would lose mail of a domain, by what senders report.
 *
 * Pure: one function of the tally, the ledger and the time. What is not known never makes a domain
 * READY. What anybody can have made up makes a domain neither READY nor BROKEN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"
#include "lib/policy/policy.h"

struct arena;
struct checked_domain;
struct ledger_domain;
struct report_tally;

enum report_verdict_kind {
    REPORT_VERDICT_READY,
    REPORT_VERDICT_NOT_YET,
    REPORT_VERDICT_BROKEN,
    REPORT_VERDICT_NO_DATA,
    REPORT_VERDICT_COUNT,
};

struct report_verdict_rules {
    int64_t days;        /* for which each mx has to be in the policy */
    int64_t late_days;   /* for which reports are awaited */
    int64_t per_million; /* failed sessions that are tolerated */
};

struct report_verdict_case {
    const struct report_verdict_rules *rules;
    int64_t now_unix_s;
    const struct policy *policy;        /* as it is configured; NULL: none */
    bool has_report_addresses;          /* the domain's `tls_rpt` says where to send reports */
    const struct ledger_domain *ledger; /* NULL: it has nothing of the domain */
    bool is_ledger_whole;
    const struct report_tally *tally;     /* of report_verdict_first_day() and later */
    const struct checked_domain *checked; /* NULL: no check has found anything */
    int64_t checked_unix_s;               /* when it ended; with `checked` */
};

struct report_verdict_reason {
    const char *text;   /* a sentence without its full stop, safe to be shown */
    const char *advice; /* likewise; NULL: there is nothing to do */
};

struct report_verdict {
    enum report_verdict_kind kind;
    const struct report_verdict_reason *reasons;
    size_t n_reasons;
};

/** "READY", "NOT YET", "BROKEN", "NO DATA". */
const char *report_verdict_name(enum report_verdict_kind kind);

/** The first day whose entries count, as report_day_of(). */
int64_t report_verdict_first_day(const struct report_verdict_rules *rules, int64_t now_unix_s);

/**
 * Since when a policy with this mx pattern is served without a break. 0: the ledger does not say.
 */
int64_t report_verdict_mx_since(const struct ledger_domain *ledger, struct slice mx);

/** arena  owns what *ret_verdict points to; uncapped */
void report_verdict_decide(const struct report_verdict_case *given, struct arena *arena,
                           struct report_verdict *ret_verdict);
