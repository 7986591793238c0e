/* SPDX-License-Identifier: MIT */
#include "daemon/main/server_stats.h"

#include "daemon/main/cert_states.h"
#include "lib/config/config.h"

void server_stats_set_config(struct server_stats *stats, const struct config *config,
                             int64_t now_unix_s)
{
    uint64_t counts[POLICY_MODE_COUNT] = {0};

    for (size_t i = 0; i < config->n_domains; i++)
        if (config->domains[i].document)
            counts[config->domains[i].document->policy.mode]++;
    for (int mode = 0; mode < POLICY_MODE_COUNT; mode++)
        atomic_store(&stats->n_domains[mode], counts[mode]);
    atomic_store(&stats->loaded_at_unix_s, now_unix_s);
    atomic_store(&stats->is_last_reload_good, true);
}

void server_stats_set_certificates(struct server_stats *stats, const struct cert_counts *counts)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        atomic_store(&stats->n_certificates[i], counts->n_hosts[i]);
    atomic_store(&stats->earliest_expiry_unix_s, counts->earliest_expiry_unix_s);
}

void server_stats_count_reload(struct server_stats *stats)
{
    atomic_fetch_add(&stats->n_reloads_good, 1);
}

void server_stats_count_refusal(struct server_stats *stats)
{
    atomic_fetch_add(&stats->n_reloads_refused, 1);
    atomic_store(&stats->is_last_reload_good, false);
}

void server_stats_count_run(struct server_stats *stats, bool is_accepted)
{
    atomic_fetch_add(is_accepted ? &stats->n_runs_accepted : &stats->n_runs_failed, 1);
    atomic_store(&stats->is_last_run_failed, !is_accepted);
}
