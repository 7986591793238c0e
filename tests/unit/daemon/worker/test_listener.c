/* SPDX-License-Identifier: MIT */
#include "daemon/worker/listener.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <h2o.h>

#include "daemon/net/listen.h"
#include "lib/base/slice.h"

enum {
    ACCEPTS_PER_WAKEUP = 16,
};

/* A listener of a socket on loopback, and what it has accepted. */
struct listening {
    h2o_evloop_t *loop;
    struct listener *listener;
    struct sockaddr_in address;
    unsigned n_accepted;
    bool is_flooded; /* whoever is accepted comes again at once */
};

static int connect_to(const struct listening *listening)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(
        connect(fd, (const struct sockaddr *)&listening->address, sizeof(listening->address)), 0);
    return fd;
}

static void count_accepted(void *context, h2o_socket_t *sock)
{
    struct listening *listening = context;

    listening->n_accepted++;
    h2o_socket_close(sock);
    if (listening->is_flooded)
        close(connect_to(listening));
}

static void listening_open(struct listening *listening)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof(listening->address);

    *listening = (struct listening){
        .loop = h2o_evloop_create(),
        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(fd, (const struct sockaddr *)&listening->address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&listening->address, &len), 0);
    assert_int_equal(listen(fd, LISTEN_BACKLOG), 0);
    listening->listener = listener_open(listening->loop, fd, count_accepted, listening);
}

static void listening_close(struct listening *listening)
{
    listener_close(listening->listener);
    h2o_evloop_destroy(listening->loop);
}

static void connect_and_close(const struct listening *listening, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        close(connect_to(listening));
}

/* One turn of the loop takes a bounded number, the next ones the rest. */
static void test_accepts_by_turns(void **state)
{
    struct listening listening;

    (void)state;
    listening_open(&listening);
    h2o_evloop_run(listening.loop, 0);
    assert_int_equal(listening.n_accepted, 0);
    connect_and_close(&listening, ACCEPTS_PER_WAKEUP + 4);
    h2o_evloop_run(listening.loop, 0);
    assert_int_equal(listening.n_accepted, ACCEPTS_PER_WAKEUP);
    h2o_evloop_run(listening.loop, 0);
    assert_int_equal(listening.n_accepted, ACCEPTS_PER_WAKEUP + 4);
    listening_close(&listening);
    listener_close(NULL);
}

static void test_accept_rest(void **state)
{
    struct listening listening;

    (void)state;
    listening_open(&listening);
    connect_and_close(&listening, ACCEPTS_PER_WAKEUP + 4);
    listener_accept_rest(listening.listener);
    assert_int_equal(listening.n_accepted, ACCEPTS_PER_WAKEUP + 4);
    listener_accept_rest(listening.listener);
    assert_int_equal(listening.n_accepted, ACCEPTS_PER_WAKEUP + 4);
    listening_close(&listening);
}

/* Peers that come faster than they are taken in do not hold up the end. */
static void test_accept_rest_is_bounded(void **state)
{
    struct listening listening;

    (void)state;
    listening_open(&listening);
    listening.is_flooded = true;
    close(connect_to(&listening));
    listener_accept_rest(listening.listener);
    assert_int_equal(listening.n_accepted, LISTEN_BACKLOG + 1);
    listening_close(&listening);
}

/* Without descriptors it sleeps, whatever waits, until it is woken. */
static void test_sleeps_without_descriptors(void **state)
{
    struct listening listening;
    struct rlimit before, none;
    int peers[2];

    (void)state;
    listening_open(&listening);
    peers[0] = connect_to(&listening);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    h2o_evloop_run(listening.loop, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(listening.n_accepted, 0);
    peers[1] = connect_to(&listening);
    for (int i = 0; i < 3; i++)
        h2o_evloop_run(listening.loop, 0);
    assert_int_equal(listening.n_accepted, 0);
    listener_wake(listening.listener);
    h2o_evloop_run(listening.loop, 0);
    /* valgrind counts descriptors by itself, and has closed the first one. */
    assert_in_range(listening.n_accepted, 1, 2);
    listener_wake(listening.listener);
    close(peers[0]);
    close(peers[1]);
    listening_close(&listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_by_turns),
        cmocka_unit_test(test_accept_rest),
        cmocka_unit_test(test_accept_rest_is_bounded),
        cmocka_unit_test(test_sleeps_without_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
