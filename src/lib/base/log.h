/* SPDX-License-Identifier: MIT */
/**
 * The log of the control plane: lines to standard error.
 *
 * The level and the count of dropped lines are global, so that no caller has to carry them. Called
 * from cli/ and daemon/ only; a worker thread hands its access log to the control plane
 * (daemon/worker/log_ring.h).
 */
#pragma once

#include <stdint.h>

struct slice;

enum log_level {
    LOG_ERROR,
    LOG_WARNING,
    LOG_INFO,
    LOG_DEBUG,
    LOG_LEVEL_COUNT,
};

/** Sets the least grave level that is shown; before the first call, LOG_INFO. */
void log_set_level(enum log_level level);

/** "error", "warning", "info" or "debug". */
const char *log_level_name(enum log_level level);

/** Logs each line of `text`; an empty text logs nothing. */
void log_text(enum log_level level, struct slice text);

/**
 * Prints one line, "mta-stsd: warning: ...", or drops it if nobody reads standard error. Safe from
 * any thread.
 */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** How many lines were dropped since the last call. */
uint64_t log_take_dropped(void);
