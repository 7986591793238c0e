/* SPDX-License-Identifier: MIT */
#include "reports/report_tally.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/policy/mx.h"
#include "reports/measured_policy.h"
#include "reports/report_query.h"

enum {
    REPORTERS_MAX = 1000, /* of each: proven, and not */
    FAILURES_MAX = 1000,  /* likewise */
    ECHO_SESSIONS = 1,
};

struct tally_maker {
    struct reporter_tally *reporters[2 * REPORTERS_MAX];
    struct failure_tally *failures[2 * FAILURES_MAX];
    size_t n_reporters, n_failures;
    size_t n_of_proof[2], n_failures_of_proof[2];
    const struct slice *mx;
    size_t n_mx;
    struct arena *arena;
};

static bool proof_is_any(enum report_proof proof)
{
    return proof != REPORT_PROOF_NONE;
}

static void sessions_add(int64_t *sum, int64_t count)
{
    if (count > 0 && __builtin_add_overflow(*sum, count, sum))
        *sum = INT64_MAX;
}

/* Anybody can invent names, so those that are too many are one: the last one. */
static struct reporter_tally *maker_reporter(struct tally_maker *maker,
                                             const struct report_entry *entry)
{
    bool proven = proof_is_any(entry->proof);
    struct reporter_tally *reporter = NULL;

    for (size_t i = 0; i < maker->n_reporters; i++) {
        if (proof_is_any(maker->reporters[i]->proof) != proven)
            continue;
        reporter = maker->reporters[i];
        if (slice_eq_nocase(slice_of(reporter->name), slice_of(entry->reporter)))
            return reporter;
    }
    if (maker->n_of_proof[proven] == REPORTERS_MAX)
        return reporter;
    maker->n_of_proof[proven]++;
    reporter = arena_alloc(maker->arena, sizeof(*reporter));
    *reporter = (struct reporter_tally){.name = entry->reporter,
                                        .proof = entry->proof,
                                        .first_day = entry->day,
                                        .last_clean_day = TALLY_NO_DAY,
                                        .is_echo = true};
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        reporter->last_failed_day[i] = TALLY_NO_DAY;
    maker->reporters[maker->n_reporters++] = reporter;
    return reporter;
}

static bool text_same(const char *a, const char *b)
{
    return slice_eq_nocase(slice_of(a), slice_of(b));
}

static void maker_note_failure(struct tally_maker *maker, const struct reporter_tally *reporter,
                               const struct report_entry *entry,
                               const struct entry_failure *failure, enum result_class class,
                               bool is_cured)
{
    bool proven = proof_is_any(reporter->proof);
    struct failure_tally *tally = NULL;

    for (size_t i = 0; i < maker->n_failures && !tally; i++) {
        struct failure_tally *other = maker->failures[i];

        if (other->reporter == reporter && other->is_cured == is_cured &&
            text_same(other->result_type, failure->result_type) &&
            text_same(other->mx, failure->mx))
            tally = other;
    }
    if (!tally) {
        if (maker->n_failures_of_proof[proven] == FAILURES_MAX)
            return;
        maker->n_failures_of_proof[proven]++;
        tally = arena_alloc(maker->arena, sizeof(*tally));
        *tally = (struct failure_tally){.reporter = reporter,
                                        .result_type = failure->result_type,
                                        .mx = failure->mx,
                                        .class = class,
                                        .first_day = entry->day,
                                        .is_cured = is_cured};
        maker->failures[maker->n_failures++] = tally;
    }
    if (failure->n_sessions == UNKNOWN_COUNT || tally->n_sessions == UNKNOWN_COUNT)
        tally->n_sessions = UNKNOWN_COUNT;
    else
        sessions_add(&tally->n_sessions, failure->n_sessions);
    tally->reason = failure->reason ? failure->reason : tally->reason;
    tally->last_day = entry->day;
}

static bool maker_covers(const struct tally_maker *maker, struct slice host)
{
    for (size_t i = 0; i < maker->n_mx; i++)
        if (mx_pattern_matches(maker->mx[i], host))
            return true;
    return false;
}

/* Whether the policy of now has every mx that this one had, and more. */
static bool maker_has_grown(const struct tally_maker *maker, const struct measured_policy *policy)
{
    return measured_policy_is_within(policy, maker->mx, maker->n_mx) && maker->n_mx > policy->n_mx;
}

/*
 * A failure of an earlier policy is cured if its MX host was not covered then and is now, or was
 * then and is not ours any more. Without a host only "not covered" can be cured by a new mx, and
 * validation-failure is how senders call that.
 */
static bool maker_is_cured(const struct tally_maker *maker, const struct measured_policy *policy,
                           const struct entry_failure *failure, enum result_class class)
{
    struct slice host = slice_of(failure->mx);

    if (!policy->is_known || class != RESULT_NEGOTIATION)
        return false;
    if (host.len == 0)
        return text_same(failure->result_type, "validation-failure") &&
               maker_has_grown(maker, policy);
    return measured_policy_covers(policy, host) != maker_covers(maker, host);
}

/* Shares the failed sessions of an entry out to the classes; each has at most all of them, because
 * one session may fail in several ways. */
static void maker_count_failures(struct tally_maker *maker, struct reporter_tally *reporter,
                                 const struct report_entry *entry,
                                 const struct measured_policy *policy)
{
    int64_t by_class[TALLY_CLASSES] = {0}, n_cured = 0, n_left = entry->n_failed;

    for (size_t i = 0; i < entry->n_failures; i++) {
        const struct entry_failure *failure = &entry->failures[i];
        enum result_class class = result_type_find(failure->result_type)->class;
        bool is_cured = maker_is_cured(maker, policy, failure, class);
        int64_t n = failure->n_sessions != UNKNOWN_COUNT ? failure->n_sessions : entry->n_failed;

        if (n == UNKNOWN_COUNT) /* one at least */
            n = 1;
        maker_note_failure(maker, reporter, entry, failure, class, is_cured);
        sessions_add(is_cured ? &n_cured : &by_class[class], n);
    }
    if (entry->n_failures == 0 && entry->n_failed > 0) {
        static const struct entry_failure unsaid = {.n_sessions = UNKNOWN_COUNT};

        maker_note_failure(maker, reporter, entry, &unsaid, RESULT_UNKNOWN, false);
        by_class[RESULT_UNKNOWN] = entry->n_failed;
    }
    if (n_left == UNKNOWN_COUNT) {
        n_left = 0;
        for (size_t i = 0; i < TALLY_CLASSES; i++)
            sessions_add(&n_left, by_class[i]);
    } else {
        n_left = n_left > n_cured ? n_left - n_cured : 0;
    }
    for (size_t i = 0; i < TALLY_CLASSES; i++) {
        if (by_class[i] == 0)
            continue;
        sessions_add(&reporter->n_failed_by_class[i], by_class[i] < n_left ? by_class[i] : n_left);
        if (n_left > 0)
            reporter->last_failed_day[i] = entry->day;
    }
    sessions_add(&reporter->n_failed, n_left);
}

static void maker_count_sts(struct tally_maker *maker, struct reporter_tally *reporter,
                            const struct report_entry *entry, const struct ledger_domain *ledger)
{
    struct measured_policy policy = measured_policy_of(entry, ledger, maker->arena);

    if (policy.mode == POLICY_MODE_NONE)
        return;
    if (entry->n_successful == UNKNOWN_COUNT || entry->n_failed == UNKNOWN_COUNT)
        reporter->has_unknown_counts = true;
    if (entry->n_successful > ECHO_SESSIONS || entry->n_failed > 0 || entry->n_failures > 0)
        reporter->is_echo = false;
    if (measured_policy_is_within(&policy, maker->mx, maker->n_mx)) {
        sessions_add(&reporter->n_successful, entry->n_successful);
        if (entry->n_successful > 0 && entry->n_failed == 0)
            reporter->last_clean_day = entry->day;
    } else {
        sessions_add(&reporter->n_other_policy, entry->n_successful);
    }
    maker_count_failures(maker, reporter, entry, &policy);
}

/* A sender that could not fetch the policy may say so under no-policy-found. */
static void maker_count_none(struct tally_maker *maker, struct reporter_tally *reporter,
                             const struct report_entry *entry)
{
    static const struct measured_policy unknown = {0};

    sessions_add(&reporter->n_without_policy, entry->n_successful);
    for (size_t i = 0; i < entry->n_failures; i++)
        if (result_type_find(entry->failures[i].result_type)->class == RESULT_POLICY_HOST) {
            maker_count_failures(maker, reporter, entry, &unknown);
            return;
        }
}

static int reporter_compare(const void *left, const void *right)
{
    const struct reporter_tally *a = *(struct reporter_tally *const *)left;
    const struct reporter_tally *b = *(struct reporter_tally *const *)right;

    if (proof_is_any(a->proof) != proof_is_any(b->proof))
        return proof_is_any(a->proof) ? -1 : 1;
    if (a->n_successful != b->n_successful)
        return a->n_successful > b->n_successful ? -1 : 1;
    return slice_compare(slice_of(a->name), slice_of(b->name));
}

static const void *maker_keep(const struct tally_maker *maker, const void *pointers, size_t n)
{
    void *kept = arena_array(maker->arena, n + 1, sizeof(void *));

    memcpy(kept, pointers, n * sizeof(void *));
    return kept;
}

void report_tally_make(const struct report_entries *entries, const struct slice *mx, size_t n_mx,
                       const struct ledger_domain *ledger, struct arena *arena,
                       struct report_tally *ret_tally)
{
    struct report_tally tally = {.n_entries = entries->n, .n_refused = entries->n_refused};
    struct tally_maker maker; /* large: the arrays are not zeroed */

    maker.n_reporters = maker.n_failures = 0;
    memset(maker.n_of_proof, 0, sizeof(maker.n_of_proof));
    memset(maker.n_failures_of_proof, 0, sizeof(maker.n_failures_of_proof));
    maker.mx = mx;
    maker.n_mx = n_mx;
    maker.arena = arena;
    for (size_t i = 0; i < entries->n; i++) {
        const struct report_entry *entry = &entries->list[i];
        struct reporter_tally *reporter = maker_reporter(&maker, entry);

        if (entry->proof > reporter->proof)
            reporter->proof = entry->proof;
        reporter->last_day = entry->day;
        if (entry->is_conflict)
            tally.n_conflicts++;
        if (entry->type == TLS_POLICY_STS)
            maker_count_sts(&maker, reporter, entry, ledger);
        else if (entry->type == TLS_POLICY_NONE)
            maker_count_none(&maker, reporter, entry);
    }
    qsort(maker.reporters, maker.n_reporters, sizeof(maker.reporters[0]), reporter_compare);
    tally.reporters = maker_keep(&maker, maker.reporters, maker.n_reporters);
    tally.n_reporters = maker.n_reporters;
    tally.failures = maker_keep(&maker, maker.failures, maker.n_failures);
    tally.n_failures = maker.n_failures;
    *ret_tally = tally;
}
