/* SPDX-License-Identifier: MIT */
/**
 * The log writer: writes what the workers have to tell, the access log to a descriptor and the rest
 * to the log.
 *
 * Anyone can send any name: of each kind of refusal only a few are logged until the next summary,
 * the rest is counted there. Main thread: a write may block.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/config/config.h"

struct log_record;
struct log_ring;
struct log_writer;

enum {
    LOG_WRITER_REFUSALS = 5,      /* of one kind, logged between two summaries */
    LOG_WRITER_SUMMARY_MS = 1000, /* from the first that a summary counts to the summary */
};

/** access_fd: of the access log; stays the caller's. Never returns NULL. */
struct log_writer *log_writer_new(int access_fd, enum access_format access);

/** Takes NULL. */
void log_writer_free(struct log_writer *writer);

/** Writes the access log in this format from now on. */
void log_writer_set_access(struct log_writer *writer, enum access_format access);

/** Called with the record of each request, logged or not. */
typedef void log_writer_request(void *context, const struct log_record *record);

/** Calls this from now on; NULL: nobody. */
void log_writer_on_request(struct log_writer *writer, log_writer_request *callback, void *context);

/** Writes the records of a ring and empties it. */
void log_writer_write(struct log_writer *writer, struct log_ring *ring);

/** How many lines, of both logs, were dropped since the last call. */
uint64_t log_writer_take_dropped(struct log_writer *writer);

/** Whether a summary is due LOG_WRITER_SUMMARY_MS from now. */
bool log_writer_needs_summary(const struct log_writer *writer);

/** Logs how many refusals were not logged, and how many lines were dropped. */
void log_writer_summarize(struct log_writer *writer);
