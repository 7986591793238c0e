/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/policy/parse.h"
#include "lib/policy/policy.h"

static void print_text(const struct policy *policy)
{
    printf("valid\nmode: %s\n", policy_mode_name(policy->mode));
    for (size_t i = 0; i < policy->n_mx; i++)
        printf("mx: %.*s\n", SLICE_ARG(policy->mx[i]));
    printf("max_age: %u\n", policy->max_age_s);
}

static void print_json(const struct policy *policy)
{
    printf("{\"valid\": true, \"mode\": \"%s\", \"mx\": [", policy_mode_name(policy->mode));
    for (size_t i = 0; i < policy->n_mx; i++) {
        fputs(i == 0 ? "" : ", ", stdout);
        json_print_slice(policy->mx[i], stdout);
    }
    printf("], \"max_age\": %u}\n", policy->max_age_s);
}

static void print_refusal(const struct options *options, const struct err *err)
{
    if (options->json) {
        printf("{\"valid\": false, \"line\": %u, \"column\": %u, \"reason\": ", err->place.line,
               err->place.column);
        json_print_text(err->msg, stdout);
        puts("}");
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
    struct policy policy;
    struct slice body;
    struct err err;

    if (file_read(path, POLICY_FETCH_MAX, arena, &body, &err) != 0 && err.code == ERR_IO) {
        status = cli_fail(STATUS_FAILED, "%s %s", path, err.msg);
    } else if (err.code == ERR_LIMIT || policy_parse(body, arena, &policy, &err) != 0) {
        print_refusal(options, &err);
    } else {
        (options->json ? print_json : print_text)(&policy);
        status = STATUS_GOOD;
    }
    arena_free(arena);
    return status;
}
