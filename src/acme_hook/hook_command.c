/* SPDX-License-Identifier: MIT */
#include "acme_hook/hook_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acme/challenge.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    HOOK_ACCEPTED = 0,
    HOOK_DECLINED = 1,
};

/* uacme's arguments, in their order. */
enum hook_argument {
    HOOK_METHOD = 1,
    HOOK_TYPE,
    HOOK_IDENT,
    HOOK_TOKEN,
    HOOK_AUTH,
    HOOK_ARGUMENT_COUNT,
};

static int hook_decline(const char *why)
{
    fprintf(stderr, "mta-stsd-acme-hook: %s\n", why);
    return HOOK_DECLINED;
}

static int hook_report(int result, const struct err *err)
{
    return result == 0 ? HOOK_ACCEPTED : hook_decline(err->msg);
}

static int hook_decline_argument(const char *what, const char *value)
{
    char quoted[ERR_QUOTE_MAX], why[2 * ERR_QUOTE_MAX];

    snprintf(why, sizeof(why), "%s %s", err_quote(quoted, sizeof(quoted), slice_of(value)), what);
    return hook_decline(why);
}

int hook_command_run(int argc, const char *const *argv)
{
    const char *directory = getenv(CHALLENGE_DIRECTORY_VARIABLE), *token, *answer;
    struct err err;

    if (argc != HOOK_ARGUMENT_COUNT)
        return hook_decline("uacme runs this program as its hook, with METHOD TYPE IDENT TOKEN "
                            "AUTH; mta-stsd starts uacme where the configuration has acme:");
    if (strcmp(argv[HOOK_TYPE], "http-01") != 0)
        return HOOK_DECLINED;
    if (!directory || directory[0] != '/')
        return hook_decline("expected the absolute path of the directory of the challenges in "
                            "the environment variable " CHALLENGE_DIRECTORY_VARIABLE);
    token = argv[HOOK_TOKEN];
    answer = argv[HOOK_AUTH];
    if (!challenge_token_is_valid(slice_of(token)))
        return hook_decline_argument("is no token of a challenge", token);
    if (strcmp(argv[HOOK_METHOD], "done") == 0 || strcmp(argv[HOOK_METHOD], "failed") == 0)
        return hook_report(challenge_remove(directory, token, &err), &err);
    if (strcmp(argv[HOOK_METHOD], "begin") != 0)
        return hook_decline_argument("is none of begin, done, failed", argv[HOOK_METHOD]);
    if (!challenge_answer_is_valid(slice_of(answer), slice_of(token)))
        return hook_decline_argument("is no key authorization of the token", answer);
    return hook_report(challenge_write(directory, token, answer, &err), &err);
}
