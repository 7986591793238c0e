/* SPDX-License-Identifier: MIT */
#include "reports/report_mbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"
#include "support/fixture.h"

#define FROM "From a@b.example Sat Nov 29 03:38:03 2026\n"

/* All mails, each in brackets. */
static char *all_mails(struct slice bytes)
{
    FILE *in = fixture_stream(bytes), *out;
    struct report_mbox *mbox;
    struct slice mail;
    char *text;
    size_t len;
    struct err err;
    int more;

    out = open_memstream(&text, &len);
    mbox = report_mbox_new(in);
    while ((more = report_mbox_next(mbox, &mail, &err)) > 0)
        fprintf(out, "[%.*s]", SLICE_ARG(mail));
    assert_int_equal(more, 0);
    report_mbox_free(mbox);
    fclose(out);
    fclose(in);
    return text;
}

static void test_mails(void **state)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"", ""},
        {"\n", "[\n]"},
        {"A: b\n\nc", "[A: b\n\nc]"},
        /* No mbox: what looks like a mail's beginning is text of the mail. */
        {"A: b\n\n" FROM "c\n", "[A: b\n\n" FROM "c\n]"},
        {FROM, "[" FROM "]"},
        {FROM "A: b\n\nc\n\n" FROM "D: e\n\nf\n", "[" FROM "A: b\n\nc\n\n][D: e\n\nf\n]"},
        {"From - Sat Nov 29 03:38:03 2026\r\nA: b\r\n\r\nc\r\n\r\n"
         "From - Sat Nov 29 03:38:04 2026\r\nD: e\r\n",
         "[From - Sat Nov 29 03:38:03 2026\r\nA: b\r\n\r\nc\r\n\r\n][D: e\r\n]"},
        /* A sentence, quoted or not; a line in the middle of text. */
        {FROM "A: b\n\n\nFrom today on: more\n>" FROM "x\n" FROM,
         "[" FROM "A: b\n\n\nFrom today on: more\n>" FROM "x\n" FROM "]"},
        /* Nothing between two lines, or after the last. */
        {FROM "\n" FROM "\n" FROM "A: b\n\n" FROM, "[" FROM "\n][\n][A: b\n\n]"},
        /* The last line has no end. */
        {FROM "A: b\n\nFrom c Sat Nov 29 03:38:03 2026",
         "[" FROM "A: b\n\nFrom c Sat Nov 29 03:38:03 2026]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = all_mails(slice_of(rows[i].bytes));

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

/* A mail beyond the bound is cut, and the next one is whole. */
static void test_large_mail(void **state)
{
    static const size_t sizes[] = {REPORT_MAIL_MAX - 1, REPORT_MAIL_MAX, REPORT_MAIL_MAX + 1,
                                   REPORT_MAIL_MAX + 2, 2 * REPORT_MAIL_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        FILE *in = tmpfile();
        struct report_mbox *mbox = report_mbox_new(in);
        struct slice mail;
        struct err err;

        fputs(FROM, in);
        for (size_t n = strlen(FROM); n < sizes[i]; n++)
            putc_unlocked(n + 2 < sizes[i] ? 'x' : '\n', in);
        fputs(FROM "A: b\n", in);
        rewind(in);
        assert_int_equal(report_mbox_next(mbox, &mail, &err), 1);
        assert_int_equal(mail.len, sizes[i] < REPORT_MAIL_MAX + 1 ? sizes[i] : REPORT_MAIL_MAX + 1);
        assert_int_equal(report_mbox_next(mbox, &mail, &err), 1);
        assert_true(slice_eq_text(mail, "A: b\n"));
        assert_int_equal(report_mbox_next(mbox, &mail, &err), 0);
        report_mbox_free(mbox);
        fclose(in);
    }
}

static void test_unreadable(void **state)
{
    FILE *in = fopen("/", "r"); /* opens and cannot be read */
    struct report_mbox *mbox = report_mbox_new(in);
    struct slice mail;
    struct err err;

    (void)state;
    assert_int_equal(report_mbox_next(mbox, &mail, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.msg, "cannot be read: Is a directory");
    report_mbox_free(mbox);
    fclose(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mails),
        cmocka_unit_test(test_large_mail),
        cmocka_unit_test(test_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
