/* SPDX-License-Identifier: MIT */
#include "daemon/worker/request_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

#define GET "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
#define GET_1_0 "GET /.well-known/mta-sts.txt HTTP/1.0\r\n"
#define HOST "host: mta-sts.example.com\r\n"
#define END "\r\n"

/* A copy of just these bytes, so that a sanitizer sees the read of one beyond. */
static const char *fault_of(struct slice bytes)
{
    char *copy = memory_alloc(bytes.len + (bytes.len == 0));
    const char *fault;

    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    fault = request_head_fault((struct slice){copy, bytes.len});
    free(copy);
    return fault;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct {
    struct slice bytes;
    const char *want; /* NULL: nothing is wrong */
} heads[] = {
    {SLICE_BYTES(""), "no Host\n"},
    {SLICE_BYTES(GET HOST END), NULL},
    {SLICE_BYTES(GET_1_0 END), NULL},
    {SLICE_BYTES(GET_1_0 HOST END), NULL},
    {SLICE_BYTES(GET END), "no Host\n"},
    {SLICE_BYTES(GET "hosts: a\r\n" END), "no Host\n"},
    {SLICE_BYTES(GET "host:\r\n" END), NULL}, /* RFC 9110 7.2: may be empty */
    {SLICE_BYTES(GET "HOST:mta-sts.example.com \t\r\n" END), NULL},
    {SLICE_BYTES(GET HOST HOST END), "several Hosts\n"},
    {SLICE_BYTES(GET HOST "a: b\r\nHost: other\r\n" END), "several Hosts\n"},
    {SLICE_BYTES(GET_1_0 HOST HOST END), "several Hosts\n"},

    /* What comes before and after the head. */
    {SLICE_BYTES("\r\n" GET HOST END), NULL},
    {SLICE_BYTES("\r\n\r\n" GET HOST END), "no Host\n"},
    {SLICE_BYTES("\n" GET HOST END), "a line that does not end in CR LF\n"},
    {SLICE_BYTES(GET HOST END "anything\n\0 at all"), NULL},
    {SLICE_BYTES(GET HOST END HOST HOST), NULL},

    /* Line ends. */
    {SLICE_BYTES("GET / HTTP/1.1\n" HOST END), "a line that does not end in CR LF\n"},
    {SLICE_BYTES(GET "host: a\n" END), "a line that does not end in CR LF\n"},
    {SLICE_BYTES(GET HOST "\n"), "a line that does not end in CR LF\n"},
    {SLICE_BYTES(GET HOST "a: b\n" END), "a line that does not end in CR LF\n"},
    {SLICE_BYTES(GET "host: a\r\r\n" END), "a control character in a line\n"},
    {SLICE_BYTES(GET HOST "a: b\rc: d\r\n" END), "a control character in a line\n"},
    {SLICE_BYTES(GET HOST), NULL}, /* h2o never gives less than a whole head */
    {SLICE_BYTES(GET HOST "a: b\0c\r\n" END), "a control character in a line\n"},
    {SLICE_BYTES(GET HOST "a\0: b\r\n" END), "a control character in a line\n"},
    {SLICE_BYTES(GET HOST "a: \xff\x80 b\tc\r\n" END), NULL}, /* obs-text and tabs are text */

    /* Folded lines. */
    {SLICE_BYTES(GET HOST " folded\r\n" END), "a folded line\n"},
    {SLICE_BYTES(GET HOST "\tfolded\r\n" END), "a folded line\n"},
    {SLICE_BYTES(GET " host: a\r\n" END), "a folded line\n"},
    {SLICE_BYTES(GET HOST " \r\n" END), "a folded line\n"},

    /* How long the body is. */
    {SLICE_BYTES(GET HOST "content-length: 0\r\n" END), NULL},
    {SLICE_BYTES(GET HOST "content-length: 5\r\nContent-Length:\t5\r\n" END), NULL},
    {SLICE_BYTES(GET HOST "content-length: 5\r\ncontent-length: 6\r\n" END),
     "two Content-Lengths\n"},
    {SLICE_BYTES(GET HOST "content-length: 5\r\ncontent-length: 05\r\n" END),
     "two Content-Lengths\n"},
    {SLICE_BYTES(GET HOST "content-length: 5\r\ncontent-length:\r\n" END), "two Content-Lengths\n"},
    {SLICE_BYTES(GET HOST "transfer-encoding: chunked\r\n" END), NULL},
    {SLICE_BYTES(GET HOST "transfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END),
     "several Transfer-Encodings\n"},
    {SLICE_BYTES(GET HOST "transfer-encoding: chunked\r\ncontent-length: 5\r\n" END),
     "a Transfer-Encoding that is not to be trusted\n"},
    {SLICE_BYTES(GET HOST "CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: chunked\r\n" END),
     "a Transfer-Encoding that is not to be trusted\n"},
    {SLICE_BYTES(GET_1_0 HOST "transfer-encoding: chunked\r\n" END),
     "a Transfer-Encoding that is not to be trusted\n"},
};

static void test_fault(void **state)
{
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const char *seen = fault_of(heads[i].bytes);

        if (is_same(seen, heads[i].want))
            continue;
        print_error("row %zu: wanted %s, seen %s\n", i, heads[i].want ? heads[i].want : "nothing",
                    seen ? seen : "nothing");
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

/* What follows the empty line is another's: no byte of it matters. */
static void test_the_rest_is_not_looked_at(void **state)
{
    static const char head[] = GET HOST END;
    char bytes[sizeof(head) + 1];

    (void)state;
    memcpy(bytes, head, sizeof(head));
    for (int byte = 0; byte <= UINT8_MAX; byte++) {
        bytes[sizeof(head) - 1] = bytes[sizeof(head)] = (char)byte;
        assert_null(fault_of((struct slice){bytes, sizeof(bytes)}));
    }
}

static void test_target(void **state)
{
    static const struct {
        struct slice target;
        const char *authority, *path;
    } rows[] = {
        {SLICE_BYTES(""), "", ""},
        {SLICE_BYTES("/"), "", "/"},
        {SLICE_BYTES("/a/b"), "", "/a/b"},
        {SLICE_BYTES("/a?b"), "", "/a"},
        {SLICE_BYTES("/?"), "", "/"},
        {SLICE_BYTES("//host/path"), "", "//host/path"},
        {SLICE_BYTES("/https://host/"), "", "/https://host/"},
        {SLICE_BYTES("*"), "", ""},
        {SLICE_BYTES("?"), "", ""},
        {SLICE_BYTES("host:443"), "", ""},
        {SLICE_BYTES("a/b"), "", ""},
        {SLICE_BYTES("ftp://host/path"), "", ""},
        {SLICE_BYTES("HTTPS://host/path"), "", ""},
        {SLICE_BYTES("http://host/path?query"), "host", "/path"},
        {SLICE_BYTES("https://Host:443/path/?a/b"), "Host:443", "/path/"},
        {SLICE_BYTES("https://host"), "host", ""},
        {SLICE_BYTES("https://host?query"), "host?query", ""}, /* no host name: refused later */
        {SLICE_BYTES("https://"), "", ""},
        {SLICE_BYTES("https:///path"), "", "/path"},
        {SLICE_BYTES("https://user@host/"), "user@host", "/"},
        {SLICE_BYTES("/caf\xc3\xa9"), "", "/caf\xc3\xa9"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice authority, path;

        request_target_split(rows[i].target, &authority, &path);
        if (slice_eq_text(authority, rows[i].authority) && slice_eq_text(path, rows[i].path))
            continue;
        print_error("row %zu: wanted '%s' and '%s', seen '%.*s' and '%.*s'\n", i, rows[i].authority,
                    rows[i].path, SLICE_ARG(authority), SLICE_ARG(path));
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

/* Looks as octets come, one at a time: the end must be found with the last, and not before. */
static void test_head_len(void **state)
{
    static const struct {
        struct slice bytes;
        size_t len; /* 0: it never ends */
    } rows[] = {
        {SLICE_BYTES(""), 0},
        {SLICE_BYTES("\n"), 0},
        {SLICE_BYTES("\n\n"), 2},
        {SLICE_BYTES("\r\n\r\n"), 4},
        {SLICE_BYTES("\n\r\n"), 3},
        {SLICE_BYTES("\r\n\n"), 3},
        {SLICE_BYTES("\r\n\r"), 0},
        {SLICE_BYTES("\r\r\n\r\r\n"), 0},
        {SLICE_BYTES("\n \n"), 0},
        {SLICE_BYTES("\n\0\n"), 0},
        {SLICE_BYTES(GET HOST), 0},
        {SLICE_BYTES(GET HOST END), sizeof(GET HOST END) - 1},
        {SLICE_BYTES("\r\n" GET HOST END), sizeof("\r\n" GET HOST END) - 1},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice bytes = rows[i].bytes;
        size_t at_once = request_head_len(bytes, 0), in_turn = 0;

        for (size_t n = 1; n <= bytes.len && in_turn == 0; n++)
            in_turn = request_head_len(slice_range(bytes, 0, n), n - 1);
        if (at_once != rows[i].len || in_turn != rows[i].len) {
            print_error("row %zu: %zu at once, %zu in turn, wanted %zu\n", i, at_once, in_turn,
                        rows[i].len);
            n_failed++;
        }
    }
    assert_int_equal(n_failed, 0);
}

static void test_may_be_good(void **state)
{
    static const struct {
        struct slice bytes;
        bool is_good;
    } rows[] = {
        {SLICE_BYTES(""), true},
        {SLICE_BYTES("\r"), true},
        {SLICE_BYTES("\r\n"), true},
        {SLICE_BYTES("GET"), true},
        {SLICE_BYTES("GET /\xff"), true},
        {SLICE_BYTES("GET / HTTP/1.1\r"), true},
        {SLICE_BYTES(GET), true},
        {SLICE_BYTES(GET_1_0), true},
        {SLICE_BYTES("GET / HTTP/1.1\n"), true},
        {SLICE_BYTES("\r\n" GET), true},
        {SLICE_BYTES(GET "\0"), true}, /* only the first line is looked at */
        {SLICE_BYTES("GET / HTTP/2.0\r\n"), false},
        {SLICE_BYTES("GET / HTTP/1.10\r\n"), false},
        {SLICE_BYTES("GET /\r\n"), false},
        {SLICE_BYTES("\n"), false},
        {SLICE_BYTES("\r\n\r\n"), false},
        {SLICE_BYTES("\x16\x03\x01"), false},
        {SLICE_BYTES("GET\t"), false},
        {SLICE_BYTES("GET /\x7f"), false},
        {SLICE_BYTES("GET /\0"), false},
        {SLICE_BYTES("GET /\r/ HTTP/1.1\r\n"), false},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (request_may_be_good(rows[i].bytes) != rows[i].is_good) {
            print_error("row %zu: wanted %d\n", i, rows[i].is_good);
            n_failed++;
        }
    assert_int_equal(n_failed, 0);
}

static void test_body_len(void **state)
{
    static const struct {
        struct slice head;
        size_t len; /* of at most 100 */
    } rows[] = {
        {SLICE_BYTES(""), 0},
        {SLICE_BYTES(GET HOST END), 0},
        {SLICE_BYTES(GET "Content-Length: 0\r\n" END), 0},
        {SLICE_BYTES(GET "content-length:7\r\n" END), 7},
        {SLICE_BYTES(GET "CONTENT-LENGTH: \t100 \r\n" END), 100},
        {SLICE_BYTES(GET "Content-Length: 101\r\n" END), 0}, /* h2o refuses it */
        {SLICE_BYTES(GET "Content-Length: -1\r\n" END), 0},
        {SLICE_BYTES(GET "Content-Length: 5\r\nContent-Length: 9\r\n" END), 9},
        {SLICE_BYTES(GET "Transfer-Encoding: chunked\r\n" END), 100},
        {SLICE_BYTES(GET "Content-Length: 5\r\ntransfer-encoding: x\r\n" END), 100},
        {SLICE_BYTES(GET "X-Content-Length: 5\r\n" END), 0},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t seen = request_body_len(rows[i].head, 100);

        if (seen != rows[i].len) {
            print_error("row %zu: %zu, wanted %zu\n", i, seen, rows[i].len);
            n_failed++;
        }
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault),       cmocka_unit_test(test_the_rest_is_not_looked_at),
        cmocka_unit_test(test_target),      cmocka_unit_test(test_head_len),
        cmocka_unit_test(test_may_be_good), cmocka_unit_test(test_body_len),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
