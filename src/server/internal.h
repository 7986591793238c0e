/* SPDX-License-Identifier: MIT */
/**
 * The inside of the control plane. Everything here is touched by the main thread only, but for what
 * a struct background hands to the thread pool.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <uv.h>

#include "config/config.h"

struct cert_store;
struct diag;
struct server;
struct worker;

struct worker_thread {
    struct server *server;
    struct worker *worker;
    pthread_t thread;
};

/** Work for the thread pool, one of its kind at a time, at the lowest priority. */
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

struct server {
    uv_loop_t loop;
    uv_signal_t signals[3]; /* HUP, TERM, INT */
    uv_async_t swapped, events, ended;
    uv_timer_t refresh, delay;
    enum phase phase;
    atomic_bool is_ending; /* tells the thread pool to hurry */

    const char *config_path;
    struct config *config;
    struct cert_store *store;
    struct worker_thread *workers;
    size_t n_workers;
    int *fds; /* n_listen rows of one a worker */
    atomic_size_t n_swapped, n_ended;

    struct background reload;
    struct config *next; /* what reload built; NULL: refused */
    struct cert_store *next_store;
    struct diag *reload_diag;
    const char *refused_key; /* what only a restart can change */

    struct background survey, refreshing;
    size_t n_wrong;           /* certificates, found by the survey */
    uint64_t refusals_second; /* unknown names are logged a few a second */
    unsigned refusals_logged;
    uint64_t refusals_unlogged;
};

/** Queues `work`, or remembers that it is wanted again when it ends. */
void background_start(struct server *server, struct background *background, uv_work_cb work,
                      uv_after_work_cb after);

/** Called first by each `after`. Returns whether the work was asked for again meanwhile. */
bool background_end(struct background *background);

/** In the thread pool: what runs there gives way to the workers. */
void background_be_nice(void);

/** Reads the configuration again and serves from it, unless it is wrong. */
void reload_start(struct server *server);

/** A worker serves from the new snapshot; after the last one the old one goes. */
void reload_finish(struct server *server);

/** Drops what a reload that the end has overtaken has built. */
void reload_discard(struct server *server);

/** A store for the certificates of `config`. */
struct cert_store *certificates_store(const struct config *config);

/** Looks at every host's certificate and logs what is wrong. */
void certificates_survey(struct server *server);

/** Looks again at the files of the certificates in use. */
void certificates_refresh(struct server *server);

/** Writes what the workers have to tell. */
void events_write(struct server *server);

/** Logs the errors and warnings of a load. */
void findings_log(struct diag *diag);
