/* SPDX-License-Identifier: MIT */
/**
 * Trial loads: before a reload another process loads the configuration, so that a load which takes
 * all memory, crashes or never ends is that process's end and not the daemon's.
 *
 * Whether the configuration is right is not what a trial tells: the daemon's own load does.
 */
#pragma once

struct err;
struct spawner;
struct trial_load;

enum trial_outcome {
    TRIAL_PASSED,
    TRIAL_FAILED,
    TRIAL_NOT_MADE, /* there is no process to make it; the reload goes on without it */
};

/**
 * Called on the loop.
 *
 * reason  NULL: passed; else a clause that says what has happened
 */
typedef void trial_load_done(void *context, enum trial_outcome outcome, const char *reason);

/**
 * spawner      attached before the first trial; lives as long as the trials
 * config_path  what is loaded; lives as long as the trials
 * Never returns NULL.
 */
struct trial_load *trial_load_new(struct spawner *spawner, const char *config_path);

/** Begins a trial. There is none under way. `done` may be called before this returns. */
void trial_load_start(struct trial_load *trial, trial_load_done *done, void *context);

/** Ends a trial that is under way, without a call of `done`. */
void trial_load_cancel(struct trial_load *trial);

/** Takes NULL. There is no trial under way. */
void trial_load_free(struct trial_load *trial);

/** The process of a trial: loads, and returns 0 whether the configuration is right or not. */
int trial_load_run(const char *config_path);
