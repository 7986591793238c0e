/* SPDX-License-Identifier: MIT */
#include "daemon/net/proxy_header.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\0\2\1\xc6\x33\x64\2\x12\x34\1\xbb" /* 192.0.2.1:4660, 198.51.100.2:443 */
#define V6                                                                       \
    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" \
    "\2\xff\xff\0\0" /* [2001:db8::1]:65535, [2001:db8::2]:0 */
#define CHARS_10 "xxxxxxxxxx"
#define CHARS_90 CHARS_10 CHARS_10 CHARS_10 CHARS_10 CHARS_10 CHARS_10 CHARS_10 CHARS_10 CHARS_10

enum {
    FULL_MAX = 16 + UINT16_MAX,
};

static const char *print_client(const union proxy_client *client, char text[64])
{
    char host[INET6_ADDRSTRLEN];

    if (client->any.sa_family == AF_INET)
        snprintf(text, 64, "%s:%u", inet_ntop(AF_INET, &client->v4.sin_addr, host, sizeof(host)),
                 ntohs(client->v4.sin_port));
    else if (client->any.sa_family == AF_INET6)
        snprintf(text, 64, "[%s]:%u",
                 inet_ntop(AF_INET6, &client->v6.sin6_addr, host, sizeof(host)),
                 ntohs(client->v6.sin6_port));
    else
        snprintf(text, 64, "%s", client->any.sa_family == AF_UNSPEC ? "own" : "broken");
    return text;
}

/* "192.0.2.1:443 after 30", "incomplete" or "refused: why" */
static const char *parse_and_print(struct slice bytes, char text[256])
{
    struct proxy_header header = proxy_header_parse(bytes);
    char client[64];

    if (header.state == PROXY_HEADER_COMPLETE)
        snprintf(text, 256, "%s after %zu", print_client(&header.client, client), header.len);
    else if (header.state == PROXY_HEADER_INCOMPLETE)
        snprintf(text, 256, "incomplete");
    else
        snprintf(text, 256, "refused: %s", header.fault);
    return text;
}

struct row {
    struct slice bytes;
    const char *want;
};

static void run_rows(const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        char seen[256];

        parse_and_print(rows[i].bytes, seen);
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want, seen);
    }
}

static void test_start(void **state)
{
    static const struct row rows[] = {
        {{NULL, 0}, "incomplete"},
        {SLICE_BYTES("P"), "incomplete"},
        {SLICE_BYTES("PROXY"), "incomplete"},
        {SLICE_BYTES("PROXY "), "incomplete"},
        {SLICE_BYTES("\r"), "incomplete"},
        {SLICE_BYTES("\r\n\r\n\0"), "incomplete"},
        {SLICE_BYTES(SIGNATURE), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0"), "incomplete"},
        {SLICE_BYTES("\0"), "refused: no header"},
        {SLICE_BYTES("G"), "refused: no header"},
        {SLICE_BYTES("\n"), "refused: no header"},
        {SLICE_BYTES("\x16\x03\x01"), "refused: no header"}, /* a ClientHello */
        {SLICE_BYTES("PRI * HTTP/2.0\r\n"), "refused: no header"},
        {SLICE_BYTES("POST / HTTP/1.1\r\n"), "refused: no header"},
        {SLICE_BYTES("proxy "), "refused: no header"},
        {SLICE_BYTES("PROXY\r\n"), "refused: no header"},
        {SLICE_BYTES("PROXY\tTCP4"), "refused: no header"},
        {SLICE_BYTES(" PROXY "), "refused: no header"},
        {SLICE_BYTES("\r\n\r\n\r\n"), "refused: no header"},
        {SLICE_BYTES("\r\n\r\n\0\r\nQUIT\r"), "refused: no header"},
        {SLICE_BYTES("\r\nPROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n"), "refused: no header"},
    };

    (void)state;
    run_rows(rows, ARRAY_LEN(rows));
}

static void test_v1(void **state)
{
    static const struct row rows[] = {
        {SLICE_BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0 after 32"},
        {SLICE_BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
         "255.255.255.255:65535 after 56"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\nGET /"),
         "192.0.2.1:4660 after 44"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n\r\n"), "192.0.2.1:1 after 39"},
        {SLICE_BYTES("PROXY TCP6 :: ::1 0 1\r\n"), "[::]:0 after 23"},
        {SLICE_BYTES("PROXY TCP6 2001:DB8::1 2001:db8::2 4660 443\r\n\x16"),
         "[2001:db8::1]:4660 after 45"},
        {SLICE_BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n"),
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 after 104"},
        {SLICE_BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "[::ffff:192.0.2.1]:1 after 37"},
        {SLICE_BYTES("PROXY UNKNOWN\r\n"), "own after 15"},
        {SLICE_BYTES("PROXY UNKNOWN \r\n"), "own after 16"},
        {SLICE_BYTES("PROXY UNKNOWN ::1 ::1 1 2 and \0 more \xff\r\nGET /"), "own after 40"},
        {SLICE_BYTES("PROXY UNKNOWN 1 2 3 4 5 6 7\r\n"), "own after 29"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2"), "incomplete"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r"), "incomplete"},
        {SLICE_BYTES("PROXY what is to be refused once it is whole"), "incomplete"},
        {SLICE_BYTES("PROXY \r\n"), "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY UNKNOWNS\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY unknown\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY  UNKNOWN\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n"),
         "refused: a line that is neither for TCP4, TCP6 nor UNKNOWN"},
        {SLICE_BYTES("PROXY TCP4  192.0.2.1 198.51.100.2 1\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 ::1 1 2\r\n"), "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 ::1 198.51.100.2 1 2\r\n"), "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 \t192.0.2.1 198.51.100.2 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
         "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP6 :::1 ::1 1 2\r\n"), "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP6 [::1] ::1 1 2\r\n"), "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP6 fe80::1%lo ::1 1 2\r\n"), "refused: a line with a bad address"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 00 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2  2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1\0 2\r\n"),
         "refused: a line with a bad port"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"),
         "refused: a line that does not end in CR LF"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\r\n"),
         "refused: a line that does not end in CR LF"},
        {SLICE_BYTES("PROXY UNKNOWN \rX\r\n"), "refused: a line that does not end in CR LF"},
        {SLICE_BYTES("PROXY UNKNOWN \n\r\n"), "refused: a line that does not end in CR LF"},
        {SLICE_BYTES("PROXY UNKNOWN x" CHARS_90 "\r\n"), "own after 107"},
        {SLICE_BYTES("PROXY UNKNOWN x" CHARS_90 "\r"), "incomplete"},
        {SLICE_BYTES("PROXY UNKNOWN xx" CHARS_90), "incomplete"},
        {SLICE_BYTES("PROXY UNKNOWN xx" CHARS_90 "\r"), "refused: a line of more than 107 bytes"},
        {SLICE_BYTES("PROXY UNKNOWN xx" CHARS_90 "\r\n"), "refused: a line of more than 107 bytes"},
        {SLICE_BYTES("PROXY UNKNOWN xxx" CHARS_90), "refused: a line of more than 107 bytes"},
        {SLICE_BYTES("PROXY UNKNOWN xxx" CHARS_90 "\r\n"),
         "refused: a line of more than 107 bytes"},
    };

    (void)state;
    run_rows(rows, ARRAY_LEN(rows));
}

static void test_v2(void **state)
{
    static const struct row rows[] = {
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0c" V4), "192.0.2.1:4660 after 28"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0c" V4 "\x16\x03"), "192.0.2.1:4660 after 28"},
        {SLICE_BYTES(SIGNATURE "\x21\x21\0\x24" V6), "[2001:db8::1]:65535 after 52"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0f" V4 "\4\0\0GET"), "192.0.2.1:4660 after 31"},
        /* Additions are skipped, also where their lengths are wrong. */
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0f" V4 "\4\xff\xff"), "192.0.2.1:4660 after 31"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0d" V4 "\4"), "192.0.2.1:4660 after 29"},
        {SLICE_BYTES(SIGNATURE "\x20\0\0\0"), "own after 16"},
        {SLICE_BYTES(SIGNATURE "\x20\0\0\0GET"), "own after 16"},
        {SLICE_BYTES(SIGNATURE "\x20\x11\0\x0c" V4), "own after 28"},
        {SLICE_BYTES(SIGNATURE "\x20\xff\0\1x"), "own after 17"},
        {SLICE_BYTES(SIGNATURE "\x21\0\0\0"), "own after 16"},
        {SLICE_BYTES(SIGNATURE "\x21\0\0\3\4\0\0"), "own after 19"},
        {SLICE_BYTES(SIGNATURE "\x21\x12\0\x0c" V4), "own after 28"},
        {SLICE_BYTES(SIGNATURE "\x21\x22\0\x24" V6), "own after 52"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0c"), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0d" V4), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x20\0\0\1"), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x21\x31\0\xd8"), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x21\x32\x0f\xf0"), "incomplete"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0b" V4), "refused: a header that is too short for its "
                                                     "addresses"},
        {SLICE_BYTES(SIGNATURE "\x21\x12\0\0"),
         "refused: a header that is too short for its addresses"},
        {SLICE_BYTES(SIGNATURE "\x21\x21\0\x23"), "refused: a header that is too short for its "
                                                  "addresses"},
        {SLICE_BYTES(SIGNATURE "\x21\x31\0\xd7"), "refused: a header that is too short for its "
                                                  "addresses"},
        {SLICE_BYTES(SIGNATURE "\x22\x11\0\x0c"),
         "refused: a version that is not 2, or a command that "
         "is neither LOCAL nor PROXY"},
        {SLICE_BYTES(SIGNATURE "\x11\x11\0\x0c"),
         "refused: a version that is not 2, or a command that "
         "is neither LOCAL nor PROXY"},
        {SLICE_BYTES(SIGNATURE "\x31\x11\0\x0c"),
         "refused: a version that is not 2, or a command that "
         "is neither LOCAL nor PROXY"},
        {SLICE_BYTES(SIGNATURE "\x21\x01\0\x0c"), "refused: an unknown address family or protocol"},
        {SLICE_BYTES(SIGNATURE "\x21\x10\0\x0c"), "refused: an unknown address family or protocol"},
        {SLICE_BYTES(SIGNATURE "\x21\x13\0\x0c"), "refused: an unknown address family or protocol"},
        {SLICE_BYTES(SIGNATURE "\x21\x41\0\x0c"), "refused: an unknown address family or protocol"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\x0f\xf1" V4), "refused: a header of more than 4096 bytes"},
        {SLICE_BYTES(SIGNATURE "\x20\0\xff\xff"), "refused: a header of more than 4096 bytes"},
    };

    (void)state;
    run_rows(rows, ARRAY_LEN(rows));
}

/* A whole header of each length, up to the limit and beyond it. */
static void test_v2_length(void **state)
{
    static const struct {
        uint8_t byte; /* family and protocol */
        size_t rest_len;
        const char *want;
    } rows[] = {
        {0x31, 216, "own after 232"},
        {0x32, 217, "own after 233"},
        {0x00, PROXY_HEADER_MAX - 16, "own after 4096"},
        {0x11, PROXY_HEADER_MAX - 16, "120.120.120.120:30840 after 4096"},
        {0x11, PROXY_HEADER_MAX - 15, "refused: a header of more than 4096 bytes"},
        {0x00, UINT16_MAX, "refused: a header of more than 4096 bytes"},
    };
    char *bytes = memory_alloc(FULL_MAX);

    (void)state;
    memset(bytes, 'x', FULL_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char length[] = {(char)(rows[i].rest_len >> 8), (char)(rows[i].rest_len & 0xff)};
        const char head[] = {0x21, (char)rows[i].byte, length[0], length[1]};
        char seen[256];

        memcpy(bytes, SIGNATURE, 12);
        memcpy(bytes + 12, head, sizeof(head));
        parse_and_print((struct slice){bytes, 16 + rows[i].rest_len}, seen);
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want, seen);
        parse_and_print((struct slice){bytes, 16 + rows[i].rest_len - 1}, seen);
        if (rows[i].want[0] != 'r' && strcmp(seen, "incomplete") != 0)
            fail_msg("row %zu: wanted one byte less to be incomplete, saw '%s'", i, seen);
    }
    free(bytes);
}

/* The bytes of a client are never the header's, and until the last one the header is incomplete. */
static void test_one_byte_at_a_time(void **state)
{
    static const struct {
        struct slice bytes;
        const char *want;
    } rows[] = {
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n"), "192.0.2.1:4660 after 44"},
        {SLICE_BYTES("PROXY UNKNOWN\r\n"), "own after 15"},
        {SLICE_BYTES(SIGNATURE "\x21\x11\0\x0c" V4), "192.0.2.1:4660 after 28"},
        {SLICE_BYTES(SIGNATURE "\x21\x21\0\x24" V6), "[2001:db8::1]:65535 after 52"},
        {SLICE_BYTES(SIGNATURE "\x20\0\0\0"), "own after 16"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t len = 0; len <= rows[i].bytes.len; len++) {
            const char *want = len < rows[i].bytes.len ? "incomplete" : rows[i].want;
            char seen[256];

            parse_and_print(slice_range(rows[i].bytes, 0, len), seen);
            if (strcmp(seen, want) != 0)
                fail_msg("row %zu: wanted '%s' of %zu bytes, saw '%s'", i, want, len, seen);
        }
    }
}

static void test_begins(void **state)
{
    static const struct {
        struct slice bytes;
        bool want;
    } rows[] = {
        {SLICE_BYTES("PROXY "), true},
        {SLICE_BYTES("PROXY nonsense"), true},
        {SLICE_BYTES("PROXY"), false},
        {SLICE_BYTES("\r\n\r\n\0\r\nQUIT\n"), true},
        {SLICE_BYTES("\r\n\r\n\0\r\nQUIT\n\x21"), true},
        {SLICE_BYTES("\r\n\r\n\0\r\nQUIT"), false},
        {SLICE_BYTES(""), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (proxy_header_begins(rows[i].bytes) != rows[i].want)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins),    cmocka_unit_test(test_start),
        cmocka_unit_test(test_v1),        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_length), cmocka_unit_test(test_one_byte_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
