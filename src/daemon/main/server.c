/* SPDX-License-Identifier: MIT */
#include "daemon/main/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/confine/privileges.h"
#include "daemon/confine/sandbox.h"
#include "daemon/control/control_server.h"
#include "daemon/http/challenge_reader.h"
#include "daemon/http/router.h"
#include "daemon/main/admin_pages.h"
#include "daemon/main/cert_refresh.h"
#include "daemon/main/cert_scan.h"
#include "daemon/main/control_commands.h"
#include "daemon/main/end_guard.h"
#include "daemon/main/listen_sockets.h"
#include "daemon/main/liveness.h"
#include "daemon/main/log_pump.h"
#include "daemon/main/log_writer.h"
#include "daemon/main/memory.h"
#include "daemon/main/process_limits.h"
#include "daemon/main/readiness.h"
#include "daemon/main/reload.h"
#include "daemon/main/report_service.h"
#include "daemon/main/server_stats.h"
#include "daemon/main/signals.h"
#include "daemon/main/started_programs.h"
#include "daemon/main/state_keeper.h"
#include "daemon/main/store_maker.h"
#include "daemon/main/systemd.h"
#include "daemon/main/trial_load.h"
#include "daemon/main/watchdog.h"
#include "daemon/main/worker_setup.h"
#include "daemon/main/worker_threads.h"
#include "daemon/tls/cert_loader.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/trust_store.h"
#include "daemon/worker/connection_counts.h"
#include "daemon/worker/worker.h"
#include "lib/acme/challenge.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/config/load.h"

enum {
    DRAIN_TIMEOUT_MS = 10 * 1000,
};

struct server {
    uv_loop_t loop;
    uv_async_t swapped, ended;
    uv_timer_t delay, look;
    bool is_ending;

    const char *config_path;
    struct config *config; /* that serves, and its store */
    struct cert_store *store;
    struct store_maker maker;
    struct account account;
    struct listen_sockets *sockets;
    size_t n_workers;       /* that serve policies; the admin worker comes after them */
    size_t descriptors_max; /* for connections */
    struct cert_loader *loader;
    struct challenge_reader *challenges; /* NULL: no certificates are ordered */
    struct connection_counts *counts, *admin_counts;
    const struct metrics **metrics; /* of the workers that serve policies */
    struct worker_threads *threads;
    atomic_size_t n_swapped;

    struct server_stats stats;
    struct readiness *readiness;
    struct admin_pages pages;
    struct control_commands commands;
    struct sandbox *sandbox; /* NULL: any file may be read */
    struct state_keeper *keeper;
    struct started_programs *programs;
    struct signals *signals;
    struct reload *reload;
    struct control_server *control;
    struct cert_scan *scan;
    struct cert_refresh *refresh;
    struct liveness *liveness;
    struct log_writer *log;
    struct log_pump *log_pump;
    struct end_guard *end_guard;
};

static void set_serving(struct server *server)
{
    readiness_set_serving(server->readiness, server->config->n_domains,
                          server->stats.is_last_reload_good ? "" : "; the last reload was refused");
}

static struct cert_store *make_store(void *context, const struct config *config)
{
    struct server *server = context;

    return store_maker_make(&server->maker, config);
}

/* In the thread pool. */
static void record_config(void *context, const struct config *config)
{
    struct server *server = context;

    state_keeper_record(server->keeper, config);
}

static struct ledger *read_ledger(void *context)
{
    struct server *server = context;

    return state_keeper_read(server->keeper);
}

/* In the scan's thread. */
static void on_fetchable(void *context, struct config *config, const size_t *domains,
                         size_t n_domains)
{
    struct server *server = context;

    state_keeper_mark_fetchable(server->keeper, config, domains, n_domains);
    started_programs_take_fetchable(server->programs);
}

static void serve_config(void *context, struct config *config, struct cert_store *store)
{
    struct server *server = context;

    /* The workers have let go of the old one, so it is here that its memory is given back. */
    config_unref(server->config);
    cert_store_unref(server->store);
    server->config = config;
    server->store = store;
    log_set_level(config->log_level);
    log_writer_set_access(server->log, config->access);
    server_stats_set_config(&server->stats, config, clock_system.unix_s(&clock_system));
    server_stats_count_reload(&server->stats);
    control_server_renew(server->control);
    cert_scan_start(server->scan, config, store);
    started_programs_take_config(server->programs);
}

static void find_current(void *context, struct config **ret_config, struct cert_store **ret_store)
{
    struct server *server = context;

    *ret_config = server->config;
    *ret_store = server->store;
}

static void on_reload_begun(void *context)
{
    struct server *server = context;

    readiness_set_reloading(server->readiness);
    cert_scan_hold(server->scan);
    /* A renewal's hook asks for nothing but this. */
    cert_refresh_start(server->refresh);
}

static void on_reload_ended(void *context, enum reload_outcome outcome, const char *text)
{
    struct server *server = context;

    if (outcome != RELOAD_GOOD)
        server_stats_count_refusal(&server->stats);
    started_programs_take_reload(server->programs, outcome == RELOAD_GOOD ? NULL : text);
    set_serving(server);
    cert_scan_resume(server->scan);
}

static void swap_workers(void *context, struct config *config, struct cert_store *store)
{
    struct server *server = context;

    atomic_store(&server->n_swapped, 0);
    worker_threads_swap(server->threads, config, store);
}

static void start_trial(void *context, trial_load_done *done, void *done_context)
{
    struct server *server = context;

    trial_load_start(started_programs_trial(server->programs), done, done_context);
}

static void cancel_trial(void *context)
{
    struct server *server = context;

    trial_load_cancel(started_programs_trial(server->programs));
}

static void on_swapped(uv_async_t *handle)
{
    struct server *server = handle->data;

    if (atomic_load(&server->n_swapped) == worker_threads_count(server->threads))
        reload_finish(server->reload);
}

static void on_look(uv_timer_t *timer)
{
    struct server *server = timer->data;

    atomic_store(&server->stats.n_loops_stalled, liveness_look(server->liveness));
    readiness_tell_alive(server->readiness);
}

static void on_certificates_scanned(void *context, const struct cert_counts *counts)
{
    struct server *server = context;

    server_stats_set_certificates(&server->stats, counts);
    started_programs_take_certificates(server->programs);
}

static void on_certificate_seen(void *context, const char *host, const struct cert_state *state)
{
    struct server *server = context;

    started_programs_take_certificate(server->programs, host, state);
}

static void on_certificate_installed(void *context)
{
    struct server *server = context;

    cert_refresh_start(server->refresh);
}

static void on_delay_over(uv_timer_t *timer)
{
    struct server *server = timer->data;

    log_line(LOG_INFO, "shutting down, waiting for open connections");
    worker_threads_drain(server->threads, DRAIN_TIMEOUT_MS);
}

static void take_signal(void *context, int signal_number)
{
    struct server *server = context;

    if (signal_number == SIGHUP) {
        reload_request(server->reload, RELOAD_GUARDED, NULL, NULL);
        return;
    }
    if (server->is_ending) {
        log_line(LOG_WARNING, "ended by a second signal");
        _exit(0);
    }
    server->is_ending = true;
    readiness_set_stopping(server->readiness);
    cert_scan_stop(server->scan);
    reload_stop(server->reload);
    started_programs_stop(server->programs);
    uv_timer_start(&server->delay, on_delay_over, (uint64_t)server->config->shutdown_delay_s * 1000,
                   0);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/*
 * A worker has left its loop; after the last one nothing keeps the control plane's from ending.
 * What matters is done here: a thread of the pool may hang in a read for ever.
 */
static void on_ended(uv_async_t *handle)
{
    struct server *server = handle->data;

    if (!worker_threads_have_ended(server->threads))
        return;
    worker_threads_join(server->threads);
    on_swapped(&server->swapped); /* a last swap may not have been noticed yet */
    log_pump_finish(server->log_pump);
    control_server_close(server->control);
    listen_sockets_remove_files(server->sockets, server->config);
    /* A signal that comes after its handler is closed would kill what is about to end well. */
    signals_block(NULL);
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

    log_pump_notify(server->log_pump);
}

static void notify_ended(void *context)
{
    struct server *server = context;

    uv_async_send(&server->ended);
}

static void register_routes(void *context, struct st_h2o_hostconf_t *host,
                            const struct snapshot *snapshot)
{
    struct server *server = context;
    const struct router_options options = {
        .snapshot = snapshot,
        .challenges = server->challenges,
        .print_admin = admin_pages_print,
        .admin_context = &server->pages,
        .intake = report_service_intake(started_programs_reports(server->programs)),
    };

    router_register(host, &options);
}

static int add_workers(struct server *server, struct err *err)
{
    const struct worker_options common = {
        .config = server->config,
        .store = server->store,
        .loader = server->loader,
        .memory_auto = memory_for_connections(),
        .register_handlers = register_routes,
        .on_swapped = notify_swapped,
        .on_log_record = notify_log_record,
        .context = server,
    };
    const struct worker_setup setup = {
        .common = &common,
        .config = server->config,
        .account = &server->account,
        .sockets = server->sockets,
        .counts = server->counts = connection_counts_new(server->config->connections_max),
        .admin_counts = server->admin_counts =
            connection_counts_new(WORKER_SETUP_ADMIN_CONNECTIONS),
        .n_workers = server->n_workers,
        .descriptors_max = server->descriptors_max,
    };

    server->threads = worker_threads_new(server->n_workers + 1, notify_ended, server);
    log_pump_attach(server->log_pump, server->threads);
    if (worker_setup_add(&setup, server->threads, err) != 0)
        return -1;
    server->metrics = memory_alloc(server->n_workers * sizeof(struct metrics *));
    for (size_t i = 0; i < server->n_workers; i++)
        server->metrics[i] = worker_threads_metrics(server->threads, i);
    server->pages = (struct admin_pages){.stats = &server->stats,
                                         .reports = started_programs_reports(server->programs),
                                         .readiness = server->readiness,
                                         .workers = server->metrics,
                                         .n_workers = server->n_workers,
                                         .checks = started_programs_checks(server->programs)};
    return 0;
}

static void init_async(struct server *server, uv_async_t *async, uv_async_cb callback)
{
    uv_async_init(&server->loop, async, callback);
    async->data = server;
}

static void init_loop(struct server *server)
{
    uv_loop_init(&server->loop);
    init_async(server, &server->swapped, on_swapped);
    init_async(server, &server->ended, on_ended);
    uv_timer_init(&server->loop, &server->delay);
    uv_timer_init(&server->loop, &server->look);
    server->delay.data = server->look.data = server;
    server->signals = signals_new(&server->loop, take_signal, server);
}

/* Nothing that a peer has sent is looked at before this, and no thread is there yet. */
static int confine_server(struct server *server, struct err *err)
{
    server->keeper = state_keeper_new(server->config->state, &server->account, &clock_system,
                                      &server->stats.n_state_failures);
    started_programs_make_directories(server->programs, &server->account);
    if (privileges_drop(&server->account, err) != 0)
        return -1;
    if (strcmp(server->config_path, "-") != 0 && access(server->config_path, R_OK) != 0)
        log_line(LOG_WARNING, "'%s' cannot be read by '%s': reloads will be refused",
                 server->config_path, server->account.name);
    server->sandbox = sandbox_enter(server->config, server->config_path, &server->account);
    server->maker.sandbox = server->sandbox;
    if (server->keeper)
        started_programs_begin_reports(server->programs, &server->loop,
                                       &server->stats.n_state_failures);
    return 0;
}

/* Before libuv is: a process that is forked after it closes descriptors which it takes for its own.
 */
static int prepare_server(struct server *server, struct err *err)
{
    if (account_find(server->config, &server->account, err) != 0 ||
        listen_sockets_new(&server->sockets, err) != 0)
        return -1;
    return started_programs_new(&server->config, &server->store, server->config_path,
                                &server->account, &server->programs, err);
}

static int start_server(struct server *server, struct err *err)
{
    process_limits_set_stacks();
    server->readiness = readiness_new(systemd_notify_open());
    server->log = log_writer_new(STDOUT_FILENO, server->config->access);
    log_writer_on_request(server->log, report_service_add_request,
                          started_programs_reports(server->programs));
    server->log_pump = log_pump_new(&server->loop, server->log, &server->stats.n_log_lines_dropped);
    if (control_commands_open(&server->commands, &server->loop, &server->account, server->config,
                              &server->control, err) != 0 ||
        listen_sockets_open(server->sockets, server->config, &server->account, server->n_workers,
                            err) != 0 ||
        add_workers(server, err) != 0 || listen_sockets_check(server->sockets, err) != 0 ||
        confine_server(server, err) != 0)
        return -1;
    return worker_threads_start(server->threads, err);
}

static void make_parts(struct server *server)
{
    const struct reload_options reload = {
        .loop = &server->loop,
        .config_path = server->config_path,
        .sandbox = server->sandbox,
        .load_timeout_ms = RELOAD_LOAD_TIMEOUT_MS,
        .context = server,
        .start_trial = start_trial,
        .cancel_trial = cancel_trial,
        .load = config_load_with,
        .make_store = make_store,
        .record = record_config,
        .read_ledger = read_ledger,
        .find_current = find_current,
        .begin = on_reload_begun,
        .swap = swap_workers,
        .serve = serve_config,
        .end = on_reload_ended,
    };
    const struct cert_scan_options scan = {.clock = &clock_system,
                                           .slice_ms = CERT_SCAN_SLICE_MS,
                                           .pause_ms = CERT_SCAN_PAUSE_MS,
                                           .all_ms = CERT_SCAN_ALL_MS,
                                           .done = on_certificates_scanned,
                                           .fetchable = on_fetchable,
                                           .seen = on_certificate_seen,
                                           .context = server};
    const struct started_programs_options programs = {.loop = &server->loop,
                                                      .scan = &server->scan,
                                                      .keeper = server->keeper,
                                                      .stats = &server->stats,
                                                      .installed = on_certificate_installed,
                                                      .context = server};

    started_programs_begin(server->programs, &programs);
    server->reload = reload_new(&reload);
    server->commands =
        (struct control_commands){.reload = server->reload,
                                  .readiness = server->readiness,
                                  .stats = &server->stats,
                                  .config = &server->config,
                                  .scan = &server->scan,
                                  .orders = started_programs_orders(server->programs),
                                  .notifier = started_programs_notifier(server->programs)};
    server->scan = cert_scan_new(&scan);
    server->refresh =
        cert_refresh_new(&server->loop, &server->store, server->sandbox, server->scan);
    server->liveness = liveness_new(&clock_system, worker_threads_count(server->threads),
                                    worker_threads_count_turns, server->threads);
}

static void run_server(struct server *server)
{
    sigset_t before;

    make_parts(server);
    server_stats_set_config(&server->stats, server->config, clock_system.unix_s(&clock_system));
    set_serving(server);
    log_line(LOG_INFO, "ready: %zu domain%s, %zu worker%s", server->config->n_domains,
             server->config->n_domains == 1 ? "" : "s", server->n_workers,
             server->n_workers == 1 ? "" : "s");
    cert_scan_start(server->scan, server->config, server->store);
    /* The first job makes the thread pool, whose threads inherit the mask. */
    signals_block(&before);
    state_keeper_begin(server->keeper, &server->loop, server->config);
    cert_refresh_start(server->refresh);
    started_programs_take_fetchable(server->programs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    uv_timer_start(&server->look, on_look, WATCHDOG_LOOK_MS, WATCHDOG_LOOK_MS);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

/* The loop has ended. */
static void free_parts(struct server *server)
{
    reload_free(server->reload);
    cert_scan_free(server->scan);
    cert_refresh_free(server->refresh);
    started_programs_free(server->programs);
    signals_free(server->signals);
    liveness_free(server->liveness);
    log_pump_free(server->log_pump);
    log_writer_free(server->log);
    control_server_free(server->control);
    state_keeper_free(server->keeper);
    readiness_free(server->readiness);
}

static void free_server(struct server *server)
{
    control_server_close(server->control);
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    worker_threads_free(server->threads);
    if (server->sockets)
        listen_sockets_remove_files(server->sockets, server->config);
    listen_sockets_free(server->sockets);
    free(server->metrics);
    connection_counts_free(server->counts);
    connection_counts_free(server->admin_counts);
    free_parts(server);
    if (cert_loader_free(server->loader) != 0 || challenge_reader_free(server->challenges) != 0) {
        log_line(LOG_WARNING, "ended while the read of a file hangs");
        _exit(0); /* exit() would take OpenSSL away from under that read */
    }
    sandbox_free(server->sandbox);
    cert_store_unref(server->store);
    trust_store_free(server->maker.trust);
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
        .n_workers = worker_setup_count(config),
    };
    int result;

    log_set_level(config->log_level);
    /* Before all that takes descriptors: libraries abort, or worse, where they get none. */
    if (process_limits_raise_descriptors(config, server.n_workers, &server.descriptors_max, err) !=
        0) {
        config_unref(config);
        return -1;
    }
    server.maker.trust = trust_store_new();
    server.store = make_store(&server, config);
    server.loader = cert_loader_new(cert_store_find, CERT_LOADER_TIMEOUT_MS);
    if (config->acme)
        server.challenges =
            challenge_reader_new(config->state, challenge_read, CHALLENGE_READER_TIMEOUT_MS);
    result = prepare_server(&server, err);
    sandbox_prepare(config);
    init_loop(&server);
    if (result == 0)
        result = start_server(&server, err);
    if (result == 0)
        run_server(&server);
    free_server(&server);
    return result;
}
