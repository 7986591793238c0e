/* SPDX-License-Identifier: MIT */
/**
 * `check:`: has the spawner run mta-stsd-check over all domains at intervals.
 *
 * That program talks to strangers' servers, so it is a process of its own, with limits of time and
 * memory. What it finds is in two files of the state directory, each replaced as a whole when a
 * run has ended well: CHECK_RESULTS, which the admin listener sends, and CHECK_METRICS, which is a
 * part of /metrics. They outlive the daemon, and so does the interval.
 *
 * Main thread. All functions but two take NULL.
 */
#pragma once

#include <stdint.h>

#include "daemon/child/program.h"

struct check_schedule;
struct config;
struct spawner;
struct uv_loop_s;

#define CHECK_RESULTS "check.json"
#define CHECK_METRICS "check.metrics"

enum {
    CHECK_SCHEDULE_DELAY_MS = 10 * 1000, /* from the start to the first run */
    CHECK_SCHEDULE_RETRY_MS = 60 * 60 * 1000,
    CHECK_SCHEDULE_TIMEOUT_MS = 6 * 60 * 60 * 1000,
};

/**
 * What the spawner is to start. Before anything is started; for the whole life of the daemon.
 *
 * config_path  "-": nothing can be checked
 * Returns NULL if the configuration has no `state:` or its file cannot be read twice.
 */
struct check_schedule *check_schedule_new(const struct config *config, const char *config_path);

/** No texts for NULL. */
struct program_command check_schedule_command(const struct check_schedule *schedule);

/** The paths of CHECK_RESULTS and CHECK_METRICS, for any thread. Not NULL. */
const char *check_schedule_results(const struct check_schedule *schedule);
const char *check_schedule_metrics(const struct check_schedule *schedule);

struct check_schedule_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;      /* attached before the first run */
    struct config *const *config; /* that serves at the time of the look */
    unsigned delay_ms, retry_ms;
    void (*done)(void *context); /* there are new results */
    void *context;
    _Atomic uint64_t *n_good, *n_failed; /* count the runs */
};

/** Begins; after the sandbox was entered. */
void check_schedule_start(struct check_schedule *schedule,
                          const struct check_schedule_options *options);

/** The configuration has changed, and with it maybe the interval. */
void check_schedule_look(struct check_schedule *schedule);

/** A run is to begin at this time at the latest, if there are runs at all. */
void check_schedule_run_by(struct check_schedule *schedule, int64_t at_unix_s);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void check_schedule_stop(struct check_schedule *schedule);

/** When the loop has ended. */
void check_schedule_free(struct check_schedule *schedule);
