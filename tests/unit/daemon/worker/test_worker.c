/* SPDX-License-Identifier: MIT */
#include "daemon/worker/worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <h2o.h>

#include "daemon/tls/cert_loader.h"
#include "daemon/tls/cert_store.h"
#include "daemon/worker/connection_counts.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/snapshot.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "support/loaded.h"

/* A worker in its thread, behind an abstract unix socket. */
struct serving {
    struct config *config;
    struct cert_store *store;
    struct cert_loader *loader;
    struct connection_counts *counts;
    struct worker *worker;
    struct sockaddr_un address;
    socklen_t address_len;
    pthread_t thread;
    sem_t swapped;
    unsigned n_registered;
    const struct snapshot *snapshot; /* which the handlers see */
};

static int answer(h2o_handler_t *handler, h2o_req_t *req)
{
    (void)handler;
    req->res.status = 204;
    req->res.reason = "No Content";
    req->http1_is_persistent = 0;
    h2o_send_inline(req, "", 0);
    return 0;
}

static void set_handlers(void *context, h2o_hostconf_t *host, const struct snapshot *snapshot)
{
    struct serving *serving = context;

    serving->n_registered++;
    serving->snapshot = snapshot;
    h2o_create_handler(h2o_config_register_path(host, "/", 0), sizeof(h2o_handler_t))->on_req =
        answer;
}

static void on_swapped(void *context)
{
    struct serving *serving = context;

    sem_post(&serving->swapped);
}

static void on_log_record(void *context)
{
    (void)context;
}

static struct config *load(void)
{
    return loaded_config("domains: {example.com: {mx: [mx.example.com]}}\n"
                         "limits: {memory: 16M}\n");
}

static int listen_abstract(struct serving *serving)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    serving->address.sun_family = AF_UNIX;
    serving->address_len = sizeof(serving->address);
    /* The kernel finds a name. */
    assert_int_equal(bind(fd, (const struct sockaddr *)&serving->address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&serving->address, &serving->address_len),
                     0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static void *run(void *worker)
{
    worker_run(worker);
    return NULL;
}

static void serving_open(struct serving *serving)
{
    struct worker_socket socket = {0};
    struct worker_options options = {.sockets = &socket,
                                     .n_sockets = 1,
                                     .n_workers = 2,
                                     .descriptors_max = 100,
                                     .register_handlers = set_handlers,
                                     .on_swapped = on_swapped,
                                     .on_log_record = on_log_record,
                                     .context = serving};
    struct err err;

    *serving = (struct serving){.config = load(),
                                .store = cert_store_new(NULL, 0, 1, &clock_system, NULL),
                                .loader = cert_loader_new(cert_store_find, 1000),
                                .counts = connection_counts_new(16)};
    socket.fd = listen_abstract(serving);
    options.config = serving->config;
    options.store = serving->store;
    options.loader = serving->loader;
    options.counts = serving->counts;
    sem_init(&serving->swapped, 0, 0);
    assert_int_equal(worker_new(&options, &serving->worker, &err), 0);
}

static void serving_start(struct serving *serving)
{
    assert_int_equal(pthread_create(&serving->thread, NULL, run, serving->worker), 0);
    worker_wait(serving->worker);
}

static void serving_close(struct serving *serving)
{
    worker_free(serving->worker);
    connection_counts_free(serving->counts);
    cert_loader_free(serving->loader);
    cert_store_unref(serving->store);
    config_unref(serving->config);
    sem_destroy(&serving->swapped);
}

static int connect_to(const struct serving *serving)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&serving->address, serving->address_len),
                     0);
    return fd;
}

static void ask(int fd)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", want[] = "HTTP/1.1 204";
    char seen[1000];

    assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    assert_true(recv(fd, seen, sizeof(seen), 0) > (ssize_t)sizeof(want));
    assert_memory_equal(seen, want, sizeof(want) - 1);
    close(fd);
}

/* It serves, from another snapshot when it is told, and takes in what waits before it ends. */
static void test_life(void **state)
{
    struct serving serving;
    struct config *next = load();
    int waiting;

    (void)state;
    serving_open(&serving);
    assert_int_equal(serving.n_registered, 2); /* small bodies and large ones */
    assert_ptr_equal(serving.snapshot->config, serving.config);
    assert_int_equal(worker_metrics(serving.worker)->memory_max, 8 * 1024 * 1024);
    waiting = connect_to(&serving);
    serving_start(&serving);
    ask(waiting);
    worker_swap(serving.worker, next, serving.store);
    while (sem_wait(&serving.swapped) != 0)
        continue;
    assert_ptr_equal(serving.snapshot->config, next);
    config_unref(next);
    waiting = connect_to(&serving);
    worker_drain(serving.worker, 5000);
    ask(waiting);
    pthread_join(serving.thread, NULL);
    assert_int_equal(worker_metrics(serving.worker)->opened, 2);
    assert_true(worker_metrics(serving.worker)->turns > 0);
    assert_non_null(worker_log_ring(serving.worker));
    assert_int_equal(connection_counts_total(serving.counts), 0);
    serving_close(&serving);
}

/* What does not end in time is ended. */
static void test_drain_ends(void **state)
{
    struct serving serving;
    char octet;
    int silent;

    (void)state;
    serving_open(&serving);
    silent = connect_to(&serving);
    serving_start(&serving);
    worker_drain(serving.worker, 0);
    pthread_join(serving.thread, NULL);
    assert_int_equal(recv(silent, &octet, 1, 0), 0);
    assert_int_equal(worker_metrics(serving.worker)->ends[END_DRAINED], 1);
    close(silent);
    serving_close(&serving);
}

/* A worker whose thread was never made. */
static void test_never_run(void **state)
{
    struct serving serving;

    (void)state;
    serving_open(&serving);
    serving_close(&serving);
    worker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_drain_ends),
        cmocka_unit_test(test_never_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
