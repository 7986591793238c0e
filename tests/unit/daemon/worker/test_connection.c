/* SPDX-License-Identifier: MIT */
#include "daemon/worker/connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/connection_counts.h"
#include "lib/base/slice.h"
#include "support/room.h"

enum {
    WORKERS = 8,
    UNLIMITED = 1000000,
    ADDRESSES_MAX = 32,
};

static struct connection_limits limits_of(size_t connections_max, size_t per_client_max)
{
    return (struct connection_limits){connections_max, per_client_max, UNLIMITED, UNLIMITED};
}

static void set_limits(struct room *room, size_t connections_max, size_t per_client_max)
{
    struct connection_limits limits = limits_of(connections_max, per_client_max);

    connections_set_limits(room->connections, &limits);
}

/* Opens a connection that awaits its request; returns the peer. */
static int open_one(struct room *room, const char *address)
{
    int peer;
    struct connection *connection = room_connect(room, address, &peer);

    if (connection)
        connection_enter(connection, PHASE_REQUEST);
    return peer;
}

static void close_all(const int *peers, size_t n_peers)
{
    for (size_t i = 0; i < n_peers; i++)
        close(peers[i]);
}

/* Each phase ends at its deadline and no millisecond before. */
static void test_deadlines(void **state)
{
    static const struct {
        enum connection_phase phase;
        uint64_t ms;
        enum end_reason reason;
    } rows[] = {
        {PHASE_HEADER, 5000, END_HANDSHAKE}, {PHASE_HANDSHAKE, 5000, END_HANDSHAKE},
        {PHASE_REQUEST, 5000, END_REQUEST},  {PHASE_BODY, 30000, END_REQUEST},
        {PHASE_ANSWER, 10000, END_ANSWER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct room room;
        int peer;

        room_open(&room, NULL, NULL);
        connection_enter(room_connect(&room, NULL, &peer), rows[i].phase);
        room.now_ms += rows[i].ms - 1;
        assert_true(connections_sweep(room.connections));
        assert_int_equal(connections_count(room.connections), 1);
        room.now_ms++;
        assert_true(connections_sweep(room.connections));
        assert_true(room_is_ended(peer));
        if (room.metrics.ends[rows[i].reason] != 1 || connections_count(room.connections) != 0)
            fail_msg("row %zu: its deadline has not ended it", i);
        close(peer);
        room_close(&room);
    }
}

/* So many are overdue that more than one sweep is needed. */
static void test_sweep_by_parts(void **state)
{
    int peers[100];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        peers[i] = open_one(&room, NULL);
    room.now_ms += 5000;
    assert_false(connections_sweep(room.connections));
    assert_int_equal(connections_count(room.connections), 100 - 64);
    assert_true(room_is_ended(peers[63]));
    assert_false(room_is_ended(peers[64]));
    assert_true(connections_sweep(room.connections));
    assert_int_equal(connections_count(room.connections), 0);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* At the cap the oldest goes, but not one that is being answered; without one, the new one does. */
static void test_eviction_order(void **state)
{
    struct connection *answering;
    int peers[6];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    set_limits(&room, 3, UNLIMITED);
    answering = room_connect(&room, NULL, &peers[0]);
    connection_enter(answering, PHASE_ANSWER);
    peers[1] = open_one(&room, NULL);
    peers[2] = open_one(&room, NULL);
    peers[3] = open_one(&room, NULL);
    assert_true(room_is_ended(peers[1]));
    peers[4] = open_one(&room, NULL);
    assert_true(room_is_ended(peers[2]));
    assert_int_equal(room.metrics.ends[END_EVICTED], 2);
    assert_false(room_is_ended(peers[0]) || room_is_ended(peers[3]) || room_is_ended(peers[4]));
    assert_int_equal(connection_counts_total(room.counts), 3);
    set_limits(&room, 1, UNLIMITED);
    assert_int_equal(connections_count(room.connections), 3); /* nobody goes before the next one */
    room.now_ms += 5000;
    connections_sweep(room.connections);
    assert_null(room_connect(&room, NULL, &peers[5]));
    assert_true(room_is_ended(peers[5]));
    assert_int_equal(room.metrics.ends[END_REFUSED], 1);
    assert_int_equal(connection_counts_total(room.counts), 1);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* Of a client at its cap, the oldest connection goes for the new one; others' stay. */
static void test_client_cap(void **state)
{
    int peers[5];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    set_limits(&room, UNLIMITED, 2);
    peers[0] = open_one(&room, "192.0.2.2");
    peers[1] = open_one(&room, "192.0.2.1");
    peers[2] = open_one(&room, "192.0.2.1");
    peers[3] = open_one(&room, NULL);
    peers[4] = open_one(&room, "192.0.2.1");
    assert_true(room_is_ended(peers[1]));
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        assert_true(i == 1 || !room_is_ended(peers[i]));
    assert_int_equal(room.metrics.ends[END_EVICTED], 1);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* Several workers that count together. */
struct workers {
    struct connection_counts *counts;
    struct room rooms[WORKERS];
};

static void workers_open(struct workers *workers, size_t connections_max, size_t per_client_max)
{
    workers->counts = connection_counts_new(connections_max);
    for (size_t i = 0; i < WORKERS; i++) {
        room_open(&workers->rooms[i], workers->counts, NULL);
        set_limits(&workers->rooms[i], connections_max, per_client_max);
    }
}

static void workers_close(struct workers *workers)
{
    for (size_t i = 0; i < WORKERS; i++)
        room_close(&workers->rooms[i]);
    assert_int_equal(connection_counts_total(workers->counts), 0);
    connection_counts_free(workers->counts);
}

static uint64_t workers_ended(const struct workers *workers, enum end_reason reason)
{
    uint64_t n_ended = 0;

    for (size_t i = 0; i < WORKERS; i++)
        n_ended += workers->rooms[i].metrics.ends[reason];
    return n_ended;
}

/* A client's cap holds for all workers together, however its connections are spread. */
static void test_client_cap_of_all_workers(void **state)
{
    static const struct {
        size_t n_connections, n_workers; /* that they go to, in turn */
        uint64_t evicted, refused;
    } rows[] = {
        {12, 1, 0, 0}, {12, 3, 0, 0}, {16, 1, 0, 0}, {16, 8, 0, 0}, {17, 1, 1, 0}, {24, 8, 8, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int peers[ADDRESSES_MAX];
        struct workers workers;

        workers_open(&workers, UNLIMITED, 16);
        for (size_t n = 0; n < rows[i].n_connections; n++)
            peers[n] = open_one(&workers.rooms[n % rows[i].n_workers], "192.0.2.1");
        if (workers_ended(&workers, END_EVICTED) != rows[i].evicted ||
            workers_ended(&workers, END_REFUSED) != rows[i].refused)
            fail_msg("row %zu: wanted %d evicted and %d refused, seen %d and %d", i,
                     (int)rows[i].evicted, (int)rows[i].refused,
                     (int)workers_ended(&workers, END_EVICTED),
                     (int)workers_ended(&workers, END_REFUSED));
        close_all(peers, rows[i].n_connections);
        workers_close(&workers);
    }
}

/* A worker that has none of the client's connections refuses it; others are let in there. */
static void test_client_without_victim(void **state)
{
    int peers[5];
    struct workers workers;

    (void)state;
    workers_open(&workers, UNLIMITED, 2);
    peers[0] = open_one(&workers.rooms[0], "192.0.2.1");
    peers[1] = open_one(&workers.rooms[0], "192.0.2.1");
    peers[2] = open_one(&workers.rooms[1], "192.0.2.1");
    peers[3] = open_one(&workers.rooms[1], "192.0.2.2");
    assert_true(room_is_ended(peers[2]));
    assert_false(room_is_ended(peers[0]) || room_is_ended(peers[1]) || room_is_ended(peers[3]));
    assert_int_equal(workers_ended(&workers, END_REFUSED), 1);
    close(peers[0]);
    room_run(&workers.rooms[0]);
    /* Nobody reads from these connections, so nobody has seen that: the deadline does. */
    workers.rooms[0].now_ms += 5000;
    connections_sweep(workers.rooms[0].connections);
    peers[4] = open_one(&workers.rooms[1], "192.0.2.1");
    assert_false(room_is_ended(peers[4]));
    close_all(peers + 1, 4);
    workers_close(&workers);
}

/* A client that was evicted too often is refused by every worker, also when it has left. */
static void test_barred(void **state)
{
    struct workers workers;
    int peer;

    (void)state;
    workers_open(&workers, UNLIMITED, 1);
    for (size_t i = 0; i <= 64; i++)
        close(open_one(&workers.rooms[0], "192.0.2.1"));
    assert_int_equal(workers_ended(&workers, END_EVICTED), 64);
    workers.rooms[0].now_ms += 4999;
    workers.rooms[1].now_ms += 4999;
    close(open_one(&workers.rooms[1], "192.0.2.1"));
    assert_int_equal(workers_ended(&workers, END_REFUSED), 1);
    workers.rooms[0].now_ms++;
    workers.rooms[1].now_ms++;
    connections_sweep(workers.rooms[0].connections);
    assert_int_equal(connection_counts_total(workers.counts), 0);
    peer = open_one(&workers.rooms[1], "192.0.2.1");
    assert_false(room_is_ended(peer));
    close(peer);
    workers_close(&workers);
}

/* The cap over all holds for all workers together; a worker without any takes one beyond it. */
static void test_cap_of_all_workers(void **state)
{
    int peers[7];
    struct workers workers;
    struct room *full = &workers.rooms[0], *empty = &workers.rooms[1];

    (void)state;
    workers_open(&workers, 4, UNLIMITED);
    for (size_t i = 0; i < 4; i++)
        peers[i] = open_one(full, NULL);
    assert_int_equal(workers_ended(&workers, END_EVICTED), 0);
    peers[4] = open_one(empty, NULL);
    assert_int_equal(workers_ended(&workers, END_EVICTED), 0);
    assert_int_equal(connection_counts_total(workers.counts), 5);
    connections_sweep(full->connections); /* which ends one for it, and no more */
    connections_sweep(full->connections);
    assert_true(room_is_ended(peers[0]));
    assert_false(room_is_ended(peers[1]));
    assert_int_equal(connection_counts_total(workers.counts), 4);
    peers[5] = open_one(empty, NULL);
    assert_true(room_is_ended(peers[4])); /* it has one to end now */
    assert_int_equal(connection_counts_total(workers.counts), 4);
    connections_sweep(full->connections);
    peers[6] = open_one(full, NULL);
    assert_true(room_is_ended(peers[1]));
    assert_int_equal(workers_ended(&workers, END_EVICTED), 3);
    assert_int_equal(workers_ended(&workers, END_REFUSED), 0);
    close_all(peers, ARRAY_LEN(peers));
    workers_close(&workers);
}

/* What a proxy's connection counts for is its client, once that is known. */
static void test_set_client(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    struct connection *connection;
    int peers[3];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    set_limits(&room, UNLIMITED, 1);
    peers[0] = open_one(&room, "192.0.2.1");
    connection = room_connect(&room, NULL, &peers[1]);
    assert_true(connection_set_client(connection, (struct sockaddr *)&address, sizeof(address)));
    assert_true(room_is_ended(peers[0]));
    connection_enter(connection, PHASE_ANSWER);
    connection = room_connect(&room, NULL, &peers[2]);
    assert_false(connection_set_client(connection, (struct sockaddr *)&address, sizeof(address)));
    connection_end_now(connection, END_REFUSED);
    assert_true(room_is_ended(peers[2]));
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* The handshake's time is over once, and its request's begins. */
static void test_handshake_done(void **state)
{
    struct connection *connection;
    struct room room;
    int peer;

    (void)state;
    room_open(&room, NULL, NULL);
    connection = room_connect(&room, NULL, &peer);
    connection_enter(connection, PHASE_HANDSHAKE);
    room.now_ms += 4000;
    connection_handshake_done(connection);
    assert_true(connection->is_in_turn_end);
    connections_end_turn(room.connections);
    assert_false(connection->is_in_turn_end);
    room.now_ms += 4000;
    connection_handshake_done(connection);
    assert_int_equal(room.metrics.handshakes[HANDSHAKE_OK], 1);
    room.now_ms += 999;
    connections_sweep(room.connections);
    assert_false(room_is_ended(peer));
    room.now_ms++;
    connections_sweep(room.connections);
    assert_int_equal(room.metrics.ends[END_REQUEST], 1);
    assert_int_equal(room.metrics.handshakes[HANDSHAKE_FAILED], 0);
    close(peer);
    room_close(&room);
}

/* After close_notify no request can come; one that has come is answered. */
static void test_close_notified(void **state)
{
    struct connection *asking, *answering;
    int peers[2];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    asking = room_connect(&room, NULL, &peers[0]);
    connection_enter(asking, PHASE_REQUEST);
    answering = room_connect(&room, NULL, &peers[1]);
    connection_enter(answering, PHASE_ANSWER);
    connection_close_notified(asking);
    connection_close_notified(answering);
    assert_false(room_is_ended(peers[0]));
    connections_end_turn(room.connections);
    assert_true(room_is_ended(peers[0]));
    assert_false(room_is_ended(peers[1]));
    assert_int_equal(room.metrics.ends[END_PEER], 1);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* The last request is here: nothing is left to acknowledge. */
static void test_cork(void **state)
{
    struct connection *connection;
    struct room room;
    int peer;

    (void)state;
    room_open(&room, NULL, NULL);
    connection = room_connect(&room, NULL, &peer);
    connection_enter(connection, PHASE_HANDSHAKE);
    connection_handshake_done(connection);
    connection_cork(connection);
    assert_false(connection->is_in_turn_end);
    close(peer);
    room_close(&room);
}

/* The drain's end comes once, and takes nobody's reason. */
static void test_drain(void **state)
{
    struct connection *early, *late;
    int peers[2];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    early = room_connect(&room, NULL, &peers[0]);
    late = room_connect(&room, NULL, &peers[1]);
    connection_enter(early, PHASE_ANSWER);
    connection_enter(late, PHASE_ANSWER);
    early->is_handed_over = late->is_handed_over = true; /* h2o would close them */
    connections_drain(room.connections, room.now_ms + 100);
    assert_true(connections_is_draining(room.connections));
    connection_end(early, END_MEMORY);
    room.now_ms += 99;
    connections_end_turn(room.connections);
    assert_false(room_is_ended(peers[1]));
    room.now_ms++;
    connections_end_turn(room.connections);
    connections_end_turn(room.connections);
    assert_true(room_is_ended(peers[1]));
    assert_int_equal(early->end_reason, END_MEMORY);
    assert_int_equal(late->end_reason, END_DRAINED);
    assert_int_equal(connections_count(room.connections), 2);
    assert_int_equal(connection_counts_total(room.counts), 0);
    h2o_socket_close(early->sock);
    h2o_socket_close(late->sock);
    assert_int_equal(room.metrics.ends[END_MEMORY], 1);
    assert_int_equal(room.metrics.ends[END_DRAINED], 1);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* A proxy's connection that waits for another request ends with the drain, an unused one later. */
static void test_drain_of_a_proxy(void **state)
{
    struct connection *used;
    char octet;
    int peers[2];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    used = room_connect(&room, NULL, &peers[0]);
    connection_enter(used, PHASE_REQUEST);
    used->n_requests = 1;
    peers[1] = open_one(&room, NULL);
    connections_drain(room.connections, room.now_ms + 100);
    assert_int_equal(recv(h2o_socket_get_fd(used->sock), &octet, 1, MSG_DONTWAIT), 0);
    assert_int_equal(connections_count(room.connections), 2);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* Beyond the memory the largest goes, also if it is the one that grows. */
static void test_memory(void **state)
{
    const struct connection_limits limits = {UNLIMITED, UNLIMITED, 100000, UNLIMITED};
    struct connection *small, *large;
    int peers[2];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    connections_set_limits(room.connections, &limits);
    assert_int_equal(room.metrics.memory_max, 100000);
    small = room_connect(&room, NULL, &peers[0]);
    connection_enter(small, PHASE_REQUEST);
    large = room_connect(&room, NULL, &peers[1]);
    connection_enter(large, PHASE_REQUEST);
    connection_hold(large, 90000);
    connection_hold(small, 10000);
    connections_end_turn(room.connections);
    assert_int_equal(room.metrics.memory_bytes, 100000);
    connection_hold(small, 10001);
    assert_true(room_is_ended(peers[1]));
    assert_int_equal(room.metrics.ends[END_MEMORY], 1);
    connection_hold(small, 100001);
    assert_true(small->is_ending); /* from within its own callback it ends later */
    assert_int_equal(connections_count(room.connections), 1);
    connections_end_turn(room.connections);
    assert_int_equal(room.metrics.memory_bytes, 0);
    h2o_socket_close(small->sock);
    assert_int_equal(room.metrics.ends[END_MEMORY], 2);
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/*
 * All requests with a body have a part of the memory: those that are slow to come make room for
 * others, the oldest first. Those without are let through.
 */
static void test_slow_bodies(void **state)
{
    const struct connection_limits limits = {UNLIMITED, UNLIMITED, UNLIMITED, 1000};
    static const size_t bodies[] = {400, 600, 500, 400, 0};
    int peers[ARRAY_LEN(bodies)];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    connections_set_limits(room.connections, &limits);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct connection *connection = room_connect(&room, NULL, &peers[i]);

        connection_enter(connection, i == 0 ? PHASE_REQUEST : PHASE_BODY);
        connection_hand_over(connection, bodies[i]);
    }
    room_run(&room);
    assert_int_equal(room.metrics.ends[END_EVICTED], 2);
    assert_int_equal(room.metrics.ends[END_MEMORY], 0);
    assert_true(room_is_ended(peers[0]));
    assert_true(room_is_ended(peers[1]));
    assert_false(room_is_ended(peers[2]));
    assert_false(room_is_ended(peers[3]));
    assert_false(room_is_ended(peers[4]));
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

/* Those that end in one turn still hold their memory: at twice the limit no other body is let in.
 */
static void test_bodies_of_one_turn(void **state)
{
    const struct connection_limits limits = {UNLIMITED, UNLIMITED, UNLIMITED, 1000};
    int peers[4];
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    connections_set_limits(room.connections, &limits);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        struct connection *connection = room_connect(&room, NULL, &peers[i]);

        connection_enter(connection, PHASE_BODY);
        connection_hand_over(connection, 1000);
        assert_int_equal(room.metrics.ends[END_MEMORY], i < 2 ? 0 : i - 1);
    }
    close_all(peers, ARRAY_LEN(peers));
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_sweep_by_parts),
        cmocka_unit_test(test_eviction_order),
        cmocka_unit_test(test_client_cap),
        cmocka_unit_test(test_client_cap_of_all_workers),
        cmocka_unit_test(test_client_without_victim),
        cmocka_unit_test(test_barred),
        cmocka_unit_test(test_cap_of_all_workers),
        cmocka_unit_test(test_set_client),
        cmocka_unit_test(test_handshake_done),
        cmocka_unit_test(test_close_notified),
        cmocka_unit_test(test_cork),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_of_a_proxy),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_slow_bodies),
        cmocka_unit_test(test_bodies_of_one_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
