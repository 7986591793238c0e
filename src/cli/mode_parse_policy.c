/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "cli/warnings.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/policy/lint.h"
#include "lib/policy/mx.h"
#include "lib/policy/parse.h"
#include "lib/policy/policy.h"

static void policy_print_text(const struct policy *policy, const struct cli_warnings *warnings)
{
    printf("valid\nmode: %s\n", policy_mode_name(policy->mode));
    for (size_t i = 0; i < policy->n_mx; i++)
        printf("mx: %.*s\n", SLICE_ARG(policy->mx[i]));
    printf("max_age: %u\n", policy->max_age_s);
    warnings_print(warnings);
}

static void policy_print_json(const struct policy *policy, const struct cli_warnings *warnings)
{
    struct json_writer json = {.out = stdout};

    json_begin_object(&json, JSON_ON_ONE_LINE);
    json_key(&json, "valid");
    json_bool(&json, true);
    json_text_member(&json, "mode", policy_mode_name(policy->mode));
    json_key(&json, "mx");
    json_begin_array(&json, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < policy->n_mx; i++)
        json_slice(&json, policy->mx[i]);
    json_end_array(&json);
    json_number_member(&json, "max_age", policy->max_age_s);
    warnings_print_json(warnings, &json);
    json_end_object(&json);
    puts("");
}

static void lint_mx(const struct policy *policy, size_t index, struct cli_warnings *warnings)
{
    struct mx_lint lint = mx_pattern_lint(policy->mx[index]);
    char quoted[ERR_QUOTE_MAX];

    if (lint.finding == FINDING_NONE)
        lint.finding = policy_mx_lint(policy, index, &lint.why);
    if (lint.finding != FINDING_NONE)
        warnings_add(warnings, lint.finding, "mx %s %s",
                     err_quote(quoted, sizeof(quoted), policy->mx[index]), lint.why);
}

/* Of what --test-config says, errors too are warnings here: a sender does take the policy. */
static void policy_lint(const struct policy *policy, struct slice body,
                        struct cli_warnings *warnings)
{
    struct policy_near_miss miss = {.rest = body};
    char why[POLICY_LINT_MAX], quoted[ERR_QUOTE_MAX];
    enum finding finding = policy_max_age_lint(policy->mode, policy->max_age_s, why);

    for (size_t i = 0; i < policy->n_mx; i++)
        lint_mx(policy, i, warnings);
    if (policy->mode == POLICY_MODE_NONE && policy->n_mx == 0)
        warnings_add(warnings, FINDING_NONE_WITHOUT_MX, "%s", policy_none_without_mx);
    if (finding != FINDING_NONE)
        warnings_add(warnings, finding, "max_age: %s", why);
    while (policy_next_near_miss(&miss) == 1)
        warnings_add(warnings, FINDING_NONE,
                     "line %u: senders ignore the field %s; did you mean '%s'?", miss.line,
                     err_quote(quoted, sizeof(quoted), miss.name), miss.meant);
}

static void policy_print_refusal(const struct options *options, const struct err *err)
{
    struct json_writer json = {.out = stdout};

    if (options->json) {
        json_begin_object(&json, JSON_ON_ONE_LINE);
        json_key(&json, "valid");
        json_bool(&json, false);
        json_number_member(&json, "line", err->place.line);
        json_number_member(&json, "column", err->place.column);
        json_text_member(&json, "reason", err->msg);
        json_end_object(&json);
        puts("");
    } else if (err->place.line == 0) {
        printf("invalid: %s\n", err->msg);
    } else {
        printf("invalid: line %u, column %u: %s\n", err->place.line, err->place.column, err->msg);
    }
}

enum exit_status mode_parse_policy(const struct options *options)
{
    const char *path = options->n_arguments > 0 ? options->arguments[0] : "-";
    struct arena *arena = arena_new(0);
    enum exit_status status = STATUS_FINDINGS;
    struct cli_warnings warnings = {0};
    struct policy policy;
    struct slice body;
    struct err err;

    if (file_read(path, POLICY_FETCH_MAX, arena, &body, &err) != 0 && err.code == ERR_IO) {
        status = cli_fail(STATUS_FAILED, "%s %s", path, err.msg);
    } else if (err.code == ERR_LIMIT || policy_parse(body, arena, &policy, &err) != 0) {
        policy_print_refusal(options, &err);
    } else {
        policy_lint(&policy, body, &warnings);
        (options->json ? policy_print_json : policy_print_text)(&policy, &warnings);
        status = STATUS_GOOD;
    }
    warnings_done(&warnings);
    arena_free(arena);
    return status;
}
