/* SPDX-License-Identifier: MIT */
/**
 * The spool writer: a thread that writes reports into the spool of the state directory.
 *
 * Workers hand over reports and never wait. What is there is written together, so that the disk is
 * waited for once for many reports. What has been taken is written, also at the end of the daemon,
 * whether somebody waits for it or not. A spool that cannot be opened or written to is tried again
 * with the next report; the log says so once in a while.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/http/report_job.h"

struct clock;
struct err;
struct spool_writer;

/** Called in the writer's thread when there are reports to be read. Must not block. */
typedef void spool_writer_notify(void *context);

struct spool_writer_options {
    const char *state_directory; /* copied: a reload frees its configuration */
    struct spool_quota quota;
    const struct clock *clock;
    spool_writer_notify *on_waiting;
    void *context;
    _Atomic uint64_t *n_failures; /* counts what could not be written; outlives the writer */
};

/** Starts the thread. Returns 0, or -1 with *err set: ERR_IO. */
int spool_writer_new(const struct spool_writer_options *options, struct spool_writer **ret_writer,
                     struct err *err);

/** Writes what was taken, then ends the thread. Takes NULL. */
void spool_writer_free(struct spool_writer *writer);

/** A report_keep; `context` is the writer. */
bool spool_writer_keep(void *context, struct report_job *job, size_t n_max);

/** Has the writer look what is in the spool, since somebody has read reports. Any thread. */
void spool_writer_recount(struct spool_writer *writer);

/** What the writer last knew; any thread. Takes NULL: nothing. */
struct spool_count spool_writer_counted(struct spool_writer *writer);
