/* SPDX-License-Identifier: MIT */
#include "reports/report_verdict.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/when.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/checked_failure.h"
#include "reports/report_store.h"
#include "reports/report_tally.h"
#include "reports/report_words.h"
#include "reports/result_type.h"

enum {
    REASONS_MAX = 40, /* more would not be read */
    MILLION = 1000000,
};

struct verdict_maker {
    const struct report_verdict_case *given;
    struct arena *arena;
    struct report_verdict_reason *reasons;
    size_t n_reasons;
    /* Of reporters that are not proven, and that are; floating, so that no sum overflows. */
    double n_sessions[2]; /* under the policy */
    double n_failed[2][TALLY_CLASSES];
};

const char *report_verdict_name(enum report_verdict_kind kind)
{
    static const char *const names[REPORT_VERDICT_COUNT] = {
        [REPORT_VERDICT_READY] = "READY",
        [REPORT_VERDICT_NOT_YET] = "NOT YET",
        [REPORT_VERDICT_BROKEN] = "BROKEN",
        [REPORT_VERDICT_NO_DATA] = "NO DATA",
    };

    return names[kind];
}

int64_t report_verdict_first_day(const struct report_verdict_rules *rules, int64_t now_unix_s)
{
    return report_day_of(now_unix_s) - rules->days - rules->late_days;
}

static bool ledger_period_has(const struct ledger_period *period, struct slice mx)
{
    struct slice left = period->policy.mx;

    if (period->policy.mode == POLICY_MODE_NONE)
        return false;
    while (left.len > 0) {
        size_t len = slice_find_byte(left, ',');

        if (slice_eq_nocase(slice_range(left, 0, len), mx))
            return true;
        left = slice_range(left, len + 1, left.len);
    }
    return false;
}

int64_t report_verdict_mx_since(const struct ledger_domain *ledger, struct slice mx)
{
    const struct ledger_period *at = ledger ? ledger->latest : NULL;
    int64_t since_unix_s = 0;

    if (!at || at->until_unix_s != 0)
        return 0;
    for (; at && ledger_period_has(at, mx); at = at->earlier) {
        if (since_unix_s != 0 && at->until_unix_s != since_unix_s)
            break;
        since_unix_s = at->from_unix_s;
    }
    return since_unix_s;
}

static void reason_add(struct verdict_maker *maker, const char *text, const char *advice)
{
    if (maker->n_reasons < REASONS_MAX)
        maker->reasons[maker->n_reasons++] = (struct report_verdict_reason){text, advice};
}

static bool reporter_is_proven(const struct reporter_tally *reporter)
{
    return reporter->proof != REPORT_PROOF_NONE;
}

static void maker_sum(struct verdict_maker *maker)
{
    const struct report_tally *tally = maker->given->tally;

    for (size_t i = 0; i < tally->n_reporters; i++) {
        const struct reporter_tally *reporter = tally->reporters[i];
        bool proven = reporter_is_proven(reporter);

        maker->n_sessions[proven] += (double)reporter->n_successful + (double)reporter->n_failed;
        for (size_t class = 0; class < TALLY_CLASSES; class ++)
            maker->n_failed[proven][class] += (double)reporter->n_failed_by_class[class];
    }
}

/* Whether more of a class failed than is tolerated. */
static bool maker_is_above(const struct verdict_maker *maker, bool proven, enum result_class class)
{
    double n_failed = maker->n_failed[proven][class];

    return n_failed > 0 && n_failed * MILLION >
                               maker->n_sessions[proven] * (double)maker->given->rules->per_million;
}

/* Whether a reporter has told of failures since its last day without any. */
static bool reporter_fails_still(const struct reporter_tally *reporter, enum result_class class)
{
    return reporter->last_failed_day[class] != TALLY_NO_DAY &&
           reporter->last_failed_day[class] >= reporter->last_clean_day;
}

static const char *failure_text(const struct verdict_maker *maker,
                                const struct failure_tally *failure)
{
    struct arena *arena = maker->arena;
    const struct result_type *type = result_type_find(failure->result_type);

    return report_words_print(
        arena, "%s %s (%s)%s%s: %s, last on %s%s", report_words_of(failure->reporter->name, arena),
        type->means,
        failure->result_type ? report_words_of(failure->result_type, arena) : "without a type",
        failure->mx ? " at MX host " : "", failure->mx ? report_words_of(failure->mx, arena) : "",
        report_words_sessions(failure->n_sessions, arena),
        report_words_day(failure->last_day, arena),
        reporter_is_proven(failure->reporter) ? ""
                                              : "; unverified, anybody can have sent this report");
}

static void maker_add_failures(struct verdict_maker *maker, bool proven, enum result_class class)
{
    const struct report_tally *tally = maker->given->tally;

    for (size_t i = 0; i < tally->n_failures; i++) {
        const struct failure_tally *failure = tally->failures[i];

        if (failure->class == class && reporter_is_proven(failure->reporter) == proven &&
            !failure->is_cured)
            reason_add(maker, failure_text(maker, failure),
                       result_type_find(failure->result_type)->advice);
    }
}

/* Adds the failures of proven reporters that go on. Returns whether there are any. */
static bool maker_find_broken(struct verdict_maker *maker, enum result_class class)
{
    const struct report_tally *tally = maker->given->tally;
    bool goes_on = false;

    for (size_t i = 0; i < tally->n_reporters; i++)
        goes_on |= reporter_is_proven(tally->reporters[i]) &&
                   reporter_fails_still(tally->reporters[i], class);
    if (!goes_on || !maker_is_above(maker, true, class))
        return false;
    maker_add_failures(maker, true, class);
    return true;
}

/* Failures that have ended count until they have left the window. */
static void maker_add_ended(struct verdict_maker *maker, enum result_class class)
{
    const struct report_verdict_rules *rules = maker->given->rules;
    const struct report_tally *tally = maker->given->tally;
    int64_t last_day = TALLY_NO_DAY;

    maker_add_failures(maker, true, class);
    for (size_t i = 0; i < tally->n_reporters; i++)
        if (reporter_is_proven(tally->reporters[i]) &&
            tally->reporters[i]->last_failed_day[class] > last_day)
            last_day = tally->reporters[i]->last_failed_day[class];
    reason_add(maker,
               report_words_print(
                   maker->arena, "these failures have ended, and count until %s",
                   report_words_day(last_day + 1 + rules->days + rules->late_days, maker->arena)),
               NULL);
}

static void maker_judge_failures(struct verdict_maker *maker, enum report_verdict_kind *kind)
{
    static const enum result_class breaking[] = {RESULT_NEGOTIATION, RESULT_POLICY_HOST};

    for (size_t i = 0; i < ARRAY_LEN(breaking); i++) {
        if (maker_find_broken(maker, breaking[i])) {
            *kind = REPORT_VERDICT_BROKEN;
        } else if (maker_is_above(maker, true, breaking[i])) {
            maker_add_ended(maker, breaking[i]);
            if (*kind == REPORT_VERDICT_READY)
                *kind = REPORT_VERDICT_NOT_YET;
        }
    }
    for (enum result_class class = 0; class <= RESULT_UNKNOWN; class ++) {
        if (class == RESULT_DANE)
            continue;
        if (class == RESULT_UNKNOWN && maker_is_above(maker, true, class))
            maker_add_failures(maker, true, class);
        else if (!maker_is_above(maker, false, class))
            continue;
        if (maker_is_above(maker, false, class))
            maker_add_failures(maker, false, class);
        if (*kind == REPORT_VERDICT_READY)
            *kind = REPORT_VERDICT_NOT_YET;
    }
}

/* The failure that a finding of the check reproduces, of a proven reporter if there is one. */
static const struct failure_tally *tally_find_reproduced(const struct report_tally *tally,
                                                         const struct checked_finding *finding)
{
    const struct failure_tally *found = NULL;

    for (size_t i = 0; i < tally->n_failures; i++) {
        const struct failure_tally *failure = tally->failures[i];

        if (failure->is_cured || !checked_failure_is_same(finding, failure))
            continue;
        if (reporter_is_proven(failure->reporter))
            return failure;
        found = found ? found : failure;
    }
    return found;
}

static const char *reproduced_text(const struct verdict_maker *maker,
                                   const struct checked_finding *finding,
                                   const struct failure_tally *failure)
{
    struct arena *arena = maker->arena;

    return report_words_print(
        arena, "the check of %s finds what %s has reported (%s)%s%s: %s (%s)",
        report_words_day(report_day_of(maker->given->checked_unix_s), arena),
        report_words_of(failure->reporter->name, arena),
        failure->result_type ? report_words_of(failure->result_type, arena) : "without a type",
        finding->subject ? " at " : "",
        finding->subject ? report_words_sentence(finding->subject, arena) : "",
        report_words_sentence(finding->text, arena), report_words_of(finding->kind->code, arena));
}

/* A check that is older than the reports tells nothing of today. */
static bool verdict_has_check(const struct report_verdict_case *given)
{
    return given->checked && report_day_of(given->checked_unix_s) >=
                                 report_verdict_first_day(given->rules, given->now_unix_s);
}

/* Returns whether the last check finds failures that were reported, however few: they go on. What
 * the check alone finds proves nothing. */
static bool maker_find_reproduced(struct verdict_maker *maker)
{
    const struct report_verdict_case *given = maker->given;
    bool is_found = false;

    for (size_t i = 0; verdict_has_check(given) && i < given->checked->n_findings; i++) {
        const struct checked_finding *finding = &given->checked->findings[i];
        const struct failure_tally *failure = tally_find_reproduced(given->tally, finding);

        if (!failure)
            continue;
        reason_add(maker, reproduced_text(maker, finding, failure),
                   "See what mta-stsd --check says of it");
        is_found = true;
    }
    return is_found;
}

/* Of a sender that never gets through, enforce would stop all mail, however few that is among all
 * mail. Returns whether there is one. */
static bool maker_find_shut_out(struct verdict_maker *maker)
{
    const struct report_tally *tally = maker->given->tally;
    bool is_found = false;

    for (size_t i = 0; i < tally->n_reporters; i++) {
        const struct reporter_tally *reporter = tally->reporters[i];

        if (!reporter_is_proven(reporter) || reporter->n_successful > 0 ||
            reporter->n_failed_by_class[RESULT_NEGOTIATION] == 0)
            continue;
        reason_add(maker,
                   report_words_print(maker->arena, "each session of %s failed",
                                      report_words_of(reporter->name, maker->arena)),
                   "Look below for how they failed, or ask that sender");
        is_found = true;
    }
    return is_found;
}

/* Whether each mx has been in the policy for long enough. A new one starts no count but its own. */
static bool maker_judge_time(struct verdict_maker *maker, int64_t *ret_ready_unix_s)
{
    const struct report_verdict_case *given = maker->given;
    bool is_long_enough = true;
    char date[WHEN_SIZE];

    *ret_ready_unix_s = 0;
    if (!given->is_ledger_whole) {
        reason_add(maker,
                   "it is unknown which policies were served: the ledger is missing or damaged",
                   "See `state:` in mta-stsd.yaml(5)");
        return false;
    }
    for (size_t i = 0; i < given->policy->n_mx; i++) {
        struct slice mx = given->policy->mx[i];
        int64_t since_unix_s = report_verdict_mx_since(given->ledger, mx);
        int64_t ready_unix_s = since_unix_s + given->rules->days * REPORT_DAY_S;

        if (since_unix_s == 0)
            reason_add(maker,
                       report_words_print(maker->arena,
                                          "it is unknown since when senders see mx %.*s: the "
                                          "ledger does not have it in the policy served now",
                                          SLICE_ARG(mx)),
                       "If it is new, run mta-stsd --reload");
        else if (given->now_unix_s < ready_unix_s)
            reason_add(maker,
                       report_words_print(maker->arena,
                                          "mx %.*s has been in the policy for less than %" PRId64
                                          " days; its time is over on %s",
                                          SLICE_ARG(mx), given->rules->days,
                                          when_date(ready_unix_s, date)),
                       NULL);
        else if (ready_unix_s > *ret_ready_unix_s)
            *ret_ready_unix_s = ready_unix_s;
        is_long_enough &= since_unix_s != 0 && given->now_unix_s >= ready_unix_s;
    }
    return is_long_enough;
}

/* Reports of the last days come later, but not for ever. */
static bool maker_judge_late(struct verdict_maker *maker, int64_t ready_unix_s)
{
    const struct report_verdict_case *given = maker->given;
    int64_t until_unix_s = ready_unix_s + given->rules->late_days * REPORT_DAY_S;
    bool is_complete = true;
    char date[WHEN_SIZE];

    if (given->now_unix_s >= until_unix_s)
        return true;
    for (size_t i = 0; i < given->tally->n_reporters; i++) {
        const struct reporter_tally *reporter = given->tally->reporters[i];

        if (!reporter_is_proven(reporter) || reporter->is_echo || reporter->n_successful == 0 ||
            reporter->last_day >= report_day_of(ready_unix_s) - 1)
            continue;
        reason_add(
            maker,
            report_words_print(
                maker->arena, "the last report of %s is of %s; later ones are awaited until %s",
                report_words_of(reporter->name, maker->arena),
                report_words_day(reporter->last_day, maker->arena), when_date(until_unix_s, date)),
            NULL);
        is_complete = false;
    }
    return is_complete;
}

/* Whether a proven reporter has used the policy for mail, and not for its own reports alone. */
static bool maker_judge_evidence(struct verdict_maker *maker)
{
    const struct report_tally *tally = maker->given->tally;

    for (size_t i = 0; i < tally->n_reporters; i++)
        if (reporter_is_proven(tally->reporters[i]) && !tally->reporters[i]->is_echo &&
            tally->reporters[i]->n_successful > 0)
            return true;
    reason_add(maker, "no verified reporter has told of sessions under the policy served now",
               "Take in reports by mail too, and set the authserv-id of the mail server that "
               "receives them");
    return false;
}

/* Whether anybody has told of anything but the mail of its own reports. */
static bool tally_has_data(const struct report_tally *tally)
{
    for (size_t i = 0; i < tally->n_reporters; i++) {
        const struct reporter_tally *reporter = tally->reporters[i];

        if (!reporter->is_echo &&
            (reporter->n_successful > 0 || reporter->n_failed > 0 || reporter->n_other_policy > 0))
            return true;
    }
    return false;
}

static enum report_verdict_kind verdict_without_data(struct verdict_maker *maker)
{
    const struct report_tally *tally = maker->given->tally;

    if (tally->n_entries == 0)
        reason_add(
            maker,
            report_words_print(maker->arena, "no report about the last %" PRId64 " days has come",
                               maker->given->rules->days + maker->given->rules->late_days),
            !maker->given->has_report_addresses
                ? "Set tls_rpt for the domain, and publish the _smtp._tls record that "
                  "mta-stsd --print-dns then prints: it says where to send reports"
                : "Check that the _smtp._tls record is published (mta-stsd --print-dns); many "
                  "domains get reports on few days only");
    else
        reason_add(maker,
                   "no report tells of mail that was sent under the policy: the senders saw no "
                   "policy, or told of the mail of their own reports",
                   "Check that the _mta-sts record is published (mta-stsd --print-dns)");
    return REPORT_VERDICT_NO_DATA;
}

/* What the last check finds, and nobody has reported, is no part of the verdict: the check looks
 * from one place. But who is about to change the mode should look at it first. Returns whether
 * there is any. */
static bool maker_find_unreported(struct verdict_maker *maker)
{
    const struct report_verdict_case *given = maker->given;
    struct arena *arena = maker->arena;
    bool is_found = false;

    for (size_t i = 0; verdict_has_check(given) && i < given->checked->n_findings; i++) {
        const struct checked_finding *finding = &given->checked->findings[i];

        if (strcmp(finding->kind->severity, "error") != 0 ||
            checked_failure_class(finding->kind->code) == RESULT_UNKNOWN)
            continue;
        reason_add(maker,
                   report_words_print(
                       arena, "the check of %s finds what nobody has reported%s%s: %s (%s)",
                       report_words_day(report_day_of(given->checked_unix_s), arena),
                       finding->subject ? " at " : "",
                       finding->subject ? report_words_sentence(finding->subject, arena) : "",
                       report_words_sentence(finding->text, arena), finding->kind->code),
                   "See what mta-stsd --check says of it");
        is_found = true;
    }
    return is_found;
}

static void maker_praise(struct verdict_maker *maker)
{
    double n_sessions = maker->n_sessions[true];
    size_t first = maker->n_reasons;
    bool has_failures = false, has_unreported;

    for (size_t i = 0; i < TALLY_CLASSES; i++)
        has_failures |= i != RESULT_DANE && maker->n_failed[true][i] > 0;
    reason_add(maker,
               report_words_print(maker->arena,
                                  "verified reporters told of %.0f session%s under the policy, and "
                                  "%s",
                                  n_sessions, n_sessions == 1 ? "" : "s",
                                  has_failures ? "fewer failed than is tolerated" : "none failed"),
               NULL);
    has_unreported = maker_find_unreported(maker);
    if (maker->given->policy->mode == POLICY_TESTING)
        maker->reasons[first].advice =
            has_unreported
                ? "Mode enforce is safe by these reports: look first at what the check finds, then "
                  "change the policy, reload, and publish the new _mta-sts record"
                : "Mode enforce is safe by these reports: change the policy, reload, and publish "
                  "the new _mta-sts record";
    reason_add(maker, "what other senders see is not known, for they send no reports", NULL);
    for (enum result_class class = 0; class <= RESULT_UNKNOWN; class ++)
        if (class != RESULT_DANE && maker->n_failed[true][class] > 0)
            maker_add_failures(maker, true, class);
}

static enum report_verdict_kind maker_decide(struct verdict_maker *maker)
{
    const struct report_verdict_case *given = maker->given;
    enum report_verdict_kind kind = REPORT_VERDICT_READY;
    bool is_complete;
    int64_t ready_unix_s;

    if (!given->policy || given->policy->mode == POLICY_MODE_NONE) {
        reason_add(maker, "no policy is served, or one in mode none", NULL);
        return REPORT_VERDICT_NO_DATA;
    }
    if (!tally_has_data(given->tally))
        return verdict_without_data(maker);
    maker_sum(maker);
    maker_judge_failures(maker, &kind);
    is_complete = maker_judge_evidence(maker);
    if (maker_find_shut_out(maker))
        is_complete = false;
    if (maker_find_reproduced(maker))
        is_complete = false;
    if (!maker_judge_time(maker, &ready_unix_s) || !maker_judge_late(maker, ready_unix_s))
        is_complete = false;
    if (!is_complete && kind == REPORT_VERDICT_READY)
        kind = REPORT_VERDICT_NOT_YET;
    if (kind == REPORT_VERDICT_READY)
        maker_praise(maker);
    return kind;
}

void report_verdict_decide(const struct report_verdict_case *given, struct arena *arena,
                           struct report_verdict *ret_verdict)
{
    struct verdict_maker maker = {
        .given = given,
        .arena = arena,
        .reasons = arena_array(arena, REASONS_MAX, sizeof(struct report_verdict_reason)),
    };

    ret_verdict->kind = maker_decide(&maker);
    ret_verdict->reasons = maker.reasons;
    ret_verdict->n_reasons = maker.n_reasons;
}
