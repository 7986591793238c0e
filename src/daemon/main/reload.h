/* SPDX-License-Identifier: MIT */
/**
 * Reload: loads the configuration again and serves from it, unless something is wrong with it.
 *
 * A trial in another process, the load in the thread pool, the swap in all workers, each after the
 * other. Requests that come meanwhile get one more reload, for what is under way may have read too
 * early. Nothing changes what serves before the load is known to be good. Main thread.
 */
#pragma once

#include <stdbool.h>

#include "daemon/main/trial_load.h"

struct cert_store;
struct config;
struct diag;
struct ledger;
struct reload;
struct sandbox;
struct uv_loop_s;

enum reload_force {
    RELOAD_GUARDED,
    RELOAD_FORCED, /* however many domains go */
    RELOAD_DRY,    /* say what would change, and change nothing */
};

enum reload_outcome {
    RELOAD_GOOD,
    RELOAD_REFUSED, /* right, but not now or not like this */
    RELOAD_INVALID, /* the configuration has errors */
};

enum {
    RELOAD_LOAD_TIMEOUT_MS = 50 * 1000, /* with the trial's 240 s less than --reload waits */
};

/** Says how a reload went. text: for a person, with line ends; the caller's. */
typedef void reload_done(void *context, enum reload_outcome outcome, const char *text);

/** All callbacks are called on the loop, with `context`, but for those of the thread pool. */
struct reload_options {
    struct uv_loop_s *loop;
    const char *config_path;
    const struct sandbox *sandbox; /* NULL: any file may be read */
    unsigned load_timeout_ms;
    void *context;

    /** Starts a trial, and ends it without a call of `done`. */
    void (*start_trial)(void *context, trial_load_done *done, void *done_context);
    void (*cancel_trial)(void *context);

    /** In a thread of the pool: config_load_with(), and a store for another set of sources. */
    struct config *(*load)(const char *path, unsigned care, struct diag *diag);
    struct cert_store *(*make_store)(void *context, const struct config *config);
    /** There too: keeps what will be served. */
    void (*record)(void *context, const struct config *config);
    /** There too: reads what was served when, for ledger_free(); NULL: nothing is known. */
    struct ledger *(*read_ledger)(void *context);

    /** Tells what serves; the caller takes references. */
    void (*find_current)(void *context, struct config **ret_config, struct cert_store **ret_store);

    void (*begin)(void *context);
    /** Sends them to all workers; reload_finish() follows when all serve from them. */
    void (*swap)(void *context, struct config *config, struct cert_store *store);
    /** All workers serve from them. Takes over both references. */
    void (*serve)(void *context, struct config *config, struct cert_store *store);
    /** text: for a person, with line ends; the caller's. */
    void (*end)(void *context, enum reload_outcome outcome, const char *text);
};

/** Never returns NULL. */
struct reload *reload_new(const struct reload_options *options);

/** Takes NULL. The loop has closed all of its handles and ended. */
void reload_free(struct reload *reload);

/**
 * Asks for a reload, or a dry run, that begins after this call.
 *
 * done  called once, maybe at once; NULL: nobody asks, which makes no sense for a dry run
 */
void reload_request(struct reload *reload, enum reload_force force, reload_done *done,
                    void *context);

/** All workers serve from what `swap` has sent them. */
void reload_finish(struct reload *reload);

/**
 * The daemon is ending: refuses all requests, and those from now on. A swap that is under way is
 * finished.
 */
void reload_stop(struct reload *reload);
