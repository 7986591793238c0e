/* SPDX-License-Identifier: MIT */
/**
 * The fetch keeper: hands the counts of fetched policies to mta-stsd-reports, each hour and at the
 * end, in the file `fetches` of the state directory.
 *
 * While that program has not taken the last file, the counts stay in memory. What cannot be written
 * is logged and counted, and tried again. Main thread; jobs of the loop write.
 */
#pragma once

#include <stdint.h>

struct fetch_keeper;
struct log_record;
struct uv_loop_s;

enum {
    FETCH_KEEPER_EVERY_MS = 60 * 60 * 1000,
};

/** Called on the loop when there is a file to be taken. */
typedef void fetch_keeper_notify(void *context);

struct fetch_keeper_options {
    struct uv_loop_s *loop;
    const char *state_directory; /* copied */
    uint64_t every_ms;
    fetch_keeper_notify *on_written;
    void *context;
    _Atomic uint64_t *n_failures; /* outlives the keeper */
};

/** Never returns NULL. */
struct fetch_keeper *fetch_keeper_new(const struct fetch_keeper_options *options);

/** Counts the record of a request if it has fetched a policy. Takes NULL. */
void fetch_keeper_add(struct fetch_keeper *keeper, const struct log_record *record);

/** The daemon ends: nothing is written by a job any more. Takes NULL. */
void fetch_keeper_stop(struct fetch_keeper *keeper);

/** The loop has ended: writes what there is. Takes NULL. */
void fetch_keeper_free(struct fetch_keeper *keeper);
