/* SPDX-License-Identifier: MIT */
#include "daemon/worker/first_octets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/log_record.h"
#include "lib/base/slice.h"
#include "support/room.h"

#define SIGNATURE_V2 "\r\n\r\n\0\r\nQUIT\n"

static const char no_cure[] = "";

/* The beginning of the cure that is logged for the octets; no_cure: none is. */
static void check_cure(size_t row, SSL_CTX *ssl_ctx, struct slice sent, const char *want)
{
    struct log_record record = {.fault = no_cure};
    struct connection *connection;
    struct room room;
    int peer;

    room_open(&room, NULL, NULL);
    room.kind.ssl_ctx = ssl_ctx;
    connection = room_connect(&room, NULL, &peer);
    h2o_buffer_reserve(&connection->sock->input, sent.len);
    memcpy(connection->sock->input->bytes, sent.ptr, sent.len);
    connection->sock->input->size = sent.len;
    first_octets_log(connection);
    room_take_record(&room, &record);
    if (strncmp(record.fault, want, strlen(want)) != 0 || (want == no_cure && record.fault[0]))
        fail_msg("row %zu: wanted '%s', seen '%s'", row, want, record.fault);
    if (want != no_cure) {
        assert_int_equal(record.kind, LOG_RECORD_OTHER_PROTOCOL);
        assert_string_equal(record.server, "unix:");
    }
    close(peer);
    room_close(&room);
}

static void test_cures(void **state)
{
    static const struct {
        struct slice sent;
        const char *to_tls, *to_plain;
    } rows[] = {
        {SLICE_BYTES("GET / HTTP/1.1\r\n"), "plain HTTP came", no_cure},
        {SLICE_BYTES("OPTIONS * HTTP/1.0\r\n"), "plain HTTP came", no_cure},
        {SLICE_BYTES("GET http://a/ HTTP/1.1\r\n"), "plain HTTP came", no_cure},
        {SLICE_BYTES("\x16\x03\x01\x02\x00\x01"), no_cure, "TLS came"},
        {SLICE_BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), "a PROXY protocol header came",
         "a PROXY protocol header came"},
        {SLICE_BYTES(SIGNATURE_V2 "\x21\x11\0\x0c"), "a PROXY protocol header came",
         "a PROXY protocol header came"},
        {SLICE_BYTES("PROXY"), no_cure, no_cure},
        {SLICE_BYTES("GET"), no_cure, no_cure},
        {SLICE_BYTES(" / HTTP/1.1"), no_cure, no_cure},
        {SLICE_BYTES("EHLO a.example\r\n"), no_cure, no_cure},
        {SLICE_BYTES("SSH-2.0-OpenSSH_9.2\r\n"), no_cure, no_cure},
        {SLICE_BYTES("\x80\x2e\x01\x00\x02"), no_cure, no_cure},
        {SLICE_BYTES("\x16"), no_cure, no_cure},
    };
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_cure(i, ssl_ctx, rows[i].sent, rows[i].to_tls);
        check_cure(i, NULL, rows[i].sent, rows[i].to_plain);
    }
    SSL_CTX_free(ssl_ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
