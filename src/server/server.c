/* SPDX-License-Identifier: MIT */
#include "server/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "http/socket.h"
#include "http/worker.h"
#include "server/internal.h"
#include "tls/store.h"

enum {
    DRAIN_TIMEOUT_MS = 10 * 1000,
    REFRESH_MS = 60 * 1000,
};

static void drain(uv_timer_t *timer)
{
    struct server *server = timer->data;

    server->phase = PHASE_DRAINING;
    log_line(LOG_INFO, "finishing what runs");
    for (size_t i = 0; i < server->n_workers; i++)
        worker_drain(server->workers[i].worker, DRAIN_TIMEOUT_MS);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct server *server = handle->data;

    if (signal_number == SIGHUP) {
        reload_start(server);
        certificates_refresh(server);
        return;
    }
    if (server->phase != PHASE_SERVING) {
        log_line(LOG_WARNING, "ended by a second signal");
        _exit(0);
    }
    server->phase = PHASE_DELAYING;
    atomic_store(&server->is_ending, true);
    uv_timer_start(&server->delay, drain, (uint64_t)server->config->shutdown_delay_s * 1000, 0);
}

static void on_swapped(uv_async_t *handle)
{
    reload_finish(handle->data);
}

static void on_event(uv_async_t *handle)
{
    events_write(handle->data);
}

static void on_refresh(uv_timer_t *timer)
{
    certificates_refresh(timer->data);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void block_signals(sigset_t *ret_before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

/* A worker has left its loop; after the last one nothing keeps the control plane's from ending. */
static void on_ended(uv_async_t *handle)
{
    struct server *server = handle->data;

    if (atomic_load(&server->n_ended) < server->n_workers)
        return;
    /* One that comes after its handler is closed would kill what is about to end well. */
    block_signals(NULL);
    uv_walk(&server->loop, close_handle, NULL);
}

static void notify_swapped(void *context)
{
    struct server *server = context;

    atomic_fetch_add(&server->n_swapped, 1);
    uv_async_send(&server->swapped);
}

static void notify_event(void *context)
{
    struct server *server = context;

    uv_async_send(&server->events);
}

static void *run_worker(void *context)
{
    struct worker_thread *thread = context;
    struct server *server = thread->server;

    worker_run(thread->worker);
    atomic_fetch_add(&server->n_ended, 1);
    uv_async_send(&server->ended);
    return NULL;
}

static size_t count_workers(const struct config *config)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->workers != 0)
        return config->workers;
    return n_cores > 0 ? (size_t)n_cores : 1;
}

/* fds[listener * n_workers + worker]; all of them or none. */
static int open_sockets(struct server *server, struct err *err)
{
    const struct config *config = server->config;

    server->fds = memory_alloc((config->n_listen * server->n_workers + 1) * sizeof(int));
    for (size_t i = 0; i < config->n_listen; i++) {
        const struct listen_address *address = &config->listen[i];
        char name[SOCKET_NAME_MAX];

        if (sockets_open(address, server->fds + i * server->n_workers, server->n_workers, name,
                         err) != 0) {
            while (i-- > 0)
                sockets_close(&config->listen[i], server->fds + i * server->n_workers,
                              server->n_workers);
            return -1;
        }
        log_line(LOG_INFO, "listening on %s (%s)", name, address->has_tls ? "TLS" : "plain");
    }
    return 0;
}

static int make_worker(struct server *server, size_t index, struct err *err)
{
    size_t n_listen = server->config->n_listen;
    int *fds = memory_alloc((n_listen + 1) * sizeof(*fds));
    struct worker_options options = {
        .config = server->config,
        .store = server->store,
        .fds = fds,
        .on_swapped = notify_swapped,
        .on_event = notify_event,
        .context = server,
    };
    int result;

    for (size_t i = 0; i < n_listen; i++)
        fds[i] = server->fds[i * server->n_workers + index];
    server->workers[index].server = server;
    result = worker_new(&options, &server->workers[index].worker, err);
    free(fds);
    return result;
}

/* Signals go to the main thread: h2o's loop takes EINTR for an error. */
static int start_threads(struct server *server, struct err *err)
{
    sigset_t before;
    int reason = 0;

    block_signals(&before);
    for (size_t i = 0; i < server->n_workers && reason == 0; i++) {
        struct worker_thread *thread = &server->workers[i];

        reason = pthread_create(&thread->thread, NULL, run_worker, thread);
        if (reason == 0)
            worker_wait(thread->worker);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason == 0 ? 0 : err_io(err, reason, "a worker's thread cannot be started");
}

static void init_loop(struct server *server)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};

    uv_loop_init(&server->loop);
    uv_async_init(&server->loop, &server->swapped, on_swapped);
    uv_async_init(&server->loop, &server->events, on_event);
    uv_async_init(&server->loop, &server->ended, on_ended);
    uv_timer_init(&server->loop, &server->refresh);
    uv_timer_init(&server->loop, &server->delay);
    server->swapped.data = server->events.data = server->ended.data = server;
    server->refresh.data = server->delay.data = server;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

static int start(struct server *server, struct err *err)
{
    if (open_sockets(server, err) != 0)
        return -1;
    server->workers = memory_alloc(server->n_workers * sizeof(*server->workers));
    memset(server->workers, 0, server->n_workers * sizeof(*server->workers));
    for (size_t i = 0; i < server->n_workers; i++)
        if (make_worker(server, i, err) != 0)
            return -1;
    return start_threads(server, err);
}

static void serve(struct server *server)
{
    sigset_t before;

    log_line(LOG_INFO, "ready: %zu domains, %zu workers", server->config->n_domains,
             server->n_workers);
    /* The first work makes the thread pool, whose threads inherit the mask. */
    block_signals(&before);
    certificates_survey(server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    uv_timer_start(&server->refresh, on_refresh, REFRESH_MS, REFRESH_MS);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < server->n_workers; i++)
        pthread_join(server->workers[i].thread, NULL);
    events_write(server);
}

static void done(struct server *server)
{
    const struct config *config = server->config;

    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    reload_discard(server);
    for (size_t i = 0; i < server->n_workers && server->workers; i++)
        worker_free(server->workers[i].worker);
    for (size_t i = 0; i < config->n_listen && server->workers; i++)
        sockets_close(&config->listen[i], NULL, 0);
    free(server->workers);
    free(server->fds);
    cert_store_unref(server->store);
    config_unref(server->config);
    uv_loop_close(&server->loop);
    /* Joins the thread pool: OpenSSL keeps a little for each thread until the thread ends. */
    uv_library_shutdown();
}

int server_run(struct config *config, const char *config_path, struct err *err)
{
    struct server server = {
        .config_path = config_path,
        .config = config,
        .store = certificates_store(config),
        .n_workers = count_workers(config),
    };
    int result;

    log_set_level(config->log_level);
    init_loop(&server);
    result = start(&server, err);
    if (result == 0)
        serve(&server);
    done(&server);
    return result;
}
