/* SPDX-License-Identifier: MIT */
/**
 * The report service: takes in TLS reports for all workers, keeps them in the spool, and has them
 * read. It also counts who fetches the policies, which is read with them.
 *
 * Main thread, but for what the workers call through the intake.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/state/spool.h"

struct log_record;
struct program_command;
struct report_intake;
struct report_service;
struct spawner;
struct uv_loop_s;

/** Numbers for the metrics; any thread may read them. */
struct report_stats {
    struct spool_count spool;
    uint64_t n_reads_good, n_reads_failed; /* runs of the program that reads reports */
};

/** Never returns NULL. Without report_service_start() nothing is kept. */
struct report_service *report_service_new(const char *config_path);

/** What the workers take reports in with; lives as long as the service. */
const struct report_intake *report_service_intake(const struct report_service *service);

/** The command that reads reports, for the spawner. Valid as long as the service. */
struct program_command report_service_command(const struct report_service *service);

/**
 * Begins to keep and to read reports: after the sandbox is entered, before the workers begin. What
 * fails is logged.
 *
 * n_failures  of writing
 */
void report_service_start(struct report_service *service, struct uv_loop_s *loop,
                          struct spawner *spawner, const char *state_directory,
                          _Atomic uint64_t *n_failures);

/** Takes NULL: all are 0. Any thread. */
struct report_stats report_service_stats(struct report_service *service);

/** Counts the record of a request if it has fetched a policy: a log_writer_request, whose context
 * is the service. */
void report_service_add_request(void *context, const struct log_record *record);

/** The daemon ends: nothing is read any more. What workers still take in is kept. Takes NULL. */
void report_service_stop(struct report_service *service);

/** The workers have ended, and the loop. Waits until all that was taken is written. Takes NULL. */
void report_service_free(struct report_service *service);
