/* SPDX-License-Identifier: MIT */
#include "daemon/main/log_writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"

/* A writer and its ring. The log goes to standard error, so each test gives it a pipe. */
struct desk {
    struct log_ring *ring;
    struct log_writer *writer;
    int log[2], access[2], stderr_before;
};

static void ignore_record(void *context)
{
    (void)context;
}

static void desk_open(struct desk *desk, size_t n_records, enum access_format access)
{
    assert_int_equal(pipe2(desk->log, O_NONBLOCK), 0);
    assert_int_equal(pipe2(desk->access, O_NONBLOCK), 0);
    desk->stderr_before = dup(STDERR_FILENO);
    dup2(desk->log[1], STDERR_FILENO);
    desk->ring = log_ring_new(n_records, &clock_system, ignore_record, NULL);
    desk->writer = log_writer_new(desk->access[1], access);
}

static void desk_close(struct desk *desk)
{
    dup2(desk->stderr_before, STDERR_FILENO);
    close(desk->stderr_before);
    for (int i = 0; i < 2; i++) {
        close(desk->log[i]);
        close(desk->access[i]);
    }
    log_writer_free(desk->writer);
    log_ring_free(desk->ring);
}

static char *read_pipe(int fd, char text[65536])
{
    ssize_t len = read(fd, text, 65535);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static unsigned count_lines(const char *text)
{
    unsigned n_lines = 0;

    while ((text = strchr(text, '\n'))) {
        n_lines++;
        text++;
    }
    return n_lines;
}

static void push(struct log_ring *ring, enum log_record_kind kind, unsigned count)
{
    const struct log_record record = {
        .kind = kind, .peer = "192.0.2.1:25", .server = "a.example", .method = "GET", .path = "/"};

    for (unsigned i = 0; i < count; i++)
        log_ring_push(ring, &record);
}

static void test_sample_of_refusals(void **state)
{
    struct desk desk;
    char text[65536];

    (void)state;
    desk_open(&desk, 64, ACCESS_OFF);
    assert_false(log_writer_needs_summary(desk.writer));
    push(desk.ring, LOG_RECORD_UNKNOWN_HOST, 20);
    push(desk.ring, LOG_RECORD_UNSERVED_HOST, 1);
    log_writer_write(desk.writer, desk.ring);
    assert_null(log_ring_peek(desk.ring));
    assert_int_equal(count_lines(read_pipe(desk.log[0], text)), LOG_WRITER_REFUSALS + 1);
    assert_true(log_writer_needs_summary(desk.writer));
    log_writer_summarize(desk.writer);
    assert_string_equal(read_pipe(desk.log[0], text),
                        "mta-stsd: info: further refused connections and requests: 15\n");
    assert_false(log_writer_needs_summary(desk.writer));
    push(desk.ring, LOG_RECORD_UNKNOWN_HOST, 1);
    log_writer_write(desk.writer, desk.ring);
    assert_int_equal(count_lines(read_pipe(desk.log[0], text)), 1);
    log_writer_summarize(desk.writer);
    assert_string_equal(read_pipe(desk.log[0], text), "");
    desk_close(&desk);
}

/* Each kind of refusal says what helps. */
static void test_refusals(void **state)
{
    static const struct {
        struct log_record record;
        const char *want;
    } rows[] = {
        {{.kind = LOG_RECORD_UNKNOWN_HOST, .peer = "192.0.2.1:25"},
         "info: handshake from 192.0.2.1:25 refused: it names no host (no SNI)"},
        {{.kind = LOG_RECORD_UNKNOWN_HOST, .peer = "192.0.2.1:25", .server = "a"},
         "info: handshake from 192.0.2.1:25 refused: the name 'a' is not served here"},
        {{.kind = LOG_RECORD_NO_CERTIFICATE, .peer = "192.0.2.1:25", .server = "a"},
         "warning: handshake from 192.0.2.1:25 refused: no certificate for 'a' can be used; "
         "--test-config says why"},
        {{.kind = LOG_RECORD_LATE_CERTIFICATE, .server = "a"},
         "warning: handshake from a unix socket refused: the certificate for 'a' could not be read "
         "within 2 s: its storage is slow, or hangs"},
        {{.kind = LOG_RECORD_UNTRUSTED, .peer = LOG_RECORD_PEER_UNKNOWN},
         "info: connection from a peer that has reset the connection refused: it is not among "
         "proxy_protocol.trusted"},
        {{.kind = LOG_RECORD_BAD_HEADER, .peer = "192.0.2.1:25", .fault = "no header"},
         "warning: connection from 192.0.2.1:25 refused: expected a PROXY protocol header, because "
         "proxy_protocol is set for this listener; found no header"},
        {{.kind = LOG_RECORD_OTHER_PROTOCOL, .server = "unix:/a", .fault = "b"},
         "warning: connection from a unix socket to unix:/a refused: b"},
        {{.kind = LOG_RECORD_UNSERVED_HOST, .server = "localhost:1\x1b", .status = 404},
         "warning: request from a unix socket answered with 404: Host 'localhost:1\\x1b' is not "
         "served here; a proxy must pass the Host that the sender has sent"},
        {{.kind = LOG_RECORD_UNSERVED_HOST, .peer = "192.0.2.1:25", .status = 404},
         "warning: request from 192.0.2.1:25 answered with 404: it has no Host; a proxy must pass "
         "the Host that the sender has sent"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk desk;
        char seen[65536], want[1024];

        desk_open(&desk, 4, ACCESS_OFF);
        log_ring_push(desk.ring, &rows[i].record);
        log_writer_write(desk.writer, desk.ring);
        read_pipe(desk.log[0], seen);
        desk_close(&desk);
        snprintf(want, sizeof(want), "mta-stsd: %s\n", rows[i].want);
        if (strcmp(seen, want) != 0)
            fail_msg("row %zu: wanted %s, seen %s", i, want, seen);
    }
}

static void test_drops(void **state)
{
    struct desk desk;
    char text[65536];

    (void)state;
    desk_open(&desk, 4, ACCESS_TEXT);
    push(desk.ring, LOG_RECORD_REQUEST, 10);
    log_writer_write(desk.writer, desk.ring);
    assert_int_equal(count_lines(read_pipe(desk.access[0], text)), 4);
    assert_int_equal(log_writer_take_dropped(desk.writer), 6);
    assert_int_equal(log_writer_take_dropped(desk.writer), 0);
    assert_true(log_writer_needs_summary(desk.writer));
    log_writer_summarize(desk.writer);
    assert_string_equal(read_pipe(desk.log[0], text), "mta-stsd: warning: log lines dropped: 6\n");
    desk_close(&desk);
    log_writer_free(NULL);
}

static void test_access_formats(void **state)
{
    struct desk desk;
    char text[65536];

    (void)state;
    desk_open(&desk, 4, ACCESS_TEXT);
    push(desk.ring, LOG_RECORD_REQUEST, 1);
    log_writer_write(desk.writer, desk.ring);
    assert_non_null(strstr(read_pipe(desk.access[0], text), "GET"));
    log_writer_set_access(desk.writer, ACCESS_JSON);
    push(desk.ring, LOG_RECORD_REQUEST, 1);
    log_writer_write(desk.writer, desk.ring);
    assert_int_equal(read_pipe(desk.access[0], text)[0], '{');
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_of_refusals),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_drops),
        cmocka_unit_test(test_access_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
