/* SPDX-License-Identifier: MIT */
#include "daemon/worker/read_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/room.h"

static size_t n_taken, n_octets;

static void take_later(struct connection *connection)
{
    n_taken++;
    n_octets = connection->sock->input->size;
}

static void take_line(struct connection *connection)
{
    n_taken++;
    h2o_socket_read_stop(connection->sock);
    h2o_buffer_consume(&connection->sock->input, 5);
    read_stage_begin(connection, take_later);
}

static struct connection *begin(struct room *room, int *ret_peer, read_stage_take *take)
{
    struct connection *connection;

    n_taken = n_octets = 0;
    room_open(room, NULL, NULL);
    connection = room_connect(room, NULL, ret_peer);
    connection_enter(connection, PHASE_REQUEST);
    read_stage_begin(connection, take);
    return connection;
}

/* It is told of what has come, whenever more has; what it leaves stays. */
static void test_take(void **state)
{
    struct room room;
    int peer;

    (void)state;
    begin(&room, &peer, take_later);
    room_run(&room);
    assert_int_equal(n_taken, 0);
    room_send(peer, "abc");
    room_run(&room);
    assert_int_equal(n_taken, 1);
    room_send(peer, "de");
    room_run(&room);
    assert_int_equal(n_taken, 2);
    assert_int_equal(n_octets, 5);
    close(peer);
    room_run(&room);
    assert_int_equal(connections_count(room.connections), 0);
    assert_int_equal(room.metrics.ends[END_PEER], 1);
    room_close(&room);
}

/* The next stage begins with what the one before has left. */
static void test_next_stage(void **state)
{
    struct room room;
    int peer;

    (void)state;
    begin(&room, &peer, take_line);
    room_send(peer, "line\nrest");
    room_run(&room);
    assert_int_equal(n_taken, 2);
    assert_int_equal(n_octets, 4);
    close(peer);
    room_close(&room);
}

/* What still comes for a connection that is ending is nobody's. */
static void test_ending(void **state)
{
    struct room room;
    int peer;

    (void)state;
    connection_end_later(begin(&room, &peer, take_later), END_MEMORY);
    assert_int_equal(connections_count(room.connections), 1);
    room_run(&room);
    assert_int_equal(n_taken, 0);
    assert_int_equal(connections_count(room.connections), 0);
    assert_int_equal(room.metrics.ends[END_MEMORY], 1);
    close(peer);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_next_stage),
        cmocka_unit_test(test_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
