/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define SAYS "the certificate authority says "
#define NO_ANSWER "the certificate authority has sent no answer that can be used: "
#define WRONG_DIRECTORY                                                                   \
    "the certificate authority is out of order, or acme.directory is not the URL of its " \
    "directory: "

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
     SAYS "connection: Get \"http://mta-sts.a.example/\": connection refused; port 80 of this host "
          "has to be open to the whole Internet"},
    {{"    \"type\": \"urn:ietf:params:acme:error:unauthorized\",",
      "    \"detail\": \"http:\\/\\/a.example\\u003c: 404\\\""},
     2,
     ACME_HOST_FAILED,
     SAYS "unauthorized: http://a.example\\u003c: 404\\; port 80 of this host has to lead to this "
          "daemon"},
    {{"    \"type\": \"urn:ietf:params:acme:error:invalidContact\",", "    \"detail\": \"no\""},
     2,
     ACME_HOST_FAILED,
     SAYS "invalidContact: no; this is about acme.account_email"},
    {{"uacme: key_load: gnutls_privkey_import_x509_raw: Base64 decoding error."},
     2,
     ACME_OBSTRUCTED,
     ACME_KEY_DAMAGED "gnutls_privkey_import_x509_raw: Base64 decoding error."},
    {{"uacme: curl_get: GET https://ca.example/dir failed: SSL peer certificate or SSH remote key "
      "was not OK"},
     2,
     ACME_UNREACHABLE,
     "the certificate authority cannot be reached: GET https://ca.example/dir failed: SSL peer "
     "certificate or SSH remote key was not OK; this system may not trust the authority's root, "
     "or its clock may be wrong"},
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
     ACME_OUT_OF_ORDER,
     SAYS "serverInternal: sorry"},
    {{"uacme: curl_get: GET https://ca.example/dir failed: Couldn't connect to server",
      "uacme: curl_get: waiting 5 seconds before retrying",
      "uacme: curl_get: GET https://ca.example/dir failed: SSL connect error",
      "uacme: acme_get: curl_get failed",
      "uacme: failed to fetch directory at https://ca.example/dir"},
     2,
     ACME_UNREACHABLE,
     "the certificate authority cannot be reached: GET https://ca.example/dir failed: SSL connect "
     "error"},
    {{"uacme: curl_post: POST https://ca.example/order failed: Couldn't connect to server",
      "uacme: acme_post: curl_post failed",
      "uacme: failed to create new order at https://ca.example/order"},
     2,
     ACME_UNREACHABLE,
     "the certificate authority cannot be reached: POST https://ca.example/order failed: Couldn't "
     "connect to server"},
    {{"uacme: failed to fetch new nonce at https://ca.example/nonce"},
     2,
     ACME_UNREACHABLE,
     "the certificate authority cannot be reached: failed to fetch new nonce at "
     "https://ca.example/nonce"},
    /* What is no answer of a certificate authority. */
    {{"uacme: failed to fetch directory at https://ca.example/dir"},
     2,
     ACME_UNREACHABLE,
     WRONG_DIRECTORY "failed to fetch directory at https://ca.example/dir"},
    {{"uacme: json_parse: jsmn_parse failed with code -3",
      "uacme: failed to find newNonce URL in directory"},
     2,
     ACME_UNREACHABLE,
     WRONG_DIRECTORY "failed to find newNonce URL in directory"},
    {{"uacme: terms at https://ca.example/terms autoaccepted (-y)",
      "uacme: failed to create account at https://ca.example/new"},
     2,
     ACME_OUT_OF_ORDER,
     NO_ANSWER "failed to create account at https://ca.example/new"},
    {{"uacme: failed to retrieve auth https://ca.example/a/1",
      "uacme: failed to authorize order at https://ca.example/o/1"},
     2,
     ACME_OUT_OF_ORDER,
     NO_ANSWER "failed to retrieve auth https://ca.example/a/1"},
    {{"uacme: timeout while polling challenge status at https://ca.example/c/1, giving up"},
     2,
     ACME_HOST_FAILED,
     NO_ANSWER "timeout while polling challenge status at https://ca.example/c/1, giving up"},
    {{"uacme: this ACME server requires external credentials, please supply them with -e "
      "KEYID:KEY"},
     2,
     ACME_NO_ACCOUNT,
     "the certificate authority wants an external account binding; write what it gives you for "
     "that into a file, and the file's path as acme.external_account_binding"},
    /* Let's Encrypt's limits of one name. */
    {{"    \"type\": \"urn:ietf:params:acme:error:rateLimited\",",
      "    \"detail\": \"too many certificates (5) already issued for this exact set of "
      "identifiers in the last 168h0m0s, retry after 2025-09-18 09:13:16 UTC: see "
      "https://a.example\""},
     2,
     ACME_HOST_LIMITED,
     SAYS "rateLimited: too many certificates (5) already issued for this exact set of identifiers "
          "in the last 168h0m0s, retry after 2025-09-18 09:13:16 UTC: see https://a.example"},
    {{"    \"type\": \"urn:ietf:params:acme:error:rateLimited\",",
      "    \"detail\": \"too many failed authorizations (5) for \\\"a.example\\\" in the last "
      "1h\""},
     2,
     ACME_HOST_LIMITED,
     SAYS "rateLimited: too many failed authorizations (5) for \"a.example\" in the last 1h"},
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

static void test_times_to_retry(void **state)
{
    static const struct {
        const char *detail;
        int64_t unix_s;
    } times[] = {
        {"too many new orders (300) from this account in the last 3h0m0s, retry after 2025-09-18 "
         "09:13:16 UTC: see https://letsencrypt.org/docs/rate-limits/",
         1758186796},
        {"retry after 2023-10-12T18:54:27Z: see", 1697136867},
        {"retry after 2025-09-18 09:13:16", 0},
        {"retry after 2025-99-18 09:13:16 UTC", 0},
        {"retry after 30 s", 0},
        {"retry after ", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct acme_answer answer = {0};
        char line[256];

        snprintf(line, sizeof(line), "\"detail\": \"%s\"", times[i].detail);
        acme_answer_take(&answer, line);
        if (acme_answer_retry_unix_s(&answer) != times[i].unix_s)
            fail_msg("row %zu: %lld", i, (long long)acme_answer_retry_unix_s(&answer));
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
        cmocka_unit_test(test_times_to_retry),
        cmocka_unit_test(test_long_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
