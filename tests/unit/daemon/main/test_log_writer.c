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

/* The log goes to standard error, so each test gives it a pipe of its own. */
struct pipes {
    int log[2], access[2], stderr_before;
};

static void ignore_record(void *context)
{
    (void)context;
}

static void open_pipes(struct pipes *pipes)
{
    assert_int_equal(pipe2(pipes->log, O_NONBLOCK), 0);
    assert_int_equal(pipe2(pipes->access, O_NONBLOCK), 0);
    pipes->stderr_before = dup(STDERR_FILENO);
    dup2(pipes->log[1], STDERR_FILENO);
}

static void close_pipes(struct pipes *pipes)
{
    dup2(pipes->stderr_before, STDERR_FILENO);
    close(pipes->stderr_before);
    for (int i = 0; i < 2; i++) {
        close(pipes->log[i]);
        close(pipes->access[i]);
    }
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
    struct log_ring *ring = log_ring_new(64, &clock_system, ignore_record, NULL);
    struct log_writer *writer = log_writer_new(STDOUT_FILENO, ACCESS_OFF);
    struct pipes pipes;
    char text[65536];

    (void)state;
    open_pipes(&pipes);
    assert_false(log_writer_needs_summary(writer));
    push(ring, LOG_RECORD_UNKNOWN_HOST, 20);
    push(ring, LOG_RECORD_UNSERVED_HOST, 1);
    log_writer_write(writer, ring);
    assert_null(log_ring_peek(ring));
    assert_int_equal(count_lines(read_pipe(pipes.log[0], text)), LOG_WRITER_REFUSALS + 1);
    assert_true(log_writer_needs_summary(writer));
    log_writer_summarize(writer);
    assert_string_equal(read_pipe(pipes.log[0], text),
                        "mta-stsd: info: 15 more connections or requests were refused\n");
    assert_false(log_writer_needs_summary(writer));
    push(ring, LOG_RECORD_UNKNOWN_HOST, 1);
    log_writer_write(writer, ring);
    assert_int_equal(count_lines(read_pipe(pipes.log[0], text)), 1);
    log_writer_summarize(writer);
    assert_string_equal(read_pipe(pipes.log[0], text), "");
    close_pipes(&pipes);
    log_writer_free(writer);
    log_ring_free(ring);
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
        struct log_ring *ring = log_ring_new(4, &clock_system, ignore_record, NULL);
        struct log_writer *writer = log_writer_new(STDOUT_FILENO, ACCESS_OFF);
        struct pipes pipes;
        char seen[65536], want[1024];

        open_pipes(&pipes);
        log_ring_push(ring, &rows[i].record);
        log_writer_write(writer, ring);
        read_pipe(pipes.log[0], seen);
        close_pipes(&pipes);
        snprintf(want, sizeof(want), "mta-stsd: %s\n", rows[i].want);
        if (strcmp(seen, want) != 0)
            fail_msg("row %zu: wanted %s, seen %s", i, want, seen);
        log_writer_free(writer);
        log_ring_free(ring);
    }
}

static void test_drops(void **state)
{
    struct log_ring *ring = log_ring_new(4, &clock_system, ignore_record, NULL);
    struct log_writer *writer;
    struct pipes pipes;
    char text[65536];

    (void)state;
    open_pipes(&pipes);
    writer = log_writer_new(pipes.access[1], ACCESS_TEXT);
    push(ring, LOG_RECORD_REQUEST, 10);
    log_writer_write(writer, ring);
    assert_int_equal(count_lines(read_pipe(pipes.access[0], text)), 4);
    assert_int_equal(log_writer_take_dropped(writer), 6);
    assert_int_equal(log_writer_take_dropped(writer), 0);
    assert_true(log_writer_needs_summary(writer));
    log_writer_summarize(writer);
    assert_string_equal(read_pipe(pipes.log[0], text),
                        "mta-stsd: warning: 6 log lines were dropped\n");
    close_pipes(&pipes);
    log_writer_free(writer);
    log_writer_free(NULL);
    log_ring_free(ring);
}

static void test_access_formats(void **state)
{
    struct log_ring *ring = log_ring_new(4, &clock_system, ignore_record, NULL);
    struct log_writer *writer;
    struct pipes pipes;
    char text[65536];

    (void)state;
    open_pipes(&pipes);
    writer = log_writer_new(pipes.access[1], ACCESS_TEXT);
    push(ring, LOG_RECORD_REQUEST, 1);
    log_writer_write(writer, ring);
    assert_non_null(strstr(read_pipe(pipes.access[0], text), "GET"));
    log_writer_set_access(writer, ACCESS_JSON);
    push(ring, LOG_RECORD_REQUEST, 1);
    log_writer_write(writer, ring);
    assert_int_equal(read_pipe(pipes.access[0], text)[0], '{');
    close_pipes(&pipes);
    log_writer_free(writer);
    log_ring_free(ring);
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
