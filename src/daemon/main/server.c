/* SPDX-License-Identifier: MIT */
#include "daemon/main/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/child/spawner.h"
#include "daemon/confine/sandbox.h"
#include "daemon/http/router.h"
#include "daemon/main/end_guard.h"
#include "daemon/main/internal.h"
#include "daemon/main/memory.h"
#include "daemon/main/trial_load.h"
#include "daemon/net/listen.h"
#include "daemon/tls/cert_loader.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/trust_store.h"
#include "daemon/worker/connection_counts.h"
#include "daemon/worker/worker.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

enum {
    DRAIN_TIMEOUT_MS = 10 * 1000,
    REFRESH_MS = 60 * 1000,
    ADMIN_CONNECTIONS = 64,
    MEMORY_AUTO_MAX = 1024 * 1024 * 1024,
    STACK_SIZE = 1024 * 1024,   /* whatever the shell's limit is: h2o copies names to the stack */
    DESCRIPTORS_RESERVED = 128, /* files, pipes, the log, libraries */
};

void server_tell_ready(const struct server *server)
{
    if (server->phase == PHASE_SERVING)
        systemd_notify(server->notify_fd, "READY=1\nSTATUS=serving %zu domains%s",
                       server->config->n_domains,
                       server->tally.is_last_reload_good ? "" : "; the last reload was refused");
}

void server_tell_reloading(const struct server *server)
{
    if (server->phase == PHASE_SERVING)
        systemd_notify_reloading(server->notify_fd);
}

static void drain(uv_timer_t *timer)
{
    struct server *server = timer->data;

    server->phase = PHASE_DRAINING;
    log_line(LOG_INFO, "finishing what runs");
    for (size_t i = 0; i < server->n_threads; i++)
        worker_drain(server->workers[i].worker, DRAIN_TIMEOUT_MS);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct server *server = handle->data;

    if (signal_number == SIGHUP) {
        reload_start(server);
        return;
    }
    if (server->phase != PHASE_SERVING) {
        log_line(LOG_WARNING, "ended by a second signal");
        _exit(0);
    }
    server->phase = PHASE_DELAYING;
    systemd_notify(server->notify_fd, "STOPPING=1\nSTATUS=finishing what runs");
    atomic_store(&server->tally.is_ready, false);
    atomic_store(&server->is_ending, true);
    reload_abandon(server);
    spawner_detach(server->spawner);
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

static void on_spawner_lost(void *context)
{
    (void)context;
    log_line(LOG_WARNING,
             "the process that starts others has ended: reloads go on without a trial "
             "load, and nothing else can be started until the daemon is started again");
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

/* The descriptors themselves are the workers', who have closed them. */
static void remove_socket_files(struct server *server)
{
    const struct config *config = server->config;

    for (size_t i = 0; i < config->n_listen; i++)
        if (!passed_sockets_have(&server->passed, &config->listen[i]))
            sockets_close(&config->listen[i], NULL, 0);
    if (config->admin)
        sockets_close(config->admin, NULL, 0);
    server->has_sockets = false;
}

/*
 * A worker has left its loop; after the last one nothing keeps the control plane's from ending.
 * What matters is done here: a thread of the pool may hang in a read for ever.
 */
static void on_ended(uv_async_t *handle)
{
    struct server *server = handle->data;

    if (atomic_load(&server->n_ended) < server->n_threads)
        return;
    for (size_t i = 0; i < server->n_threads; i++)
        pthread_join(server->workers[i].thread, NULL);
    events_write(server);
    events_summarize(server);
    control_close(server->control);
    remove_socket_files(server);
    /* A signal that comes after its handler is closed would kill what is about to end well. */
    block_signals(NULL);
    uv_walk(&server->loop, close_handle, NULL);
    server->end_guard = end_guard_new(END_GUARD_PATIENCE_MS);
}

static void notify_swapped(void *context)
{
    struct server *server = context;

    atomic_fetch_add(&server->n_swapped, 1);
    uv_async_send(&server->swapped);
}

static void notify_log_record(void *context)
{
    struct server *server = context;

    uv_async_send(&server->events);
}

static void *run_worker(void *context)
{
    struct worker_thread *thread = context;
    struct server *server = thread->server;

    worker_run(thread->worker);
    atomic_store(&thread->has_ended, true);
    atomic_fetch_add(&server->n_ended, 1);
    uv_async_send(&server->ended);
    return NULL;
}

static void register_routes(void *context, struct st_h2o_hostconf_t *host,
                            const struct snapshot *snapshot)
{
    const struct router_options options = {
        .snapshot = snapshot, .print_admin = admin_print, .admin_context = context};

    router_register(host, &options);
}

static size_t count_workers(const struct config *config)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->workers != 0)
        return config->workers;
    return n_cores > 0 ? (size_t)n_cores : 1;
}

static int open_socket(struct server *server, const struct listen_address *address, int *fds,
                       size_t n_fds, char name[SOCKET_NAME_MAX], struct err *err)
{
    struct passed_sockets *passed = &server->passed;

    if (passed_sockets_open(passed, address, fds, n_fds, name, err) != 0)
        return -1;
    if (address->kind != LISTEN_UNIX || passed_sockets_have(passed, address))
        return 0;
    return account_chown(&server->account, address->host, err);
}

/* fds[listener * n_workers + worker]; all of them or none. */
static int open_sockets(struct server *server, struct err *err)
{
    const struct config *config = server->config;

    server->fds = memory_alloc((config->n_listen * server->n_workers + 1) * sizeof(int));
    for (size_t i = 0; i < config->n_listen; i++) {
        const struct listen_address *address = &config->listen[i];
        char name[SOCKET_NAME_MAX];

        if (open_socket(server, address, server->fds + i * server->n_workers, server->n_workers,
                        name, err) != 0) {
            while (i-- > 0)
                sockets_close(&config->listen[i], server->fds + i * server->n_workers,
                              server->n_workers);
            return -1;
        }
        log_line(LOG_INFO, "listening on %s (%s)", name, address->has_tls ? "TLS" : "plain");
    }
    return 0;
}

/* What the workers that serve policies and the admin worker have in common. */
static struct worker_options make_options(struct server *server)
{
    return (struct worker_options){
        .config = server->config,
        .store = server->store,
        .loader = server->reader,
        .memory_auto = server->memory_auto,
        .register_handlers = register_routes,
        .on_swapped = notify_swapped,
        .on_log_record = notify_log_record,
        .context = server,
    };
}

static int make_worker(struct server *server, size_t index, struct err *err)
{
    const struct config *config = server->config;
    struct worker_socket *sockets = memory_alloc((config->n_listen + 1) * sizeof(*sockets));
    struct worker_options options = make_options(server);
    int result;

    options.counts = server->counts;
    options.n_workers = server->n_workers;
    options.descriptors_max = server->descriptors_max;
    options.sockets = sockets;
    options.n_sockets = config->n_listen;
    for (size_t i = 0; i < config->n_listen; i++)
        sockets[i] = (struct worker_socket){
            .fd = server->fds[i * server->n_workers + index],
            .serves = SERVES_POLICIES,
            .has_tls = config->listen[i].has_tls,
            /* A connection with a PROXY protocol header has one client behind it, as any has. */
            .keeps_alive =
                config->listen[i].kind == LISTEN_UNIX && !config->listen[i].has_proxy_protocol,
            .has_proxy_protocol = config->listen[i].has_proxy_protocol,
            .trusted = config->listen[i].trusted,
            .n_trusted = config->listen[i].n_trusted,
        };
    result = worker_new(&options, &server->workers[index].worker, err);
    free(sockets);
    return result;
}

static int make_admin_worker(struct server *server, struct err *err)
{
    const struct listen_address *address = server->config->admin;
    struct worker_socket socket = {.serves = SERVES_ADMIN};
    struct worker_options options = make_options(server);
    char name[SOCKET_NAME_MAX];

    options.counts = server->admin_counts;
    options.n_workers = 1;
    options.descriptors_max = ADMIN_CONNECTIONS;
    options.sockets = &socket;
    options.n_sockets = 1;
    if (open_socket(server, address, &socket.fd, 1, name, err) != 0) {
        err_io(err, err->sys_errno, "admin: '%s' cannot be opened", address->text);
        if (!address->is_default)
            return -1;
        log_line(LOG_WARNING, "%s; health and metrics are not served", err->msg);
        return 0;
    }
    log_line(LOG_INFO, "listening on %s (admin)", name);
    server->n_threads++;
    return worker_new(&options, &server->workers[server->n_workers].worker, err);
}

static void stop_threads(struct server *server, size_t n_threads)
{
    for (size_t i = 0; i < n_threads; i++)
        worker_drain(server->workers[i].worker, 0);
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(server->workers[i].thread, NULL);
}

/* Signals go to the main thread: h2o's loop takes EINTR for an error. */
static int start_threads(struct server *server, struct err *err)
{
    size_t n_started = 0;
    sigset_t before;
    int reason = 0;

    block_signals(&before);
    while (n_started < server->n_threads && reason == 0) {
        struct worker_thread *thread = &server->workers[n_started];

        thread->server = server;
        reason = pthread_create(&thread->thread, NULL, run_worker, thread);
        if (reason == 0) {
            worker_wait(thread->worker);
            n_started++;
        }
    }
    if (reason != 0)
        stop_threads(server, n_started);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason == 0 ? 0 : err_io(err, reason, "a worker's thread cannot be started");
}

/* A descriptor each for connections, and those that the daemon needs to go on when they run out. */
static int raise_descriptors(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    size_t reserve = DESCRIPTORS_RESERVED + server->n_workers * (config->n_listen + 8);
    size_t needed = reserve + server->n_workers; /* a connection each */
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < needed)
        return err_set(err, ERR_LIMIT,
                       "the limit of %zu descriptors is too low: %zu workers and %zu listeners "
                       "need %zu; raise LimitNOFILE= or ulimit -n",
                       (size_t)limit.rlim_max, server->n_workers, config->n_listen, needed);
    server->descriptors_max = limit.rlim_max - reserve;
    if (server->descriptors_max < config->connections_max)
        log_line(LOG_WARNING,
                 "limits.connections is %u, but the limit of %zu descriptors allows %zu; raise "
                 "LimitNOFILE= or ulimit -n",
                 config->connections_max, (size_t)limit.rlim_max, server->descriptors_max);
    return 0;
}

/* Half of the memory is for the connections, the other for configurations and certificates. */
static size_t share_memory(void)
{
    uint64_t half = memory_available("") / 2;

    return half < MEMORY_AUTO_MAX ? (size_t)half : MEMORY_AUTO_MAX;
}

static void init_loop(struct server *server)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    sigset_t held;

    uv_loop_init(&server->loop);
    uv_async_init(&server->loop, &server->swapped, on_swapped);
    uv_async_init(&server->loop, &server->events, on_event);
    uv_async_init(&server->loop, &server->ended, on_ended);
    uv_timer_init(&server->loop, &server->refresh);
    uv_timer_init(&server->loop, &server->delay);
    uv_timer_init(&server->loop, &server->look);
    uv_timer_init(&server->loop, &server->survey_pause);
    uv_timer_init(&server->loop, &server->second);
    server->swapped.data = server->events.data = server->ended.data = server;
    server->refresh.data = server->delay.data = server->look.data = server;
    server->survey_pause.data = server->second.data = server;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    /* Reloads asked for since the start are answered now. */
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

/* Nothing that a peer has sent is looked at before this, and no thread is there yet. */
static int confine(struct server *server, struct err *err)
{
    if (privileges_drop(&server->account, err) != 0)
        return -1;
    if (strcmp(server->config_path, "-") != 0 && access(server->config_path, R_OK) != 0)
        log_line(LOG_WARNING, "'%s' cannot be read by '%s': reloads will be refused",
                 server->config_path, server->account.name);
    server->sandbox = sandbox_enter(server->config, server->config_path, &server->account);
    return 0;
}

/* Before libuv is: a process that is forked after it closes descriptors which it takes for its own.
 */
static int prepare(struct server *server, struct err *err)
{
    if (account_find(server->config->user, &server->account, err) != 0 ||
        passed_sockets_receive(&server->passed, err) != 0)
        return -1;
    if (spawner_new(&server->account, &server->spawner, err) != 0)
        return -1;
    server->trial = trial_load_new(server->spawner, server->config_path);
    return 0;
}

/*
 * Of all threads, whatever the shell's limit is: a small one must not be the end of a worker, and a
 * large one, for each thread, not that of a small container. libuv goes by the limit itself.
 */
static void set_stack_sizes(void)
{
    pthread_attr_t attributes;
    struct rlimit limit;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = limit.rlim_max < STACK_SIZE ? limit.rlim_max : STACK_SIZE;
    setrlimit(RLIMIT_STACK, &limit);
}

static int start(struct server *server, struct err *err)
{
    set_stack_sizes();
    server->notify_fd = systemd_notify_open();
    if (control_open(server, err) != 0 || open_sockets(server, err) != 0)
        return -1;
    server->n_threads = server->n_workers;
    server->counts = connection_counts_new(server->config->connections_max);
    server->admin_counts = connection_counts_new(ADMIN_CONNECTIONS);
    server->workers = memory_alloc((server->n_workers + 1) * sizeof(*server->workers));
    memset(server->workers, 0, (server->n_workers + 1) * sizeof(*server->workers));
    server->has_sockets = true;
    for (size_t i = 0; i < server->n_workers; i++)
        if (make_worker(server, i, err) != 0)
            return -1;
    if (server->config->admin && make_admin_worker(server, err) != 0)
        return -1;
    if (passed_sockets_check(&server->passed, err) != 0 || confine(server, err) != 0)
        return -1;
    return start_threads(server, err);
}

static void serve(struct server *server)
{
    sigset_t before;

    reload_note_success(server);
    atomic_store(&server->tally.is_ready, true);
    log_line(LOG_INFO, "ready: %zu domains, %zu workers", server->config->n_domains,
             server->n_workers);
    server_tell_ready(server);
    spawner_attach(server->spawner, &server->loop, on_spawner_lost, server);
    /* The first work makes the thread pool, whose threads inherit the mask. */
    block_signals(&before);
    survey_start(server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    uv_timer_start(&server->refresh, on_refresh, REFRESH_MS, REFRESH_MS);
    liveness_start(server);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

static void done(struct server *server)
{
    control_close(server->control);
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    reload_discard(server);
    for (size_t i = 0; i < server->n_threads && server->workers; i++)
        worker_free(server->workers[i].worker);
    if (server->has_sockets)
        remove_socket_files(server);
    free(server->workers);
    connection_counts_free(server->counts);
    connection_counts_free(server->admin_counts);
    free(server->fds);
    control_free(server->control);
    trial_load_free(server->trial);
    spawner_free(server->spawner);
    if (cert_loader_free(server->reader) != 0) {
        log_line(LOG_WARNING, "ended while the read of a certificate hangs");
        _exit(0); /* exit() would take OpenSSL away from under that read */
    }
    sandbox_free(server->sandbox);
    if (server->notify_fd >= 0)
        close(server->notify_fd);
    cert_store_unref(server->store);
    trust_store_free(server->trust);
    config_unref(server->config);
    uv_loop_close(&server->loop);
    /* Joins the thread pool: OpenSSL keeps a little for each thread until the thread ends. */
    uv_library_shutdown();
    end_guard_free(server->end_guard);
}

int server_run(struct config *config, const char *config_path, struct err *err)
{
    struct server server = {
        .config_path = config_path,
        .config = config,
        .n_workers = count_workers(config),
        .memory_auto = share_memory(),
        .notify_fd = -1,
    };
    int result;

    log_set_level(config->log_level);
    /* Before all that takes descriptors: libraries abort, or worse, where they get none. */
    if (raise_descriptors(&server, err) != 0) {
        config_unref(config);
        return -1;
    }
    server.trust = trust_store_new();
    server.store = certificates_store(config, server.trust);
    server.reader = cert_loader_new(cert_store_find, CERT_LOADER_TIMEOUT_MS);
    result = prepare(&server, err);
    init_loop(&server);
    if (result == 0)
        result = start(&server, err);
    if (result == 0)
        serve(&server);
    done(&server);
    return result;
}
