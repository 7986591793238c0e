/* SPDX-License-Identifier: MIT */
#include "reports/mail_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

#define FIELD_TOO_LONG "the mail has a field of more than 16 KiB"
#define FIELDS_TOO_LONG "the mail has fields of more than 256 KiB"
#define TOO_MANY_FIELDS "the mail has more than 50,000 lines that may be fields"
#define TOO_MANY_PARTS "the mail has more than 10,000 lines that may begin a part"

/* A mail of `begin`, then `n` times `again`. */
static void test_limit(void **state)
{
    static const struct {
        const char *begin, *again;
        size_t n;
        const char *want;
    } rows[] = {
        {"", "", 0, NULL},
        {"", "\n", 100000, NULL},
        {"To: ", "a", MAIL_FIELD_MAX - 4, NULL},
        {"To: ", "a", MAIL_FIELD_MAX - 3, FIELD_TOO_LONG},
        {"To: ", "a:", MAIL_FIELD_MAX, FIELD_TOO_LONG}, /* overflows the stack of GMime */
        {"To\t: ", "a", MAIL_FIELD_MAX, FIELD_TOO_LONG},
        {"To:\n", " a\n", (MAIL_FIELD_MAX - 4) / 3, NULL},
        {"To:\n", " a\n", MAIL_FIELD_MAX / 3, FIELD_TOO_LONG},
        {"To:\n", "\ta\n", MAIL_FIELD_MAX / 3, FIELD_TOO_LONG},
        {"X-Spam: ", "a", MAIL_FIELD_MAX, NULL},
        {"x-spam: a\n", " a\n", MAIL_FIELD_MAX, NULL},
        {"X: ", "a", MAIL_FIELD_MAX, FIELD_TOO_LONG},
        {"{\"a\": ", "a", MAIL_FIELDS_MAX, NULL}, /* JSON without an encoding */
        {"{\n", "  \"a\": 1,\n", MAIL_FIELDS_MAX, NULL},
        {"To a: ", "a", MAIL_FIELD_MAX, NULL}, /* no field */
        {": ", "a", MAIL_FIELD_MAX, NULL},
        {"", "a: 45678901234\n", MAIL_FIELDS_MAX / 16, NULL},
        {"", "a: 4567890123456\n", MAIL_FIELDS_MAX / 16, FIELDS_TOO_LONG},
        {"", "\"a: b\n", MAIL_FIELD_LINES_MAX, NULL},
        {"", "\"a: b\n", MAIL_FIELD_LINES_MAX + 1, TOO_MANY_FIELDS},
        {"", "--b\n", MAIL_PART_LINES_MAX, NULL},
        {"", "--b\n", MAIL_PART_LINES_MAX + 1, TOO_MANY_PARTS},
        {"a\n\n", "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==\n", 300000, NULL},
        {"", "0123456789abcdef", REPORT_MAIL_MAX / 16, NULL},
        {"x", "0123456789abcdef", REPORT_MAIL_MAX / 16, "the mail is larger than 16 MiB"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t begin_len = strlen(rows[i].begin), len = strlen(rows[i].again);
        struct slice mail = {.len = begin_len + rows[i].n * len};
        char *bytes = memory_alloc(mail.len + 1);
        const char *seen;

        memcpy(bytes, rows[i].begin, begin_len);
        for (size_t k = 0; k < rows[i].n; k++)
            memcpy(bytes + begin_len + k * len, rows[i].again, len);
        mail.ptr = bytes;
        seen = mail_limits_find(mail);
        if (rows[i].want ? !seen || strcmp(seen, rows[i].want) != 0 : seen != NULL) {
            printf("row %zu: wanted %s, saw %s\n", i, rows[i].want ? rows[i].want : "none",
                   seen ? seen : "none");
            n_failed++;
        }
        free(bytes);
    }
    assert_int_equal(n_failed, 0);
}

static void test_line_may_be_field(void **state)
{
    static const struct {
        const char *line;
        bool want;
    } rows[] = {
        {"", false},      {"a", false},     {":", false},         {"a:", true},
        {"a: b", true},   {"a \t:", true},  {" a:", false},       {"a b:", false},
        {"\x01:", false}, {"\x7f:", false}, {"\xc3\xa4:", false}, {"a\xc3\xa4:", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (mail_line_may_be_field(slice_of(rows[i].line)) != rows[i].want)
            fail_msg("row %zu: wanted %d", i, rows[i].want);
}

static void test_is_report(void **state)
{
    static const struct {
        const char *mail;
        bool want;
    } rows[] = {
        {"", false},
        {"To: tlsrpt@example.com\nSubject: tls-report-domain: a\n", false},
        {"TLS-Report-Domain: a\n", true},
        {"To: a\nTLS-REPORT-SUBMITTER: a\n", true},
        {"Content-Type: multipart/report; report-type=tlsrpt\n", true},
        {"Content-Type: multipart/report; Report-Type=\"TLSRPT\"\n", true},
        {"Content-Type: multipart/report; report-type=delivery-status\n", false},
        {"Content-Type: application/tlsrpt+gzip\n", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (mail_limits_is_report(slice_of(rows[i].mail)) != rows[i].want)
            fail_msg("row %zu: wanted %d", i, rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_line_may_be_field),
        cmocka_unit_test(test_is_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
