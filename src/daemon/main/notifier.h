/* SPDX-License-Identifier: MIT */
/**
 * `notify:`: runs the operator's program when something begins or ends, and for digests.
 *
 * Each look gathers what is open, in the thread pool; if there is something to tell, the spawner
 * starts the program with one document on its standard input. Exit status 0 means that the program
 * has delivered it; after anything else it is run again, with what is to be told by then, at
 * intervals that double from NOTIFIER_RETRY_MS to NOTIFIER_RETRY_MAX_MS.
 *
 * Main thread but for notifier_look(). All functions take NULL, for a configuration without it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/main/notice_desk.h"

struct clock;
struct config;
struct notifier;
struct spawner;
struct uv_loop_s;

enum {
    NOTIFIER_PAUSE_MS = 5 * 1000, /* between two runs: what comes meanwhile is one document */
    NOTIFIER_LOOK_MS = 10 * 60 * 1000,
    NOTIFIER_RETRY_MS = 60 * 1000,
    NOTIFIER_RETRY_MAX_MS = 60 * 60 * 1000,
    NOTIFIER_TIMEOUT_MS = 60 * 1000, /* of the program */
};

struct notifier_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;      /* attached before the loop turns */
    const char *directory;        /* of the state; NULL: it cannot be used */
    struct config *const *config; /* that serves at the time of the look */
    const struct clock *clock;
    notice_gather *gather;
    /** A check would tell more at this time. On the loop. */
    void (*recheck)(void *context, int64_t at_unix_s);
    void *context;
    _Atomic uint64_t *n_good, *n_failed; /* count the runs */
    unsigned pause_ms, look_ms, retry_ms;
};

/**
 * Returns NULL if the configuration runs no program, or, after a line in the log, if there is no
 * state directory.
 */
struct notifier *notifier_new(const struct notifier_options *options);

/** Looks soon what is open. Safe from any thread. */
void notifier_look(struct notifier *notifier);

/** The last reload was refused; reason NULL: it was good. The text is copied. */
void notifier_take_reload(struct notifier *notifier, const char *reason);

/** text: a clause that says how the test went; the caller's. */
typedef void notifier_test_done(void *context, bool is_good, const char *text);

/** Has the program tell a test. `done` is called once, maybe at once. */
void notifier_test(struct notifier *notifier, notifier_test_done *done, void *context);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void notifier_stop(struct notifier *notifier);

/** After notifier_stop(), when the loop has ended. */
void notifier_free(struct notifier *notifier);
