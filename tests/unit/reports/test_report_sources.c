/* SPDX-License-Identifier: MIT */
#include "reports/report_sources.h"

#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"
#include "reports/report_mail.h"
#include "support/fixture.h"
#include "support/taken.h"

#define FROM "From a@b.example Sat Nov 29 03:38:03 2026\n"
#define REPORT_MAIL "Content-Type: application/tlsrpt+json\nTLS-Report-Domain: a.example\n\n{}\n"
#define ORDINARY_MAIL "Subject: hello\n\nhi\n"

/* A folder of the test's own, in which it is, and what is given. */
struct source_test {
    char folder[32];
    struct report_mail_reader *reader;
    struct report_counts counts;
    struct taken taken;
};

static int set_up(void **state)
{
    struct source_test *test = memory_alloc(sizeof(*test));

    *test = (struct source_test){.folder = "/tmp/mta-stsd.XXXXXX"};
    assert_non_null(mkdtemp(test->folder));
    assert_int_equal(chdir(test->folder), 0);
    test->reader = report_mail_reader_new(NULL);
    taken_open(&test->taken);
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct source_test *test = *state;
    char *const paths[] = {test->folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    while ((entry = fts_read(tree)))
        if (entry->fts_info != FTS_D)
            remove(entry->fts_path);
    fts_close(tree);
    taken_close(&test->taken);
    report_mail_reader_free(test->reader);
    free(test);
    return 0;
}

/* Writes a file and the folders above it. */
static void write_file(const char *path, struct slice bytes)
{
    char folder[64];
    FILE *out;

    for (const char *at = path; (at = strchr(at, '/')); at++) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
        mkdir(folder, 0700);
    }
    out = fopen(path, "w");
    assert_non_null(out);
    fwrite(bytes.ptr, 1, bytes.len, out);
    assert_int_equal(fclose(out), 0);
}

/* Reads `path` and says what was given, then what was counted. */
static void check_read(struct source_test *test, const char *path, const char *want)
{
    const struct report_counts *counts = &test->counts;
    bool is_equal;
    struct err err;

    test->counts = (struct report_counts){0};
    taken_close(&test->taken);
    taken_open(&test->taken);
    assert_int_equal(
        report_sources_read(test->reader, path, &test->taken.taker, &test->counts, &err), 0);
    fprintf(test->taken.out, "files %zu, mails %zu, ordinary %zu, others %zu\n", counts->n_files,
            counts->n_mails, counts->n_ordinary, counts->n_others);
    is_equal = fixture_equal(path, want, taken_text(&test->taken));
    assert_true(is_equal);
}

static void test_named_file(void **state)
{
    static const struct {
        const char *path;
        struct slice bytes;
        const char *want;
    } rows[] = {
        {"a.json", SLICE_BYTES("{}"),
         "declared \"a.json\": json, 2 bytes\nfiles 1, mails 0, ordinary 0, others 0\n"},
        {"a", SLICE_BYTES("\x1f\x8b\x08"),
         "declared \"a\": gzip, 3 bytes\nfiles 1, mails 0, ordinary 0, others 0\n"},
        {"s!b.example!1!2.json.gz", SLICE_BYTES("{}"),
         "declared \"s!b.example!1!2.json.gz\" about b.example: json, 2 bytes\n"
         "files 1, mails 0, ordinary 0, others 0\n"},
        {"b.json", SLICE_BYTES("<html>"),
         "declared \"b.json\": unknown, 6 bytes\nfiles 1, mails 0, ordinary 0, others 0\n"},
        {"a.eml", SLICE_BYTES(REPORT_MAIL),
         "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
         "files 1, mails 1, ordinary 0, others 0\n"},
        {"b.eml", SLICE_BYTES("Subject : hello\n\n" FROM),
         "files 1, mails 1, ordinary 1, others 0\n"},
        {"c.eml", SLICE_BYTES("\xef\xbb\xbf\r\n\nSubject: hello\n\n"),
         "files 1, mails 1, ordinary 1, others 0\n"},
        {"mbox", SLICE_BYTES(FROM ORDINARY_MAIL "\n" FROM REPORT_MAIL "\n" FROM REPORT_MAIL),
         "declared application/tlsrpt+json about a.example: json, 4 bytes\n"
         "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
         "files 1, mails 3, ordinary 1, others 0\n"},
        {"empty", SLICE_BYTES(""),
         "complaint: empty is empty\nfiles 1, mails 0, ordinary 0, others 0\n"},
        {"text", SLICE_BYTES("hello, it's me: a text\n"),
         "complaint: text is neither a TLS report nor a mail\n"
         "files 1, mails 0, ordinary 0, others 0\n"},
        {"colon", SLICE_BYTES(": x\n"),
         "complaint: colon is neither a TLS report nor a mail\n"
         "files 1, mails 0, ordinary 0, others 0\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_file(rows[i].path, rows[i].bytes);
        check_read(*state, rows[i].path, rows[i].want);
    }
}

static void test_unusable_path(void **state)
{
    check_read(*state, "missing",
               "complaint: missing cannot be read: No such file or directory\n"
               "files 0, mails 0, ordinary 0, others 0\n");
    assert_int_equal(symlink("missing", "link"), 0);
    check_read(*state, "link",
               "complaint: link cannot be read: No such file or directory\n"
               "files 0, mails 0, ordinary 0, others 0\n");
    check_read(*state, "",
               "complaint:  cannot be read: No such file or directory\n"
               "files 0, mails 0, ordinary 0, others 0\n");
}

/* A shell's <(command). */
static void test_named_pipe(void **state)
{
    int ends[2];
    char path[32], want[96];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "{}", 2), 2);
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    snprintf(want, sizeof(want),
             "declared \"%d\": json, 2 bytes\nfiles 1, mails 0, ordinary 0, others 0\n", ends[0]);
    check_read(*state, path, want);
    close(ends[0]);
}

/* Nobody has named the single files: what is no report is left alone. */
static void test_folder(void **state)
{
    write_file("in/1.json", (struct slice)SLICE_BYTES("{}"));
    write_file("in/2", (struct slice)SLICE_BYTES("{}"));
    write_file("in/3.xml.gz", (struct slice)SLICE_BYTES("\x1f\x8b"));
    write_file("in/4.txt", (struct slice)SLICE_BYTES("hello"));
    write_file("in/5", (struct slice)SLICE_BYTES(""));
    write_file("in/6.json", (struct slice)SLICE_BYTES(""));
    write_file("in/7/8/9.eml", (struct slice)SLICE_BYTES(REPORT_MAIL));
    write_file("in/.hidden", (struct slice)SLICE_BYTES("{}"));
    write_file("in/.git/x.json", (struct slice)SLICE_BYTES("{}"));
    assert_int_equal(mkfifo("in/fifo", 0600), 0);
    assert_int_equal(symlink("..", "in/loop"), 0);
    check_read(*state, "in",
               "declared \"1.json\": json, 2 bytes\n"
               "possible \"2\": json, 2 bytes\n"
               "possible \"3.xml.gz\": gzip, 2 bytes\n"
               "complaint: in/6.json is empty\n"
               "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
               "files 7, mails 1, ordinary 0, others 3\n");
}

static void test_maildir(void **state)
{
    write_file("Maildir/cur/1.a:2,S", (struct slice)SLICE_BYTES(REPORT_MAIL));
    write_file("Maildir/new/2.a", (struct slice)SLICE_BYTES(ORDINARY_MAIL));
    write_file("Maildir/tmp/3.a", (struct slice)SLICE_BYTES(REPORT_MAIL));
    write_file("Maildir/.tlsrpt/cur/4.a", (struct slice)SLICE_BYTES(REPORT_MAIL));
    write_file("Maildir/.tlsrpt/tmp/5.a", (struct slice)SLICE_BYTES(REPORT_MAIL));
    write_file("Maildir/dovecot-uidlist", (struct slice)SLICE_BYTES("3 V1 N5\n"));
    write_file("Maildir/folder/tmp/6.eml", (struct slice)SLICE_BYTES(REPORT_MAIL));
    check_read(*state, "Maildir/",
               "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
               "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
               "declared application/tlsrpt+json about a.example: json, 3 bytes\n"
               "files 5, mails 4, ordinary 1, others 1\n");
}

static void test_large_file(void **state)
{
    FILE *out = fopen("large", "w");

    putc('{', out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(truncate("large", REPORT_MAIL_MAX), 0);
    check_read(*state, "large",
               "declared \"large\": json, 16777216 bytes\n"
               "files 1, mails 0, ordinary 0, others 0\n");
    assert_int_equal(truncate("large", REPORT_MAIL_MAX + 1), 0);
    check_read(*state, "large",
               "declared \"large\": json, 65536 bytes; the file is larger than 16 MiB\n"
               "files 1, mails 0, ordinary 0, others 0\n");
}

static void test_taker_fails(void **state)
{
    struct source_test *test = *state;
    struct err err;

    write_file("in/1.json", (struct slice)SLICE_BYTES("{}"));
    write_file("in/2.mbox", (struct slice)SLICE_BYTES(FROM REPORT_MAIL "\n" FROM REPORT_MAIL));
    write_file("in/3.json", (struct slice)SLICE_BYTES("{}"));
    test->taken.n_room = 2;
    assert_int_equal(
        report_sources_read(test->reader, "in", &test->taken.taker, &test->counts, &err), -1);
    assert_string_equal(err.msg, "the database is full");
    assert_string_equal(taken_text(&test->taken),
                        "declared \"1.json\": json, 2 bytes\n"
                        "declared application/tlsrpt+json about a.example: json, 4 bytes\n");
}

/* As an MTA pipes it. */
static void test_piped_mail(void **state)
{
    static const struct {
        struct slice bytes;
        size_t n_room;
        int want;
        const char *given, *message;
    } rows[] = {
        {SLICE_BYTES(REPORT_MAIL), 1, EX_OK,
         "declared application/tlsrpt+json about a.example: json, 3 bytes\n", ""},
        /* One mail, whatever stands in its text. */
        {SLICE_BYTES(FROM ORDINARY_MAIL "\n" FROM REPORT_MAIL), 1, EX_OK, "", ""},
        {SLICE_BYTES("{}"), 1, EX_OK, "declared: json, 2 bytes\n", ""},
        {SLICE_BYTES("\x1f\x8b"), 1, EX_OK, "declared: gzip, 2 bytes\n", ""},
        {SLICE_BYTES(ORDINARY_MAIL), 0, EX_OK, "", ""},
        {SLICE_BYTES("TLS-Report-Domain: a.example\n\nhi\n"), 1, EX_OK,
         "declared message/rfc822 about a.example: unknown, 33 bytes; the mail says that it is a "
         "TLS report, but none of its parts is one\n",
         ""},
        {SLICE_BYTES(REPORT_MAIL), 0, EX_TEMPFAIL, "", "the database is full"},
        {SLICE_BYTES("{}"), 0, EX_TEMPFAIL, "", "the database is full"},
        {SLICE_BYTES(""), 1, EX_DATAERR, "", "standard input is empty"},
        {SLICE_BYTES("hello\n"), 1, EX_DATAERR, "",
         "standard input is neither a TLS report nor a mail"},
    };
    struct source_test *test = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        FILE *in = fixture_stream(rows[i].bytes);
        struct err err = {0};
        int seen;

        taken_close(&test->taken);
        taken_open(&test->taken);
        test->taken.n_room = rows[i].n_room;
        seen = report_sources_read_mail(test->reader, in, &test->taken.taker, &test->counts, &err);
        fclose(in);
        if (seen != rows[i].want || strcmp(err.msg, rows[i].message) != 0 ||
            strcmp(taken_text(&test->taken), rows[i].given) != 0)
            fail_msg("row %zu: wanted %d '%s' '%s', saw %d '%s' '%s'", i, rows[i].want,
                     rows[i].message, rows[i].given, seen, err.msg, taken_text(&test->taken));
    }
}

/* A mail too large to keep is read to its end: the MTA would see its pipe break. */
static void test_piped_large_mail(void **state)
{
    static const struct {
        const char *fields, *given;
    } rows[] = {
        {ORDINARY_MAIL, ""},
        {"TLS-Report-Submitter: a\n\n",
         "declared message/rfc822: unknown, 65536 bytes; the mail is larger than 16 MiB\n"},
    };
    struct source_test *test = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        FILE *in;
        struct err err;

        write_file("large", slice_of(rows[i].fields));
        assert_int_equal(truncate("large", 2 * REPORT_MAIL_MAX), 0);
        in = fopen("large", "r");
        assert_int_equal(
            report_sources_read_mail(test->reader, in, &test->taken.taker, &test->counts, &err),
            EX_OK);
        assert_int_equal(ftell(in), 2 * REPORT_MAIL_MAX);
        assert_string_equal(taken_text(&test->taken), rows[i].given);
        fclose(in);
    }
}

static void test_piped_unreadable(void **state)
{
    struct source_test *test = *state;
    FILE *in = fopen("/", "r"); /* opens and cannot be read */
    struct err err;

    assert_int_equal(
        report_sources_read_mail(test->reader, in, &test->taken.taker, &test->counts, &err),
        EX_TEMPFAIL);
    assert_string_equal(err.msg, "standard input cannot be read: Is a directory");
    fclose(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_named_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unusable_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_named_pipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maildir, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_taker_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_piped_mail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_piped_large_mail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_piped_unreadable, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
