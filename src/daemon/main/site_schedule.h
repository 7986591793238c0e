/* SPDX-License-Identifier: MIT */
/**
 * Has the spawner run mta-stsd-reports, which writes the status site: after the start, every hour,
 * and after each reload.
 *
 * The site lies in STATUS_FOLDER of the state directory, from where the admin listener sends it. A
 * run that fails leaves the site before it.
 *
 * Main thread. All functions take NULL.
 */
#pragma once

#include <stdint.h>

#include "daemon/child/program.h"

struct clock;
struct config;
struct site_schedule;
struct spawner;
struct uv_loop_s;

enum {
    SITE_SCHEDULE_DELAY_MS = 10 * 1000, /* from the start, or a reload, to the run */
    SITE_SCHEDULE_EVERY_MS = 60 * 60 * 1000,
    SITE_SCHEDULE_TIMEOUT_MS = 30 * 60 * 1000,
};

/**
 * What the spawner is to start. Before anything is started; for the whole life of the daemon.
 *
 * config_path  "-": the program could not read the configuration
 * Returns NULL if no site is to be written: nobody could see it without `admin:` and `state:`.
 */
struct site_schedule *site_schedule_new(const struct config *config, const char *config_path);

/** No texts for NULL. */
struct program_command site_schedule_command(const struct site_schedule *schedule);

struct site_schedule_options {
    struct uv_loop_s *loop;
    struct spawner *spawner; /* attached before the first run */
    unsigned delay_ms, every_ms;
    const struct clock *clock;
    _Atomic uint64_t *n_good, *n_failed; /* count the runs */
    _Atomic int64_t *written_unix_s;     /* when the last good one ended */
};

/** Begins; after the sandbox was entered. */
void site_schedule_start(struct site_schedule *schedule,
                         const struct site_schedule_options *options);

/** The configuration has changed, so the site is written soon. */
void site_schedule_look(struct site_schedule *schedule);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void site_schedule_stop(struct site_schedule *schedule);

/** When the loop has ended. */
void site_schedule_free(struct site_schedule *schedule);
