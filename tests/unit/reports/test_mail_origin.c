/* SPDX-License-Identifier: MIT */
#include "reports/mail_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define GOOD "Authentication-Results: mx.example.com; dkim=pass header.d=google.com\n"

static void origin_of(const char *fields, const char *authserv_id, struct mail_origin *ret_origin)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(fields, strlen(fields));
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    mail_origin_read(g_mime_object_get_header_list(GMIME_OBJECT(message)), authserv_id, ret_origin);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}

static void test_origin(void **state)
{
    static const struct {
        const char *fields, *domain;
        bool is_verified;
    } rows[] = {
        {"Subject: x\n\n", "", false},
        {"From: a@google.com\n\n", "google.com", false},
        {"From: a@google.com\n" GOOD "\n", "google.com", true},
        {GOOD "From: \"x@evil.example\" <a@Google.COM>\n\n", "google.com", true},
        {GOOD "From: \"a@google.com\" <x@evil.example>\n\n", "evil.example", false},
        {GOOD "From:\n <noreply@reports.google.com>\n\n", "reports.google.com", true},
        {GOOD "From: <tlsrpt@b\xc3\xbc"
              "cher.example>\n\n",
         "xn--bcher-kva.example", false},
        /* No one author. */
        {GOOD "From: a@google.com, b@google.com\n\n", "", false},
        {GOOD "From: a@google.com\nFrom: b@evil.example\n\n", "", false},
        {GOOD "From: reporters: a@google.com;\n\n", "", false},
        {GOOD "From: a\n\n", "", false},
        {GOOD "From: a@\n\n", "", false},
        {GOOD "From: a@bad_name.example\n\n", "", false},
        {GOOD "From: \n\n", "", false},
        /* The server's own field stands above what came with the mail. */
        {"Authentication-Results: mx.example.com; dkim=none\n" GOOD "From: a@google.com\n\n",
         "google.com", false},
        {GOOD "Authentication-Results: mx.example.com; dkim=none\nFrom: a@google.com\n\n",
         "google.com", true},
        {"Authentication-Results: mx.example.com; spf=pass\n" GOOD "From: a@google.com\n\n",
         "google.com", true},
        {"Authentication-Results: other.example; dkim=fail header.d=google.com\n" GOOD
         "From: a@google.com\n\n",
         "google.com", true},
        {"ARC-Authentication-Results: i=1; mx.example.com; dkim=pass header.d=google.com\n"
         "From: a@google.com\n\n",
         "google.com", false},
        /* l= leaves room for an appended report. */
        {GOOD "DKIM-Signature: v=1; a=rsa-sha256; d=google.com; s=x; bh=y; b=z\n"
              "From: a@google.com\n\n",
         "google.com", true},
        {GOOD "DKIM-Signature: v=1; a=rsa-sha256;\n d=Google.com;\n\tl=100; b=z\n"
              "From: a@google.com\n\n",
         "google.com", false},
        /* Gmail names only i=, which may lie below d=. */
        {"Authentication-Results: mx.example.com; dkim=pass header.i=@tls.google.com\n"
         "DKIM-Signature: d=google.com; l=3; b=z\nFrom: a@tls.google.com\n\n",
         "tls.google.com", false},
        {"Authentication-Results: mx.example.com; dkim=pass header.i=@tls.google.com\n"
         "DKIM-Signature: d=google.com; b=z\nFrom: a@tls.google.com\n\n",
         "tls.google.com", true},
        {GOOD "DKIM-Signature: v=1; d=list.example; l=100; b=z\nFrom: a@google.com\n\n",
         "google.com", true},
        {GOOD "DKIM-Signature: d=google.com; b=z\nDKIM-Signature: d=google.com; l = 1\n"
              "From: a@google.com\n\n",
         "google.com", false},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mail_origin seen;

        origin_of(rows[i].fields, "mx.example.com", &seen);
        if (strcmp(seen.from_domain, rows[i].domain) == 0 &&
            seen.is_dkim_verified == rows[i].is_verified)
            continue;
        printf("row %zu: wanted '%s' %d, saw '%s' %d\n", i, rows[i].domain, rows[i].is_verified,
               seen.from_domain, seen.is_dkim_verified);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

static void test_nobody_is_believed(void **state)
{
    struct mail_origin seen;

    (void)state;
    origin_of(GOOD "From: a@google.com\n\n", NULL, &seen);
    assert_string_equal(seen.from_domain, "google.com");
    assert_false(seen.is_dkim_verified);
}

static int start_gmime(void **state)
{
    (void)state;
    g_mime_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_nobody_is_believed),
    };

    return cmocka_run_group_tests(tests, start_gmime, NULL);
}
