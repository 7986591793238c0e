/* SPDX-License-Identifier: MIT */
/**
 * The tally of a domain's entries: what each reporter saw, and what failed.
 *
 * Sessions are counted from the sums of the entries alone: their failures overlap. Of one session,
 * Microsoft tells as sts and as tlsa: only sts counts. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/report_meta.h"
#include "reports/result_type.h"

struct arena;
struct ledger_domain;
struct report_entries;
struct slice;

enum {
    TALLY_NO_DAY = -1,
    TALLY_CLASSES = RESULT_UNKNOWN + 1,
};

/** A reporter, by its name and whether that is proven. */
struct reporter_tally {
    const char *name;        /* as the report has it */
    enum report_proof proof; /* the best; REPORT_PROOF_NONE: none of its reports is proven */
    int64_t first_day, last_day;
    int64_t n_successful;     /* sessions under the policy; on its mx of now, or on some of them */
    int64_t n_failed;         /* likewise; without those that a change of the policy has cured */
    int64_t n_other_policy;   /* that succeeded under an earlier policy, or an unknown one */
    int64_t n_without_policy; /* sessions of a sender that saw no policy */
    int64_t last_clean_day;   /* the last with sessions and no failure */
    int64_t n_failed_by_class[TALLY_CLASSES], last_failed_day[TALLY_CLASSES];
    bool has_unknown_counts; /* a report does not say how many sessions there were */
    bool is_echo;            /* never more than one session a report: the mail of its reports */
};

/** One kind of failure that one reporter saw. */
struct failure_tally {
    const struct reporter_tally *reporter;
    const char *result_type; /* NULL: not said */
    const char *mx, *reason; /* of the last one; NULL: not said */
    enum result_class class;
    int64_t n_sessions; /* UNKNOWN_COUNT: not said */
    int64_t first_day, last_day;
    bool is_cured; /* measured under an earlier policy, and the mx of now cure it */
};

struct report_tally {
    const struct reporter_tally *const *reporters; /* the proven ones first, then by sessions */
    size_t n_reporters;
    const struct failure_tally *const *failures; /* in the order in which they came */
    size_t n_failures;
    size_t n_entries, n_conflicts;
    int64_t n_refused;
};

/**
 * Counts the entries.
 *
 * mx      patterns of the policy served now
 * ledger  of the domain; NULL: nothing is known, or it is not to be trusted
 * arena   owns what *ret_tally points to, but for the texts; uncapped
 */
void report_tally_make(const struct report_entries *entries, const struct slice *mx, size_t n_mx,
                       const struct ledger_domain *ledger, struct arena *arena,
                       struct report_tally *ret_tally);
