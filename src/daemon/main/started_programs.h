/* SPDX-License-Identifier: MIT */
/**
 * The programs that the daemon has the spawner start, and all that starts them: trial loads,
 * on_change, notify, checks, the reading of reports, the status site and orders of certificates.
 *
 * Main thread, but for those functions that say otherwise. Functions take NULL where nothing was
 * made.
 */
#pragma once

#include <stdint.h>

struct account;
struct acme_orders;
struct cert_scan;
struct cert_state;
struct cert_store;
struct check_schedule;
struct config;
struct err;
struct notifier;
struct report_service;
struct server_stats;
struct started_programs;
struct state_keeper;
struct trial_load;
struct uv_loop_s;

/**
 * Starts the spawner. For the time before libuv's loop is made: a process that is forked after it
 * closes descriptors which it takes for its own.
 *
 * config  that serves, at any time
 * store   the same
 * Returns 0, or -1 with *err set: ERR_IO, ERR_SYNTAX (a file that a program needs will not do).
 */
int started_programs_new(struct config *const *config, struct cert_store *const *store,
                         const char *config_path, const struct account *account,
                         struct started_programs **ret_programs, struct err *err);

/** Once the directory of `state:` is made, before privileges are dropped. */
void started_programs_make_directories(struct started_programs *programs,
                                       const struct account *account);

/** report_service_start(); after the sandbox was entered, before the workers begin. */
void started_programs_begin_reports(struct started_programs *programs, struct uv_loop_s *loop,
                                    _Atomic uint64_t *n_failures);

struct started_programs_options {
    struct uv_loop_s *loop;
    struct cert_scan *const *scan; /* made before the loop turns */
    struct state_keeper *keeper;   /* NULL: the state directory cannot be used */
    struct server_stats *stats;
    void (*installed)(void *context); /* an ordered certificate was installed */
    void *context;
};

/** Makes the parts; nothing is started before the loop turns. After the sandbox was entered. */
void started_programs_begin(struct started_programs *programs,
                            const struct started_programs_options *options);

/** Another configuration serves. */
void started_programs_take_config(struct started_programs *programs);

/** A reload has ended. reason: why it was refused, for a person; NULL: it was good. */
void started_programs_take_reload(struct started_programs *programs, const char *reason);

/** Senders can fetch more policies now. Any thread. */
void started_programs_take_fetchable(struct started_programs *programs);

/** A certificate was looked at. Any thread. */
void started_programs_take_certificate(struct started_programs *programs, const char *host,
                                       const struct cert_state *state);

/** All certificates that were to be looked at were. Any thread. */
void started_programs_take_certificates(struct started_programs *programs);

/** Never NULL. */
struct trial_load *started_programs_trial(struct started_programs *programs);

/** NULL: there are none. */
struct check_schedule *started_programs_checks(const struct started_programs *programs);

/** NULL: nobody is told anything. */
struct notifier *started_programs_notifier(const struct started_programs *programs);

/** Never NULL. */
struct report_service *started_programs_reports(const struct started_programs *programs);

/** NULL: nothing is ordered. */
struct acme_orders *started_programs_orders(const struct started_programs *programs);

/** The daemon ends: nothing is started any more, and what runs is ended. */
void started_programs_stop(struct started_programs *programs);

/** When the loop has ended. */
void started_programs_free(struct started_programs *programs);
