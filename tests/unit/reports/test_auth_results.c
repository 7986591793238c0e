/* SPDX-License-Identifier: MIT */
#include "reports/auth_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define NAME_255                                                        \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl." \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl." \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl." \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl." \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"

static const char *const words[] = {
    [AUTH_SAYS_NOTHING] = "nothing", [AUTH_SAYS_NO] = "no", [AUTH_SAYS_YES] = "yes"};

/* A row is asked as mx.example.com about google.com, unless it says otherwise. */
static void test_field(void **state)
{
    static const struct {
        const char *value;
        enum auth_word want;
        const char *signer, *domain;
    } rows[] = {
        {"", AUTH_SAYS_NOTHING, "", NULL},
        {"mx.example.com", AUTH_SAYS_NOTHING, "", NULL},
        {"mx.example.com; none", AUTH_SAYS_NOTHING, "", NULL},
        {"mx.example.com; dkim=pass header.d=google.com", AUTH_SAYS_YES, "google.com", NULL},
        {"MX.Example.COM;DKIM=Pass Header.D=Google.COM;", AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com 1; dkim=pass header.d=google.com", AUTH_SAYS_YES, "google.com", NULL},
        {"\"mx.example.com\"; dkim/1=pass header.d=\"google.com\"", AUTH_SAYS_YES, "google.com",
         NULL},
        {"mx.example.com.evil.example; dkim=pass header.d=google.com", AUTH_SAYS_NOTHING, "", NULL},
        {"evil.example (mx.example.com); dkim=pass header.d=google.com", AUTH_SAYS_NOTHING, "",
         NULL},
        /* What real servers write: Gmail, OpenDKIM, Rspamd, Microsoft, Exim. */
        {"mx.example.com;\r\n       dkim=pass header.i=@google.com header.s=20230601 "
         "header.b=Ab+/Cd==;\r\n       spf=pass (google.com: domain of a@b.google.com designates "
         "192.0.2.1 as permitted sender) smtp.mailfrom=a@b.google.com;\r\n       dmarc=pass "
         "(p=REJECT sp=REJECT dis=NONE) header.from=google.com",
         AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com;\n\tdkim=pass (2048-bit key; unprotected) header.d=google.com\n\t"
         "header.i=@google.com header.a=rsa-sha256 header.s=20230601 "
         "header.b=x;\n\tdkim-atps=neutral",
         AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com; spf=pass smtp.mailfrom=<>; dkim=pass (signature was verified) "
         "header.d=google.com;dmarc=pass action=none header.from=google.com;compauth=pass "
         "reason=100",
         AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com; iprev=pass (a.example) smtp.remote-ip=2001:db8::1; dkim=pass "
         "header.d=google.com header.s=x header.a=rsa-sha256; arc=none",
         AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com; dkim = pass header . d = google.com", AUTH_SAYS_YES, "google.com", NULL},
        /* Results that prove nothing. */
        {"mx.example.com; dkim=none", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=fail header.d=google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=passed header.d=google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.from=google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; spf=pass smtp.mailfrom=google.com", AUTH_SAYS_NOTHING, "", NULL},
        {"mx.example.com; x-dkim=pass header.d=google.com", AUTH_SAYS_NOTHING, "", NULL},
        {"mx.example.com; spf=pass header.d=google.com", AUTH_SAYS_NOTHING, "", NULL},
        /* Another signer. */
        {"mx.example.com; dkim=pass header.d=evil.example", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=evilgoogle.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=a.google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=google.com", AUTH_SAYS_YES, "google.com",
         "reports.google.com"},
        {"mx.example.com; dkim=pass header.d=evil.example header.i=@google.com", AUTH_SAYS_NO, "",
         NULL},
        {"mx.example.com; dkim=fail header.d=google.com; dkim=pass header.d=evil.example",
         AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=evil.example; dkim=pass header.d=google.com",
         AUTH_SAYS_YES, "google.com", NULL},
        {"mx.example.com; dkim=pass header.d=google.com; dkim=fail header.d=evil.example",
         AUTH_SAYS_YES, "google.com", NULL},
        /* Words of the sender, in comments and quotes, stay words. */
        {"mx.example.com; dkim=fail (bad; dkim=pass header.d=google.com)", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=fail (bad (\\)); dkim=pass header.d=google.com)) header.d=x.example",
         AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=fail reason=\"; dkim=pass header.d=google.com\"", AUTH_SAYS_NO, "",
         NULL},
        {"mx.example.com; dkim=fail reason=\"\\\"; dkim=pass header.d=google.com\"", AUTH_SAYS_NO,
         "", NULL},
        {"mx.example.com; spf=pass smtp.mailfrom=\"a; dkim=pass header.d=google.com; \"@b.example",
         AUTH_SAYS_NOTHING, "", NULL},
        /* Broken. */
        {"mx.example.com dkim=pass header.d=google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=google.com (", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=\"google.com", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=google.com \\", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; =pass", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; spf=(((((((((((((((((x)))))))))))))))))", AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=" NAME_255, AUTH_SAYS_NO, "", NULL},
        {"mx.example.com; dkim=pass header.d=google.com header.b=" NAME_255 NAME_255, AUTH_SAYS_NO,
         "", NULL},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *domain = rows[i].domain ? rows[i].domain : "google.com";
        char signer[DNS_NAME_MAX + 1] = "";
        enum auth_word seen = auth_results_judge(
            slice_of(rows[i].value), slice_of("mx.example.com"), slice_of(domain), signer);

        if (seen == rows[i].want && strcmp(signer, rows[i].signer) == 0)
            continue;
        printf("row %zu: wanted %s '%s', saw %s '%s'\n", i, words[rows[i].want], rows[i].signer,
               words[seen], signer);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

static void test_nul_in_field(void **state)
{
    static const struct slice value =
        SLICE_BYTES("mx.example.com; dkim=pass header.d=google.com\0.evil.example");
    char signer[DNS_NAME_MAX + 1];

    (void)state;
    assert_int_equal(
        auth_results_judge(value, slice_of("mx.example.com"), slice_of("google.com"), signer),
        AUTH_SAYS_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field),
        cmocka_unit_test(test_nul_in_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
