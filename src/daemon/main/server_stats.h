/* SPDX-License-Identifier: MIT */
/**
 * What the control plane counts, beside the metrics of the workers. Any thread may read the numbers
 * and call the functions.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/main/acme_hosts.h"
#include "lib/diag/config_finding.h"
#include "lib/policy/policy.h"

struct cert_counts;
struct config;

struct server_stats {
    _Atomic uint64_t n_domains[POLICY_MODE_COUNT];  /* that are served, by mode */
    _Atomic uint64_t n_certificates[FINDING_COUNT]; /* by the gravest finding; NONE: good */
    _Atomic int64_t earliest_expiry_unix_s;         /* 0: there is no certificate */
    _Atomic uint64_t n_reloads_good, n_reloads_refused;
    _Atomic int64_t loaded_at_unix_s; /* the configuration that serves */
    atomic_bool is_last_reload_good;
    _Atomic uint64_t n_log_lines_dropped;
    _Atomic uint64_t n_state_failures;               /* writes to the directory of `state:` */
    _Atomic uint64_t n_runs_accepted, n_runs_failed; /* of the program of `on_change` */
    atomic_bool is_last_run_failed;
    _Atomic uint64_t n_checks_good, n_checks_failed;         /* runs of mta-stsd-check */
    _Atomic uint64_t n_sites_good, n_sites_failed;           /* runs that write the status site */
    _Atomic int64_t site_written_unix_s;                     /* 0: not yet */
    _Atomic uint64_t n_conditions_good, n_conditions_failed; /* runs that list conditions */
    _Atomic uint64_t n_notices_good, n_notices_failed;       /* runs of the program of `notify` */
    struct acme_stats acme;
    atomic_uint n_loops_stalled; /* of workers */
};

/** `config` serves from now on. */
void server_stats_set_config(struct server_stats *stats, const struct config *config,
                             int64_t now_unix_s);

/** A scan of all certificates has counted these. */
void server_stats_set_certificates(struct server_stats *stats, const struct cert_counts *counts);

/** Counts a reload that serves. */
void server_stats_count_reload(struct server_stats *stats);
/** Counts a reload that was refused. */
void server_stats_count_refusal(struct server_stats *stats);

/** Counts a run of the program of `on_change`, or that it could not be made. */
void server_stats_count_run(struct server_stats *stats, bool is_accepted);
