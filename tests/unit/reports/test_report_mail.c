/* SPDX-License-Identifier: MIT */
#include "reports/report_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"
#include "reports/report_part.h"
#include "support/fixture.h"
#include "support/taken.h"

#define GZIP_NAME "sender.example!example.net!1767225600!1767311999!001.json.gz"
#define GZIP_AS_BASE64 "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==" /* 22 bytes: {} */
#define VERIFIED                                                                  \
    "Authentication-Results: mx.example.com; dkim=pass header.d=sender.example\n" \
    "From: tlsrpt@sender.example\n"
#define REPORT_TYPE "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n"
#define PERSON_PART "--b\nContent-Type: text/plain\n\nThis is a TLS report.\n"
#define GZIP_BODY "Content-Transfer-Encoding: base64\n\n" GZIP_AS_BASE64 "\n"

static void check_mail(const char *name, struct slice mail, const char *want)
{
    struct report_mail_reader *reader = report_mail_reader_new("mx.example.com");
    struct taken taken;
    struct err err;
    size_t n = SIZE_MAX, n_lines = 0;
    bool is_equal;

    taken_open(&taken);
    assert_int_equal(report_mail_read(reader, mail, &taken.taker, &n, &err), 0);
    is_equal = fixture_equal(name, want, taken_text(&taken));
    for (const char *at = want; (at = strchr(at, '\n')); at++)
        n_lines++;
    taken_close(&taken);
    report_mail_reader_free(reader);
    assert_true(is_equal);
    assert_int_equal(n, n_lines);
}

static void test_vectors(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"ok.eml", "declared application/tlsrpt+gzip \"" GZIP_NAME "\" about example.net by "
                   "sender.example from sender.example: gzip, 387 bytes\n"},
        {"labelled-json-is-gzip.eml",
         "declared application/tlsrpt+json \"" GZIP_NAME "\" about example.net by sender.example "
         "from sender.example: gzip, 387 bytes\n"},
        {"octet-stream.eml",
         "declared application/octet-stream \"" GZIP_NAME "\" about example.net by sender.example "
         "from sender.example: gzip, 387 bytes\n"},
        {"plain-json-8bit.eml",
         "declared application/tlsrpt+json \"" GZIP_NAME "\" about example.net by sender.example "
         "from sender.example: json, 742 bytes\n"},
        {"single-part.eml",
         "declared application/tlsrpt+gzip \"" GZIP_NAME "\" about example.net by sender.example "
         "from sender.example: gzip, 387 bytes\n"},
        {"not-a-report.eml", ""},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[256];
        struct slice mail;
        struct err err;

        snprintf(path, sizeof(path), TEST_DATA "/vectors/tlsrpt/%s", rows[i].name);
        assert_int_equal(file_read(path, REPORT_MAIL_MAX, arena, &mail, &err), 0);
        check_mail(rows[i].name, mail, rows[i].want);
    }
    arena_free(arena);
}

/* One row for each shape that a sender or a gateway gives a report. */
static void test_shapes(void **state)
{
    static const struct {
        const char *name, *mail, *want;
    } rows[] = {
        {"Google: unquoted report-type, name= on the type",
         VERIFIED
         "TLS-Report-Domain: example.com\nTLS-Report-Submitter: sender.example\n"
         "Content-Type: multipart/report; report-type=tlsrpt; boundary=\"b\"\n\n" PERSON_PART
         "--b\nContent-Type: application/tlsrpt+gzip;\n"
         " name=\"sender.example!example.com!1!2!001.json.gz\"\n" GZIP_BODY "--b--\n",
         "declared application/tlsrpt+gzip \"sender.example!example.com!1!2!001.json.gz\" about "
         "example.com by sender.example from sender.example verified: gzip, 22 bytes\n"},
        {"Microsoft: HTML for people, From without a name",
         VERIFIED REPORT_TYPE "--b\nContent-Type: text/html\nContent-Transfer-Encoding: "
                              "quoted-printable\n\n=3Cp>{\n"
                              "--b\nContent-Type: application/tlsrpt+gzip\n" GZIP_BODY "--b--\n",
         "declared application/tlsrpt+gzip from sender.example verified: gzip, 22 bytes\n"},
        {"Mail.ru: a part for people after the report, too",
         REPORT_TYPE PERSON_PART "--b\nContent-Type: application/tlsrpt+gzip\n" GZIP_BODY
                                 "--b\nContent-Type: text/plain\n\n\n--b--\n",
         "declared application/tlsrpt+gzip: gzip, 22 bytes\n"},
        {"Halon: JSON in base64",
         REPORT_TYPE "--b\nContent-Type: application/tlsrpt+json\n"
                     "Content-Disposition: attachment; filename=r.json\n"
                     "Content-Transfer-Encoding: base64\n\nIHt9\n--b--\n",
         "declared application/tlsrpt+json \"r.json\": json, 3 bytes\n"},
        {"Stalwart: application/tlsrpt, no encoding",
         REPORT_TYPE "--b\nContent-Type: application/tlsrpt\n\n{}\n--b--\n",
         "declared application/tlsrpt: json, 2 bytes\n"},
        {"base64 with odd lines and bytes, as gateways fold it",
         REPORT_TYPE "--b\nContent-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64"
                     "\n\nH4sIAAAAA\r\n AAAA6uuBQ\t\n!BDv6ajAgAAAA==\n\n\n--b--\n",
         "declared application/tlsrpt+gzip: gzip, 22 bytes\n"},
        {"quoted-printable JSON",
         "Content-Type: application/json\nTLS-Report-Domain: a.example\n"
         "Content-Transfer-Encoding: quoted-printable\n\n=7B=\n=7D\n",
         "declared application/json about a.example: json, 3 bytes\n"},
        {"multipart/mixed and no TLS-Report field: the media type tells",
         "Content-Type: multipart/mixed; boundary=b\n\n" PERSON_PART
         "--b\nContent-Type: application/tlsrpt+gzip\n" GZIP_BODY "--b--\n",
         "declared application/tlsrpt+gzip: gzip, 22 bytes\n"},
        {"multipart/mixed, octet-stream: the file name tells",
         "Content-Type: multipart/mixed; boundary=b\n\n" PERSON_PART
         "--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment;\n"
         " filename*0=\"a.example!b.example!\"; filename*1=\"1!2.json.gz\"\n" GZIP_BODY "--b--\n",
         "declared application/octet-stream \"a.example!b.example!1!2.json.gz\" about b.example: "
         "gzip, 22 bytes\n"},
        {"an archive",
         REPORT_TYPE "--b\nContent-Type: application/tlsrpt+zip\n"
                     "Content-Transfer-Encoding: base64\n\nUEsDBAAA\n--b--\n",
         "declared application/tlsrpt+zip: zip, 6 bytes\n"},
        {"neither JSON nor gzip, but called a report",
         REPORT_TYPE PERSON_PART "--b\nContent-Type: application/tlsrpt+json\n\nnull\n--b--\n",
         "declared application/tlsrpt+json: unknown, 4 bytes\n"},
        {"two reports",
         REPORT_TYPE "--b\nContent-Type: application/tlsrpt+json\n\n{}\n"
                     "--b\nContent-Type: application/tlsrpt+gzip\n" GZIP_BODY "--b--\n",
         "declared application/tlsrpt+json: json, 2 bytes\n"
         "declared application/tlsrpt+gzip: gzip, 22 bytes\n"},
        {"cut off: no final boundary",
         REPORT_TYPE PERSON_PART "--b\nContent-Type: application/tlsrpt+json\n\n{\"a",
         "declared application/tlsrpt+json: json, 3 bytes\n"},
        {"CRLF, and a \"From \" line that a pipe puts before the mail",
         "From a@b.example Sat Nov 29 03:38:03 2026\r\nContent-Type: application/tlsrpt+json\r\n"
         "\r\n{}\r\n",
         "declared application/tlsrpt+json: json, 4 bytes\n"},
        {"a byte order mark and empty lines before the mail",
         "\xef\xbb\xbf\r\n\nContent-Type: application/tlsrpt+json\n\n{}",
         "declared application/tlsrpt+json: json, 2 bytes\n"},
        {"no fields, only a body", "\n{}", ""},
        {"nothing", "", ""},
        {"only fields of a report", "TLS-Report-Domain: a.example\n\n",
         "declared message/rfc822 about a.example: unknown, 30 bytes; the mail says that it is a "
         "TLS report, but none of its parts is one\n"},
        {"the report was taken off on the way", VERIFIED REPORT_TYPE PERSON_PART "--b--\n",
         "declared message/rfc822 from sender.example verified: unknown, 224 bytes; the mail says "
         "that it is a TLS report, but none of its parts is one\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_mail(rows[i].name, slice_of(rows[i].mail), rows[i].want);
}

/* Other mail in the same mailbox. */
static void test_ordinary_mail(void **state)
{
    static const struct {
        const char *name, *mail, *want;
    } rows[] = {
        {"a text", "Subject: hello\n\nhi\n", ""},
        {"DMARC: gzip, which only looks like a report",
         "Subject: Report Domain: a.example Submitter: b.example Report-ID: <1>\n"
         "Content-Type: application/gzip; name=\"b.example!a.example!1!2.xml.gz\"\n" GZIP_BODY,
         "possible application/gzip \"b.example!a.example!1!2.xml.gz\": gzip, 22 bytes\n"},
        {"DMARC: XML", "Content-Type: text/xml; name=\"b.example!a.example!1!2.xml\"\n\n<?xml\n",
         ""},
        {"a bounce",
         "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" PERSON_PART
         "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n--b--\n",
         ""},
        {"a text in braces", "Content-Type: text/plain\n\n{x}",
         "possible text/plain: json, 3 bytes\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_mail(rows[i].name, slice_of(rows[i].mail), rows[i].want);
}

/* Whoever forwards a mail, or says so, writes its fields: nothing in it is proven. */
static void test_mail_in_mail(void **state)
{
    (void)state;
    check_mail("forwarded as an attachment",
               slice_of("Authentication-Results: mx.example.com; dkim=pass header.d=evil.example\n"
                        "From: a@evil.example\n"
                        "Content-Type: multipart/mixed; boundary=o\n\n"
                        "--o\nContent-Type: message/rfc822\n\n" VERIFIED
                        "TLS-Report-Domain: a.example\n" REPORT_TYPE
                        "--b\nContent-Type: application/tlsrpt+json\n\n{}\n--b--\n\n--o--\n"),
               "declared application/tlsrpt+json about a.example from sender.example: json, 2 "
               "bytes\n");
    check_mail(
        "forwarded, its report taken off",
        slice_of("Content-Type: message/rfc822\n\n" VERIFIED REPORT_TYPE PERSON_PART "--b--\n"),
        "declared message/rfc822: unknown, 254 bytes; the mail says that it is a TLS report, "
        "but none of its parts is one\n");
}

/* `n` multiparts within one another, the innermost with a report. */
static char *nested_mail(size_t n)
{
    size_t len;
    char *text;
    FILE *out = open_memstream(&text, &len);

    fputs("TLS-Report-Domain: a.example\n", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "Content-Type: multipart/mixed; boundary=b%zu\n\n--b%zu\n", i, i);
    fputs("Content-Type: application/tlsrpt+json\n\n{}", out);
    fclose(out);
    return text;
}

static void test_depth(void **state)
{
    static const struct {
        size_t n;
        const char *want;
    } rows[] = {
        {REPORT_MAIL_DEPTH_MAX,
         "declared application/tlsrpt+json about a.example: json, 2 bytes\n"},
        {REPORT_MAIL_DEPTH_MAX + 1,
         "declared message/rfc822 about a.example: unknown, 917 bytes; the mail has more than 16 "
         "levels of parts within parts\n"},
        /* GMime itself stops at 1,024. */
        {5000, "declared message/rfc822 about a.example: unknown, 65536 bytes; the mail has more "
               "than 16 levels of parts within parts\n"},
        {10001, "declared message/rfc822: unknown, 65536 bytes; the mail has fields of more than "
                "256 KiB\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *mail = nested_mail(rows[i].n);

        check_mail("depth", slice_of(mail), rows[i].want);
        free(mail);
    }
}

static void test_size(void **state)
{
    static const struct {
        const char *fields;
        size_t size;
        const char *want;
    } rows[] = {
        {"Content-Type: application/tlsrpt+json\n\n{", REPORT_MAIL_MAX,
         "declared application/tlsrpt+json: json, 16777177 bytes\n"},
        {"TLS-Report-Domain: a\n\n{", REPORT_MAIL_MAX + 1,
         "declared message/rfc822: unknown, 65536 bytes; the mail is larger than 16 MiB\n"},
        {"Subject: hello\n\n{", REPORT_MAIL_MAX + 1, ""},
    };
    char *bytes = memory_alloc(REPORT_MAIL_MAX + 1);

    (void)state;
    memset(bytes, ' ', REPORT_MAIL_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memcpy(bytes, rows[i].fields, strlen(rows[i].fields));
        check_mail("size", (struct slice){bytes, rows[i].size}, rows[i].want);
        memset(bytes, ' ', strlen(rows[i].fields));
    }
    free(bytes);
}

/* The taker's error ends the reading at once. */
static void test_taker_fails(void **state)
{
    struct report_mail_reader *reader = report_mail_reader_new(NULL);
    struct taken taken;
    struct err err;
    size_t n = SIZE_MAX;

    (void)state;
    taken_open(&taken);
    taken.n_room = 1;
    assert_int_equal(
        report_mail_read(reader,
                         slice_of(REPORT_TYPE "--b\nContent-Type: application/tlsrpt\n\n1\n"
                                              "--b\nContent-Type: application/tlsrpt\n\n22\n"
                                              "--b\nContent-Type: application/tlsrpt\n\n333\n"),
                         &taken.taker, &n, &err),
        -1);
    assert_string_equal(err.msg, "the database is full");
    assert_string_equal(taken_text(&taken), "declared application/tlsrpt: unknown, 1 bytes\n");
    assert_int_equal(n, SIZE_MAX);
    taken_close(&taken);
    report_mail_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),       cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_ordinary_mail), cmocka_unit_test(test_mail_in_mail),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_size),
        cmocka_unit_test(test_taker_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
