/* SPDX-License-Identifier: MIT */
/**
 * The schedules by which mta-stsd-reports works for the daemon, beside the reading of reports.
 *
 * It writes the status site into STATUS_FOLDER of the state directory, from where the admin
 * listener sends it; and with `notify:` the list of conditions (lib/state/condition.h). Both are
 * written after the start, every hour, and when something has changed.
 */
#pragma once

struct child_schedule;
struct config;

enum {
    SITE_SCHEDULE_DELAY_MS = 10 * 1000, /* from the start, or a reload, to the run */
    SITE_SCHEDULE_EVERY_MS = 60 * 60 * 1000,
    SITE_SCHEDULE_TIMEOUT_MS = 30 * 60 * 1000,
};

/**
 * config_path  "-": the program could not read the configuration
 * Returns NULL if no site is to be written: nobody could see it without `admin:` and `state:`.
 */
struct child_schedule *site_schedule_new(const struct config *config, const char *config_path);

/** Returns NULL if no conditions are to be listed, as there is no `notify:`. */
struct child_schedule *condition_schedule_new(const struct config *config, const char *config_path);
