/* SPDX-License-Identifier: MIT */
/**
 * Has the spawner run a program of ours at intervals, and earlier when something has changed: the
 * status site and the list of conditions, see daemon/main/site_schedule.h.
 *
 * A run that fails leaves what the run before it has made. Main thread. All functions take NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/child/program.h"

struct child_schedule;
struct spawner;
struct uv_loop_s;

enum {
    CHILD_SCHEDULE_TEXTS_MAX = 8,
};

/** What is run. */
struct child_schedule_task {
    enum program program;
    const char *prefix;     /* of its lines in the log; a literal */
    const char *what_stays; /* after a run that fails, "the earlier pages"; a literal */
    const char *name;       /* of the program, in the directory of this one */
    const char *const *arguments;
    size_t n_arguments;  /* below CHILD_SCHEDULE_TEXTS_MAX */
    uint64_t memory_max; /* bytes of address space */
    unsigned timeout_ms;
};

/**
 * Before anything is started; for the whole life of the daemon. The arguments are copied. Never
 * returns NULL.
 */
struct child_schedule *child_schedule_new(const struct child_schedule_task *task);

/** What the spawner is to start. No texts for NULL. */
struct program_command child_schedule_command(const struct child_schedule *schedule);

struct child_schedule_options {
    struct uv_loop_s *loop;
    struct spawner *spawner; /* attached before the first run */
    unsigned delay_ms;       /* from the start to the first run */
    unsigned every_ms;
    void (*done)(void *context); /* after a run that was good; NULL: nobody wants to know */
    void *context;
    _Atomic uint64_t *n_good, *n_failed; /* count the runs */
};

/** Begins; after the sandbox was entered. */
void child_schedule_start(struct child_schedule *schedule,
                          const struct child_schedule_options *options);

/** Something has changed, so that a run is to begin in this time, if none is due earlier. */
void child_schedule_look(struct child_schedule *schedule, unsigned within_ms);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void child_schedule_stop(struct child_schedule *schedule);

/** When the loop has ended. */
void child_schedule_free(struct child_schedule *schedule);
