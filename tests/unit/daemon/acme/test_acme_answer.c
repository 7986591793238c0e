/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define SAYS "the certificate authority says "

/* What uacme 1.7.4 has printed, line by line. */
static const struct {
    const char *lines[8];
    int status;
    enum acme_outcome outcome;
    const char *reason; /* NULL: none */
} rows[] = {
    {{NULL}, 0, ACME_ORDERED, NULL},
    {{"uacme: Account already exists at https://ca.example/my-account/3c90"},
     2,
     ACME_ORDERED,
     NULL},
    {{"uacme: challenge https://ca.example/chalZ/R33 failed with status invalid",
      "uacme: the server reported the following error:", "{",
      "    \"type\": \"urn:ietf:params:acme:error:connection\",",
      "    \"detail\": \"Get \\\"http://mta-sts.a.example/\\\": connection refused\",",
      "    \"status\": 400", "}", "uacme: failed to authorize order at https://ca.example/o/1"},
     2,
     ACME_HOST_FAILED,
     SAYS "connection: Get \\\"http://mta-sts.a.example/\\\": connection refused"},
    {{"    \"type\": \"urn:ietf:params:acme:error:rateLimited\",",
      "    \"detail\": \"too many new orders recently\""},
     2,
     ACME_LIMITED,
     SAYS "rateLimited: too many new orders recently"},
    {{"    \"type\": \"urn:ietf:params:acme:error:rateLimited\",",
      "    \"detail\": \"Your account is temporarily prevented from requesting certificates for "
      "a.example. Please visit: https://portal.example/sfe/v1/unpause?jwt=e\""},
     2,
     ACME_HOST_PAUSED,
     SAYS "rateLimited: Your account is temporarily prevented from requesting certificates for "
          "a.example. Please visit: https://portal.example/sfe/v1/unpause?jwt=e"},
    {{"    \"type\": \"urn:ietf:params:acme:error:accountDoesNotExist\",",
      "    \"detail\": \"unknown\""},
     2,
     ACME_NO_ACCOUNT,
     SAYS "accountDoesNotExist: unknown"},
    /* The authority's words come after it, and say nothing but that there was no answer. */
    {{"mta-stsd-acme-hook: '/s/challenges/x.AbCdEf' cannot be made: No space left on device",
      "uacme: challenge https://ca.example/chalZ/R33 declined", "uacme: no challenge completed"},
     2,
     ACME_OBSTRUCTED,
     "mta-stsd-acme-hook: '/s/challenges/x.AbCdEf' cannot be made: No space left on device"},
    {{"uacme: failed to write to /s/acme/account/a/cert.pem.tmp: No space left on device",
      "uacme: and more"},
     2,
     ACME_OBSTRUCTED,
     "failed to write to /s/acme/account/a/cert.pem.tmp: No space left on device"},
    {{"mta-stsd-acme-hook: 'x y' is no token of a challenge", "uacme: no challenge completed"},
     1,
     ACME_HOST_FAILED,
     "uacme has ended with status 1: no challenge completed"},
    {{"    \"type\": \"urn:ietf:params:acme:error:serverInternal\",", "    \"detail\": \"sorry\""},
     2,
     ACME_UNREACHABLE,
     SAYS "serverInternal: sorry"},
    {{"uacme: curl_get: GET https://ca.example/dir failed: Couldn't connect to server",
      "uacme: acme_get: curl_get failed",
      "uacme: failed to fetch directory at https://ca.example/dir"},
     2,
     ACME_UNREACHABLE,
     "uacme has ended with status 2: failed to fetch directory at https://ca.example/dir"},
    {{"    \"type\": \"urn:ietf:params:acme:error:badNonce\",", "    \"detail\": \"again\""},
     2,
     ACME_HOST_DISTURBED,
     SAYS "badNonce: again"},
    /* One document in another: the outer one counts. */
    {{"    \"type\": \"urn:ietf:params:acme:error:compound\",", "    \"detail\": \"outer\",",
      "    \"subproblems\": [", "        {",
      "            \"type\": \"urn:ietf:params:acme:error:rateLimited\",",
      "            \"detail\": \"inner\""},
     2,
     ACME_HOST_FAILED,
     SAYS "compound: outer"},
    /* A document without a type that we know. */
    {{"    \"type\": \"about:blank\",", "    \"detail\": \"Service Unavailable\""},
     2,
     ACME_HOST_FAILED,
     SAYS "Service Unavailable"},
    {{NULL}, 2, ACME_HOST_FAILED, "uacme has ended with status 2"},
    {{"\"type\":", "\"type\": \"", "\"detail\": x", "", "uacme: "},
     1,
     ACME_HOST_FAILED,
     "uacme has ended with status 1"},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct acme_answer answer = {0};
        char reason[ACME_REASON_MAX] = "";
        enum acme_outcome outcome;

        for (size_t j = 0; j < ARRAY_LEN(rows[i].lines) && rows[i].lines[j]; j++)
            acme_answer_take(&answer, rows[i].lines[j]);
        outcome = acme_answer_judge(&answer, rows[i].status, reason);
        if (outcome != rows[i].outcome || strcmp(reason, rows[i].reason ? rows[i].reason : "") != 0)
            fail_msg("row %zu: outcome %d, '%s'", i, outcome, reason);
    }
}

/* A stranger's text is cut, not more. */
static void test_long_answers(void **state)
{
    struct acme_answer answer = {0};
    char line[4096], reason[ACME_REASON_MAX];

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "\"detail\": \"", 11);
    line[sizeof(line) - 2] = '"';
    line[sizeof(line) - 1] = '\0';
    acme_answer_take(&answer, line);
    memcpy(line, "\"type\": \"urn:ietf:params:acme:error:", 36);
    acme_answer_take(&answer, line);
    assert_int_equal(strlen(answer.type), ACME_TYPE_MAX - 1);
    assert_int_equal(strlen(answer.detail), ACME_REASON_MAX - 1);
    assert_int_equal(acme_answer_judge(&answer, 2, reason), ACME_HOST_FAILED);
    assert_in_range(strlen(reason), 900, ACME_REASON_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_long_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
