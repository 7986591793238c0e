/* SPDX-License-Identifier: MIT */
/**
 * The inside of the control plane. Everything here is touched by the main thread only, but for what
 * a struct background hands to the thread pool.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include <uv.h>

#include "daemon/confine/privileges.h"
#include "daemon/main/systemd.h"
#include "daemon/main/watchdog.h"
#include "lib/config/config.h"
#include "lib/config/diff.h"
#include "lib/dns/name.h"

struct cert_loader;
struct cert_store;
struct connection_counts;
struct end_guard;
struct trust_store;
struct control;
struct sandbox;
struct server;
struct spawner;
struct trial_load;
struct worker;

struct worker_thread {
    struct server *server;
    struct worker *worker;
    pthread_t thread;
    struct watched_loop loop;
    atomic_bool has_ended;
};

/** Work for the thread pool, one of its kind at a time, at a low priority. */
struct background {
    uv_work_t work;
    bool is_running;
    bool is_wanted;           /* asked for again while it ran */
    struct config *config;    /* what served when it began; its own references, as a reload may */
    struct cert_store *store; /* replace the server's meanwhile */
};

enum phase {
    PHASE_SERVING,
    PHASE_DELAYING, /* asked to end; shutdown_delay has not passed */
    PHASE_DRAINING,
};

/**
 * A look at every host's certificate, in pieces: between two of them the workers have the machine
 * for themselves, or a reload has, and the next piece holds the snapshot that serves by then.
 */
struct survey {
    struct background background; /* of a piece */
    bool is_under_way;
    bool has_begun;
    bool is_wanted;              /* another one, after this */
    bool is_complete;            /* nothing is left for another piece */
    char last[DNS_NAME_MAX + 1]; /* the domain looked at last; "": none */
    size_t next;                 /* the index of the one after it, in the last piece's snapshot */
    uint64_t counts[FINDING_COUNT]; /* by the gravest finding */
    int64_t earliest_expiry;        /* unix seconds; 0: there is no certificate */
    size_t n_wrong;
};

/** What the control plane counts, for the admin worker's thread to read. */
struct tally {
    _Atomic uint64_t n_domains[POLICY_MODE_COUNT];  /* that are served, by mode */
    _Atomic uint64_t n_certificates[FINDING_COUNT]; /* by the gravest finding; NONE: good */
    _Atomic int64_t earliest_expiry_unix_s;         /* 0: there is no certificate */
    _Atomic uint64_t reloads_good, reloads_refused;
    _Atomic int64_t reloaded_at_unix_s; /* the last good load */
    atomic_bool is_last_reload_good;
    _Atomic uint64_t log_lines_dropped;
    atomic_uint n_loops_stalled; /* of workers */
    atomic_bool is_ready;
};

struct server {
    uv_loop_t loop;
    uv_signal_t signals[3]; /* HUP, TERM, INT */
    uv_async_t swapped, events, ended;
    uv_timer_t refresh, delay, look;
    enum phase phase;
    atomic_bool is_ending; /* tells the thread pool to hurry */

    const char *config_path;
    struct config *config;
    struct trust_store *trust; /* read before the sandbox is entered */
    struct cert_store *store;
    struct cert_loader *reader;
    struct connection_counts *counts, *admin_counts;
    struct worker_thread *workers;
    size_t n_workers; /* that serve policies; the admin worker comes after them */
    size_t n_threads; /* n_workers, and one with an admin listener */
    struct tally tally;
    size_t descriptors_max; /* for connections */
    size_t memory_auto;     /* for connections, unless the configuration says */
    uint64_t looked_at_ms;  /* at the workers' loops, by the monotonic clock */
    int *fds;               /* n_listen rows of one a worker */
    bool has_sockets;       /* whose files are ours to remove */
    struct end_guard *end_guard;
    atomic_size_t n_swapped, n_ended;

    struct account account;
    struct passed_sockets passed;
    struct sandbox *sandbox; /* NULL: any file may be read */
    int notify_fd;           /* to systemd; -1: nobody there */
    bool has_systemd_watchdog;

    struct control *control;
    struct spawner *spawner;
    struct trial_load *trial;
    bool is_in_trial; /* a reload that has not begun to load */
    struct background reload;
    struct config *next; /* what reload built; NULL: refused */
    struct cert_store *next_store;
    struct difference difference; /* between what serves and what was built */
    char *reload_text;            /* what is said of it, on the control socket and in the log */
    size_t findings_len;          /* of the text, before the difference */
    const char *reload_outcome;   /* CONTROL_* */
    bool is_forced;
    bool is_swapping; /* the workers have been sent the new snapshot */

    struct background refreshing;
    struct survey survey;
    uv_timer_t survey_pause;
    uv_timer_t second; /* runs while there is something below to sum up at its end */
    unsigned refusals_logged;
    uint64_t refusals_unlogged;
    uint64_t drops_unlogged;
    uint64_t lines_dropped; /* of the log, not counted in the tally yet */
};

/** Queues `work`, or remembers that it is wanted again when it ends. */
void background_start(struct server *server, struct background *background, uv_work_cb work,
                      uv_after_work_cb after);

/** Called first by each `after`. Returns whether the work was asked for again meanwhile. */
bool background_end(struct background *background);

/** In the thread pool or a child: what runs there gives way to the workers. */
void background_be_nice(void);

/** Reads the configuration again and serves from it, unless it is wrong. */
void reload_start(struct server *server);

/** A worker serves from the new snapshot; after the last one the old one goes. */
void reload_finish(struct server *server);

/** Opens the control socket. Returns 0, or -1 with *err set: ERR_IO. */
int control_open(struct server *server, struct err *err);

/** A reload begins now: those who asked by then get its outcome. Returns whether one forces it. */
bool control_begin_reload(struct control *control);

/** Answers them. */
void control_end_reload(struct control *control, const char *outcome, const char *text);

/** Begins to close everything; control_free() comes after the loop has ended. Both take NULL. */
void control_close(struct control *control);
void control_free(struct control *control);

/** Tells the metrics of a configuration that serves now. */
void reload_note_success(struct server *server);

/** Ends the trial of a reload: the daemon is ending. */
void reload_abandon(struct server *server);

/** Drops what a reload that the end has overtaken has built. */
void reload_discard(struct server *server);

/** A store for the certificates of `config`. */
struct cert_store *certificates_store(const struct config *config, const struct trust_store *trust);

/** Begins a look at every host's certificate, which logs what is wrong; another after one. */
void survey_start(struct server *server);

/** A reload that it gave way to is over. */
void survey_go_on(struct server *server);

/** Looks again at the files of the certificates in use. */
void certificates_refresh(struct server *server);

/** Tells systemd that the daemon serves, or begins a reload; not once it is ending. */
void server_tell_ready(const struct server *server);
void server_tell_reloading(const struct server *server);

/** Begins to look at the workers' loops, each second until the end; a lost one is the end. */
void liveness_start(struct server *server);

/** Prints /healthz, /readyz or /metrics; an admin_printer. */
int admin_print(void *context, struct slice path, const char **ret_type, FILE *out);

/** Counts the domains of the configuration that serves now. */
void admin_count_domains(struct server *server);

/**
 * Writes what the workers have to tell, but of refusals only a few a second, and counts the lines
 * that the log has dropped; a second later it says how many there were of both.
 */
void events_write(struct server *server);

/** Says so now. */
void events_summarize(struct server *server);
