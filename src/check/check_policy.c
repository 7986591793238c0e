/* SPDX-License-Identifier: MIT */
#include "check/check_policy.h"

#include "check/findings.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/policy/lint.h"
#include "lib/policy/mx.h"
#include "lib/policy/parse.h"

static void policy_judge_mx(const struct policy *policy, const char *address,
                            struct findings *findings)
{
    char quoted[ERR_QUOTE_MAX];

    for (size_t i = 0; i < policy->n_mx; i++) {
        struct mx_lint lint = mx_pattern_lint(policy->mx[i]);

        if (lint.finding != FINDING_NONE)
            findings_add(findings, CHECK_POLICY_MX_PATTERN, address, "mx %s %s",
                         err_quote(quoted, sizeof(quoted), policy->mx[i]), lint.why);
    }
}

static void policy_judge_age(const struct policy *policy, const char *address,
                             struct findings *findings)
{
    char why[POLICY_LINT_MAX];
    enum finding finding = policy_max_age_lint(policy->mode, policy->max_age_s, why);

    if (finding == FINDING_MAX_AGE_BELOW_TWO_WEEKS)
        findings_add(findings, CHECK_MAX_AGE_NOTE, address, "%s", why);
    else if (finding != FINDING_NONE)
        findings_add(findings, CHECK_MAX_AGE, address, "%s", why);
}

static void policy_judge_fields(const struct served_body *served, struct findings *findings)
{
    struct policy_near_miss miss = {.rest = served->body};
    char quoted[ERR_QUOTE_MAX];

    while (policy_next_near_miss(&miss))
        findings_add(findings, CHECK_POLICY_FIELD, served->address,
                     "line %u: the field %s was likely meant to be '%s'", miss.line,
                     err_quote(quoted, sizeof(quoted), miss.name), miss.meant);
}

static void policy_judge_mode(const struct policy *policy, const char *address,
                              struct findings *findings)
{
    if (policy->mode == POLICY_TESTING)
        findings_add(findings, CHECK_MODE_TESTING, NULL, "the mode is testing");
    if (policy->mode == POLICY_MODE_NONE)
        findings_add(findings, CHECK_MODE_NONE, NULL, "the mode is none");
    if (policy->mode == POLICY_MODE_NONE && policy->n_mx == 0)
        findings_add(findings, CHECK_NONE_WITHOUT_MX, address, "the policy has no mx");
}

static bool policy_parse_served(const struct served_body *served, struct arena *arena,
                                struct findings *findings, struct policy *ret_policy)
{
    struct err err;

    if (policy_parse(served->body, arena, ret_policy, &err) == 0) {
        policy_judge_fields(served, findings);
        policy_judge_mx(ret_policy, served->address, findings);
        policy_judge_age(ret_policy, served->address, findings);
        return true;
    }
    if (err.place.line > 0)
        findings_add(findings, CHECK_POLICY_SYNTAX, served->address, "line %u: %s", err.place.line,
                     err.msg);
    else
        findings_add(findings, CHECK_POLICY_SYNTAX, served->address, "%s", err.msg);
    return false;
}

/* The first body with the same bytes, or the body itself. */
static const struct served_body *body_first(const struct served_body *bodies,
                                            const struct served_body *body)
{
    const struct served_body *first = bodies;

    while (!slice_eq(first->body, body->body))
        first++;
    return first;
}

static void policy_judge_ours(const struct served_body *served, const struct policy_wanted *wanted,
                              struct findings *findings)
{
    if (wanted->body.len > 0 && served->is_taken && !slice_eq(served->body, wanted->body))
        findings_add(findings, CHECK_POLICY_NOT_OURS, served->address,
                     "the policy differs from the one configured here");
}

bool check_policy_judge(const struct served_body *bodies, size_t n,
                        const struct policy_wanted *wanted, struct arena *arena,
                        struct findings *findings, struct policy *ret_policy)
{
    const struct served_body *chosen = NULL;
    struct policy policy;

    for (size_t i = 0; i < n; i++) {
        const struct served_body *first = body_first(bodies, &bodies[i]);

        policy_judge_ours(&bodies[i], wanted, findings);
        if (first != bodies && first == &bodies[i])
            findings_add(findings, CHECK_POLICY_DIFFERS, bodies[i].address,
                         "the policy differs from the one that %s serves", bodies[0].address);
        if (first != &bodies[i] && (!chosen || chosen->is_taken || !bodies[i].is_taken))
            continue;
        if (!policy_parse_served(&bodies[i], arena, findings, &policy))
            continue;
        if (!chosen || (bodies[i].is_taken && !chosen->is_taken)) {
            chosen = &bodies[i];
            *ret_policy = policy;
        }
    }
    if (chosen)
        policy_judge_mode(ret_policy, chosen->address, findings);
    return chosen != NULL;
}
