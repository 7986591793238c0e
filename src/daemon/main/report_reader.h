/* SPDX-License-Identifier: MIT */
/**
 * The report reader: has the spawner start mta-stsd-reports when there are reports in the spool.
 *
 * That program parses what strangers have sent, so it is a process of its own, with limits of time
 * and memory. It removes what it has read. After a failure it is started again at intervals that
 * double from REPORT_READER_RETRY_MS to REPORT_READER_RETRY_MAX_MS; nothing is lost meanwhile.
 *
 * Main thread but for report_reader_wake(). All functions take NULL.
 */
#pragma once

#include <stdint.h>

struct report_reader;
struct spawner;
struct uv_loop_s;

enum {
    REPORT_READER_PAUSE_MS = 10 * 1000, /* between two runs: a report a second is no run each */
    REPORT_READER_RETRY_MS = 60 * 1000,
    REPORT_READER_RETRY_MAX_MS = 60 * 60 * 1000,
    REPORT_READER_TIMEOUT_MS = 10 * 60 * 1000,
};

/** Called when the program has ended: the spool is to be counted again. */
typedef void report_reader_ended(void *context);

struct report_reader_options {
    struct uv_loop_s *loop;
    struct spawner *spawner; /* attached before the first run */
    const char *program;     /* its path, for the log */
    unsigned pause_ms, retry_ms;
    report_reader_ended *on_ended;
    void *context;
    _Atomic uint64_t *n_good, *n_failed; /* count the runs */
};

/** Never returns NULL. */
struct report_reader *report_reader_new(const struct report_reader_options *options);

/** There are reports to be read. Safe from any thread. */
void report_reader_wake(struct report_reader *reader);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void report_reader_stop(struct report_reader *reader);

/** After report_reader_stop(), when the loop has ended. */
void report_reader_free(struct report_reader *reader);
