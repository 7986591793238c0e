/* SPDX-License-Identifier: MIT */
#include "check/smtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const event_names[] = {"more", "line", "last", "broken", "too long"};

/* Reads `bytes` in pieces of `n`; writes each event and its text into `seen`. */
static void reply_describe(struct slice bytes, size_t n, char seen[2048])
{
    struct smtp_reply reply = {0};
    size_t len = 0;

    seen[0] = '\0';
    for (size_t at = 0; at < bytes.len; at += n) {
        struct slice input = slice_range(bytes, at, at + n), text = {0};
        while (input.len > 0) {
            enum smtp_reply_event event = smtp_reply_read(&reply, &input, &text);
            if (event == SMTP_REPLY_MORE)
                continue;
            len += (size_t)snprintf(seen + len, 2048 - len, "%s%s %d '%.*s'", len ? ", " : "",
                                    event_names[event], reply.code, SLICE_ARG(text));
            if (event == SMTP_REPLY_LINE)
                continue;
            input.len += bytes.len - (at + n < bytes.len ? at + n : bytes.len);
            snprintf(seen + len, 2048 - len, ", left %zu", input.len);
            return;
        }
    }
}

#define ROW(bytes, want)         \
    {                            \
        SLICE_BYTES(bytes), want \
    }

static void reads_whole_and_in_pieces(void **state)
{
    static const struct {
        struct slice bytes;
        const char *want;
    } rows[] = {
        ROW("", ""),
        ROW("220", ""),
        ROW("220\r", ""),
        ROW("220\r\n", "last 220 '', left 0"),
        ROW("220\n", "last 220 '', left 0"),
        ROW("220 \r\n", "last 220 '', left 0"),
        ROW("220 mx.example ESMTP\r\n", "last 220 'mx.example ESMTP', left 0"),
        ROW("220 a\r\nEHLO", "last 220 'a', left 4"),
        ROW("250-a\r\n250-STARTTLS\r\n250 b\r\n",
            "line 250 'a', line 250 'STARTTLS', last 250 'b', left 0"),
        ROW("250-\r\n250\r\n", "line 250 '', last 250 '', left 0"),
        ROW("250-a\r\n251 b\r\n", "line 250 'a', broken 250 '251 b', left 0"),
        ROW("250-a\r\nhello\r\n", "line 250 'a', broken 250 'hello', left 0"),
        ROW("\r\n", "broken 0 '', left 0"),
        ROW("22\r\n", "broken 0 '22', left 0"),
        ROW("2200 a\r\n", "broken 0 '2200 a', left 0"),
        ROW("220_a\r\n", "broken 0 '220_a', left 0"),
        ROW("120 a\r\n", "broken 0 '120 a', left 0"),
        ROW("620 a\r\n", "broken 0 '620 a', left 0"),
        ROW("2x0 a\r\n", "broken 0 '2x0 a', left 0"),
        ROW("22x a\r\n", "broken 0 '22x a', left 0"),
        ROW("SSH-2.0-OpenSSH_9.2\r\n", "broken 0 'SSH-2.0-OpenSSH_9.2', left 0"),
        ROW("599 a\rb\r\n", "last 599 'a\rb', left 0"),
        ROW("290 a\r\n", "last 290 'a', left 0"),
    };
    char seen[2048];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t n = 1; n <= rows[i].bytes.len + 1; n++) {
            reply_describe(rows[i].bytes, n, seen);
            if (strcmp(seen, rows[i].want) != 0)
                fail_msg("row %zu in pieces of %zu: expected <%s>, found <%s>", i, n, rows[i].want,
                         seen);
        }
}

/* Text with NULs, and where the first one is. */
static void keeps_nul_bytes(void **state)
{
    struct smtp_reply reply = {0};
    struct slice input = SLICE_BYTES("220 a\0b\r\n"), text;

    (void)state;
    assert_int_equal(smtp_reply_read(&reply, &input, &text), SMTP_REPLY_LAST);
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.ptr, "a\0b", 3);
}

static void cuts_a_long_line_and_goes_on(void **state)
{
    static const size_t lengths[] = {SMTP_LINE_MAX - 2, SMTP_LINE_MAX - 1, SMTP_LINE_MAX,
                                     SMTP_LINE_MAX + 1, 4096};
    char bytes[4096 + 16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct smtp_reply reply = {0};
        struct slice input = {bytes, lengths[i] + 7}, text;
        size_t kept = lengths[i] < SMTP_LINE_MAX ? lengths[i] : SMTP_LINE_MAX;
        memset(bytes, 'x', sizeof(bytes));
        memcpy(bytes, "250-", 4);
        memcpy(bytes + lengths[i], "\n250 b\n", 7);
        assert_int_equal(smtp_reply_read(&reply, &input, &text), SMTP_REPLY_LINE);
        assert_int_equal(text.len, kept - 4);
        assert_int_equal(smtp_reply_read(&reply, &input, &text), SMTP_REPLY_LAST);
        assert_true(slice_eq_text(text, "b"));
    }
}

/* `n` times the line, then what the parser says. */
static enum smtp_reply_event reply_repeated(struct slice line, size_t n)
{
    struct smtp_reply reply = {0};
    enum smtp_reply_event event = SMTP_REPLY_MORE;
    struct slice text;

    for (size_t i = 0; i < n; i++) {
        struct slice input = line;
        event = smtp_reply_read(&reply, &input, &text);
    }
    return event;
}

static void bounds_a_reply(void **state)
{
    static char long_line[SMTP_OCTETS_MAX + 1];
    struct slice line = SLICE_BYTES("250-a\r\n"), endless = {long_line, sizeof(long_line)};

    (void)state;
    assert_int_equal(reply_repeated(line, SMTP_LINES_MAX - 1), SMTP_REPLY_LINE);
    assert_int_equal(reply_repeated(line, SMTP_LINES_MAX), SMTP_REPLY_TOO_LONG);
    memset(long_line, '2', sizeof(long_line));
    assert_int_equal(reply_repeated(endless, 1), SMTP_REPLY_TOO_LONG);
    endless.len--;
    assert_int_equal(reply_repeated(endless, 1), SMTP_REPLY_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_and_in_pieces),
        cmocka_unit_test(keeps_nul_bytes),
        cmocka_unit_test(cuts_a_long_line_and_goes_on),
        cmocka_unit_test(bounds_a_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
