/* SPDX-License-Identifier: MIT */
/**
 * Child runs: a program of the spawner's, run again and again but never twice at a time, with what
 * it prints in our log, and words for how it ended.
 *
 * On the thread of the loop.
 */
#pragma once

#include <stdbool.h>

#include "daemon/child/child_output.h"

struct child_run;
struct err;
struct spawn_end;
struct spawn_request;
struct spawner;
struct uv_loop_s;

struct child_run_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;    /* attached before the first run */
    const char *prefix;         /* of its lines in the log; read when a run begins */
    const char *program;        /* its path, for messages; copied */
    child_output_line *on_line; /* looks at what it prints; NULL: nobody does */
    void *line_context;
};

/**
 * Called once for each run that began and was not stopped.
 *
 * reason  a clause that says how the program has ended, with its last line; for exit status 0 too
 */
typedef void child_run_done(void *context, const struct spawn_end *end, const char *reason);

/** Never returns NULL. */
struct child_run *child_run_new(const struct child_run_options *options);

/**
 * Begins a run; none is under way.
 *
 * request  its standard error, and its standard output if that is -1, are lines in the log
 * Returns 0, or -1 with *err set: ERR_IO, ERR_LIMIT.
 */
int child_run_start(struct child_run *run, const struct spawn_request *request,
                    child_run_done *done, void *context, struct err *err);

/** Whether a run has begun and has neither ended nor been stopped. */
bool child_run_is_under_way(const struct child_run *run);

/** Nothing is said of the run that is under way; its program is the spawner's to end. */
void child_run_stop(struct child_run *run);

/** Takes NULL. After child_run_stop(), when the loop has ended. */
void child_run_free(struct child_run *run);
