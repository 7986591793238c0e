/* SPDX-License-Identifier: MIT */
#include "daemon/http/report_handler.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/http/report_limiter.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/mailbox.h"
#include "daemon/worker/request.h"
#include "support/asked.h"

enum {
    BODY_MAX = 100,
};

/* What the keeper of the test does with a job. */
enum keeping {
    KEEP_AT_ONCE,
    KEEP_LATER, /* `held` waits for it */
    KEEP_NONE,  /* there are too many */
};

static struct {
    struct report_intake intake;
    enum keeping keeping;
    enum spool_result result;
    struct report_job *held;
    size_t n_max;
    char seen[512]; /* the last report, as the keeper gets it */
} fake;

static bool fake_keep(void *context, struct report_job *job, size_t n_max)
{
    const struct spool_entry *entry = &job->report.entry;

    (void)context;
    fake.n_max = n_max;
    snprintf(fake.seen, sizeof(fake.seen), "%.*s|%.*s|%.*s|%.*s", SLICE_ARG(entry->host),
             SLICE_ARG(entry->peer), SLICE_ARG(entry->content_type), SLICE_ARG(entry->body));
    if (fake.keeping == KEEP_NONE)
        return false;
    job->report.result = fake.result;
    if (fake.keeping == KEEP_AT_ONCE)
        job->done(job);
    else
        fake.held = job;
    return true;
}

static void release_job(void)
{
    struct report_job *job = fake.held;

    assert_non_null(job);
    fake.held = NULL;
    job->done(job);
}

static int take_request(h2o_handler_t *handler, h2o_req_t *req)
{
    const struct report_request request = {
        .host = slice_of("mta-sts.example.com"), .body_max = BODY_MAX, .connections_max = 100};
    struct connection *connection = connection_of_request(req);

    (void)handler;
    req->http1_is_persistent = 0;
    connection_enter(connection, PHASE_ANSWER);
    report_handler_answer(req, &request, &fake.intake);
    return 0;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    (void)room;
    asked_register(host, take_request);
}

static void start_asking(struct asked *asked)
{
    const struct report_rate wide = {1000, 1000};

    asked_open(asked, set_handlers);
    memset(&fake, 0, sizeof(fake));
    fake.intake = (struct report_intake){
        .keep = fake_keep, .limiter = report_limiter_new(wide, wide), .clock = &asked->room.clock};
}

static void stop_asking(struct asked *asked)
{
    report_limiter_free(fake.intake.limiter);
    asked_close(asked);
}

#define POST(length, body)                                   \
    "POST /tlsrpt HTTP/1.1\r\nHost: mta-sts.example.com\r\n" \
    "Content-Type: application/tlsrpt+json\r\nContent-Length: " length "\r\n\r\n" body

static void test_kept(void **state)
{
    struct asked asked;

    (void)state;
    start_asking(&asked);
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(asked.body, "the report is kept\n");
    assert_string_equal(asked_field(&asked, "retry-after"), "");
    assert_string_equal(fake.seen, "mta-sts.example.com||application/tlsrpt+json|{}");
    assert_int_equal(fake.n_max, 25);
    assert_int_equal(asked.room.metrics.reports[REPORT_KEPT], 1);
    asked_send(&asked, "POST /tlsrpt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(fake.seen, "mta-sts.example.com|||{}");
    stop_asking(&asked);
}

/* Only what cannot be a report is refused: by its first octets, whatever its type says. */
static void test_first_octets(void **state)
{
    static const struct {
        const char *request;
        bool is_taken;
    } rows[] = {
        {POST("1", "{"), true},
        {POST("1", "["), true},
        {POST("6", "\r\n\t  {"), true},
        {POST("4", "\xef\xbb\xbf{"), true},
        {POST("6", "\xef\xbb\xbf \n{"), true},
        {POST("2", "\x1f\x8b"), true},
        {POST("3", "\x1f\x8b\x08"), true},
        {POST("0", ""), false},
        {POST("1", " "), false},
        {POST("1", "\x1f"), false},
        {POST("3", "\xef\xbb\xbf"), false},
        {POST("3", " \x1f\x8b"), false},
        {POST("5", "hello"), false},
        {POST("2", "PK"), false},
        {"POST /tlsrpt HTTP/1.1\r\nHost: a\r\n\r\n", false},
    };
    struct asked asked;

    (void)state;
    start_asking(&asked);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *head = rows[i].is_taken ? "HTTP/1.1 200 OK" : "HTTP/1.1 400 Bad Request";

        asked_send(&asked, rows[i].request);
        if (strcmp(asked.head, head) != 0)
            fail_msg("row %zu: wanted %s, seen %s", i, head, asked.head);
    }
    assert_int_equal(asked.room.metrics.reports[REPORT_REFUSED], 8);
    stop_asking(&asked);
}

static void test_refusals(void **state)
{
    static const struct report_rate one = {1, 1}, wide = {1000, 1000};
    char request[512] = POST("101", "{");
    struct asked asked;

    (void)state;
    start_asking(&asked);
    memset(request + strlen(request), ' ', 100);
    asked_send(&asked, request);
    assert_string_equal(asked.head, "HTTP/1.1 413 Request Entity Too Large");

    fake.result = SPOOL_FULL;
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.head, "HTTP/1.1 503 Service Unavailable");
    assert_string_equal(asked.body, "there is no room for more reports\n");
    assert_string_equal(asked_field(&asked, "retry-after"), "600");

    fake.result = SPOOL_FAILED;
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.body, "the report cannot be kept now\n");

    fake.keeping = KEEP_NONE;
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.head, "HTTP/1.1 503 Service Unavailable");
    assert_string_equal(asked.body, "too many reports wait for the disk\n");

    fake.intake.keep = NULL;
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.body, "the report cannot be kept now\n");

    fake.intake.keep = fake_keep;
    fake.keeping = KEEP_AT_ONCE;
    fake.result = SPOOL_KEPT;
    report_limiter_free(fake.intake.limiter);
    fake.intake.limiter = report_limiter_new(wide, one);
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    asked_send(&asked, POST("2", "{}"));
    assert_string_equal(asked.head, "HTTP/1.1 429 Too Many Requests");
    assert_string_equal(asked_field(&asked, "retry-after"), "60");
    for (int i = 0; i < REPORT_RESULT_COUNT; i++)
        assert_int_equal(asked.room.metrics.reports[i], i == REPORT_FAILED ? 2
                                                        : i == REPORT_LATE || i == REPORT_REFUSED
                                                            ? 0
                                                            : 1);
    stop_asking(&asked);
}

/* Sends a report that the keeper holds. */
static struct connection *post_held(struct asked *asked, int *ret_peer)
{
    struct connection *connection = room_connect(&asked->room, NULL, ret_peer);

    fake.keeping = KEEP_LATER;
    connection_enter(connection, PHASE_REQUEST);
    request_begin(connection);
    room_send(*ret_peer, POST("2", "{}"));
    room_run(&asked->room);
    assert_non_null(fake.held);
    assert_int_equal(connection->phase, PHASE_WAIT);
    return connection;
}

static void assert_answered(struct asked *asked, int peer, const char *head)
{
    char bytes[512];

    room_receive(&asked->room, peer, bytes, sizeof(bytes));
    bytes[strlen(head)] = '\0';
    assert_string_equal(bytes, head);
}

static void test_answer_after_keeping(void **state)
{
    struct asked asked;
    int peer;

    (void)state;
    start_asking(&asked);
    post_held(&asked, &peer);
    assert_false(room_is_ended(peer));
    release_job();
    assert_answered(&asked, peer, "HTTP/1.1 200 OK");
    assert_true(room_is_ended(peer));
    close(peer);
    stop_asking(&asked);
}

/* The disk takes too long: the sender is told, and what comes later is told nobody. */
static void test_late(void **state)
{
    struct asked asked;
    int peer;

    (void)state;
    start_asking(&asked);
    post_held(&asked, &peer);
    asked.room.now_ms += 9999;
    connections_sweep(asked.room.connections);
    room_run(&asked.room);
    assert_false(room_is_ended(peer));
    asked.room.now_ms += 1;
    connections_sweep(asked.room.connections);
    assert_answered(&asked, peer, "HTTP/1.1 503 Service Unavailable");
    assert_true(room_is_ended(peer));
    assert_int_equal(asked.room.metrics.reports[REPORT_LATE], 1);
    release_job();
    room_run(&asked.room);
    assert_int_equal(asked.room.metrics.reports[REPORT_KEPT], 0);
    close(peer);
    stop_asking(&asked);
}

/* The sender goes away before the answer. */
static void test_peer_gone(void **state)
{
    struct asked asked;
    int peer;

    (void)state;
    start_asking(&asked);
    post_held(&asked, &peer);
    close(peer);
    room_run(&asked.room);
    release_job();
    room_run(&asked.room);
    assert_int_equal(connections_count(asked.room.connections), 0);
    stop_asking(&asked);
}

/* The daemon's end does not wait for the disk for ever. */
static void test_drain(void **state)
{
    struct asked asked;
    int peer;

    (void)state;
    start_asking(&asked);
    post_held(&asked, &peer);
    connections_drain(asked.room.connections, asked.room.now_ms + 1000);
    room_run(&asked.room);
    assert_false(room_is_ended(peer));
    asked.room.now_ms += 1000;
    assert_answered(&asked, peer, "HTTP/1.1 503 Service Unavailable");
    assert_int_equal(connections_count(asked.room.connections), 0);
    close(peer);
    stop_asking(&asked);
    release_job(); /* to a worker that has ended */
}

/* A connection that waits makes no room for another one. */
static void test_not_evicted(void **state)
{
    const struct connection_limits one = {1, 1, SIZE_MAX, SIZE_MAX};
    struct asked asked;
    int peer, second;

    (void)state;
    start_asking(&asked);
    post_held(&asked, &peer);
    connections_set_limits(asked.room.connections, &one);
    assert_null(room_connect(&asked.room, NULL, &second));
    close(second);
    release_job();
    assert_answered(&asked, peer, "HTTP/1.1 200 OK");
    close(peer);
    stop_asking(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),     cmocka_unit_test(test_first_octets),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_answer_after_keeping),
        cmocka_unit_test(test_late),     cmocka_unit_test(test_peer_gone),
        cmocka_unit_test(test_drain),    cmocka_unit_test(test_not_evicted),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
