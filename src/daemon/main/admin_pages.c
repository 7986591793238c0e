/* SPDX-License-Identifier: MIT */
#include "daemon/main/admin_pages.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/main/check_schedule.h"
#include "daemon/main/readiness.h"
#include "daemon/main/report_service.h"
#include "daemon/main/server_stats.h"
#include "daemon/worker/metrics.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "version.h"

enum {
    CHECK_METRICS_MAX = 64 * 1024,
    CHECK_RESULTS_MAX = 64 * 1024 * 1024,
};

/* Prometheus text format 0.0.4: a family's two lines of comment, then its samples. */
static void print_family(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP mtasts_%s %s\n# TYPE mtasts_%s %s\n", name, help, name, type);
}

static void print_single(const char *name, const char *type, const char *help, int64_t value,
                         FILE *out)
{
    print_family(name, type, help, out);
    fprintf(out, "mtasts_%s %" PRId64 "\n", name, value);
}

static void print_sample(const char *name, const char *label, const char *value, uint64_t count,
                         FILE *out)
{
    fprintf(out, "mtasts_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, count);
}

static void print_requests(const struct metrics *sum, FILE *out)
{
    print_family("http_requests_total", "counter", "Requests answered, by status code.", out);
    for (size_t i = 0; i < METRICS_CODE_COUNT; i++) {
        char code[16] = "other";

        if (metrics_codes[i] != 0)
            snprintf(code, sizeof(code), "%u", metrics_codes[i]);
        print_sample("http_requests_total", "code", code, sum->requests[i], out);
    }
}

static void print_connections(const struct metrics *sum, FILE *out)
{
    uint64_t ended = 0;

    print_family("tls_handshakes_total", "counter", "TLS handshakes, by result.", out);
    for (int i = 0; i < HANDSHAKE_RESULT_COUNT; i++)
        print_sample("tls_handshakes_total", "result",
                     handshake_result_name((enum handshake_result)i), sum->handshakes[i], out);
    print_family("connections_ended_total", "counter", "Connections ended, by reason.", out);
    for (int i = 0; i < END_REASON_COUNT; i++) {
        print_sample("connections_ended_total", "reason", end_reason_name((enum end_reason)i),
                     sum->ends[i], out);
        ended += sum->ends[i];
    }
    print_single("connections_opened_total", "counter", "Connections accepted.",
                 (int64_t)sum->opened, out);
    print_single("connections_open", "gauge", "Connections open now.",
                 (int64_t)(sum->opened - ended), out);
}

static void print_loops(const struct server_stats *stats, const struct metrics *sum, FILE *out)
{
    print_single("connections_memory_bytes", "gauge",
                 "Memory that open connections are reckoned to hold.", (int64_t)sum->memory_bytes,
                 out);
    print_single("connections_memory_limit_bytes", "gauge",
                 "Memory that they may hold; beyond, the largest unfinished ones are ended.",
                 (int64_t)sum->memory_max, out);
    print_single("worker_loop_stalled", "gauge",
                 "Workers whose loop has not turned for 10 s; after 30 s the daemon ends itself.",
                 stats->n_loops_stalled, out);
}

static void print_domains(const struct server_stats *stats, FILE *out)
{
    print_family("domains", "gauge", "Policy domains served, by mode.", out);
    for (int mode = 0; mode < POLICY_MODE_COUNT; mode++)
        print_sample("domains", "mode", policy_mode_name((enum policy_mode)mode),
                     stats->n_domains[mode], out);
}

static void print_certificates(const struct server_stats *stats, FILE *out)
{
    print_family("certificates", "gauge",
                 "Policy hosts by the state of the certificate that they are answered.", out);
    print_sample("certificates", "state", "ok", stats->n_certificates[FINDING_NONE], out);
    for (int i = FINDING_CERTIFICATE_UNREADABLE; i <= FINDING_CERTIFICATE_CHAIN; i++)
        print_sample("certificates", "state",
                     finding_row((enum finding)i)->code + strlen("certificate-"),
                     stats->n_certificates[i], out);
    print_single("certificate_earliest_not_after_timestamp_seconds", "gauge",
                 "When the first of the certificates in use expires; 0 without any.",
                 stats->earliest_expiry_unix_s, out);
}

static void print_reloads(const struct server_stats *stats, FILE *out)
{
    print_family("config_reloads_total", "counter", "Reloads, by result.", out);
    print_sample("config_reloads_total", "result", "good", stats->n_reloads_good, out);
    print_sample("config_reloads_total", "result", "refused", stats->n_reloads_refused, out);
    print_single("config_last_reload_successful", "gauge", "Whether the last reload was good.",
                 stats->is_last_reload_good, out);
    print_single("config_last_reload_success_timestamp_seconds", "gauge",
                 "When the configuration that serves was loaded.", stats->loaded_at_unix_s, out);
    print_single("log_lines_dropped_total", "counter", "Log lines dropped to keep serving.",
                 (int64_t)stats->n_log_lines_dropped, out);
    print_single("state_write_failures_total", "counter",
                 "What could not be written to the directory of state:.",
                 (int64_t)stats->n_state_failures, out);
}

static void print_on_change(const struct server_stats *stats, FILE *out)
{
    print_family("on_change_runs_total", "counter", "Runs of the program of on_change, by result.",
                 out);
    print_sample("on_change_runs_total", "result", "accepted", stats->n_runs_accepted, out);
    print_sample("on_change_runs_total", "result", "failed", stats->n_runs_failed, out);
    print_single("on_change_last_run_successful", "gauge",
                 "0 while records wait because the last run failed.", !stats->is_last_run_failed,
                 out);
}

static void print_notices(const struct server_stats *stats, FILE *out)
{
    print_family("notify_runs_total", "counter", "Runs of the program of notify, by result.", out);
    print_sample("notify_runs_total", "result", "delivered", stats->n_notices_good, out);
    print_sample("notify_runs_total", "result", "failed", stats->n_notices_failed, out);
    print_family("condition_lists_total", "counter",
                 "Runs that list what notify may have to tell, by result.", out);
    print_sample("condition_lists_total", "result", "good", stats->n_conditions_good, out);
    print_sample("condition_lists_total", "result", "failed", stats->n_conditions_failed, out);
}

/* Prints a file that mta-stsd-check has left. Returns whether there is one. */
static bool print_check_file(const char *path, size_t max_bytes, FILE *out)
{
    struct arena *arena = arena_new(0);
    struct slice bytes;
    struct stat status;
    struct err err;
    bool is_there = file_read_regular(path, max_bytes, arena, &status, &bytes, &err) == 0;

    if (is_there)
        fwrite(bytes.ptr, 1, bytes.len, out);
    arena_free(arena);
    return is_there;
}

static void print_checks(const struct admin_pages *pages, FILE *out)
{
    print_family("check_runs_total", "counter", "Runs of mta-stsd-check, by result.", out);
    print_sample("check_runs_total", "result", "good", pages->stats->n_checks_good, out);
    print_sample("check_runs_total", "result", "failed", pages->stats->n_checks_failed, out);
    if (pages->checks)
        print_check_file(check_schedule_metrics(pages->checks), CHECK_METRICS_MAX, out);
}

static void print_sites(const struct server_stats *stats, FILE *out)
{
    print_family("site_runs_total", "counter",
                 "Runs of mta-stsd-reports that write the status site, by result.", out);
    print_sample("site_runs_total", "result", "good", stats->n_sites_good, out);
    print_sample("site_runs_total", "result", "failed", stats->n_sites_failed, out);
    print_single("site_written_timestamp_seconds", "gauge",
                 "When the status site was written; 0 if this process has had none written.",
                 stats->site_written_unix_s, out);
}

static void print_reports(struct report_service *reports, const struct metrics *sum, FILE *out)
{
    const struct report_stats stats = report_service_stats(reports);

    print_family("reports_received_total", "counter", "TLS reports POSTed, by result.", out);
    for (int i = 0; i < REPORT_RESULT_COUNT; i++)
        print_sample("reports_received_total", "result", report_result_name((enum report_result)i),
                     sum->reports[i], out);
    print_single("reports_spool_files", "gauge",
                 "Files in the spool: reports to be read, and those that could not be read.",
                 (int64_t)stats.spool.n_files, out);
    print_single("reports_spool_bytes", "gauge", "What these files take.",
                 (int64_t)stats.spool.bytes, out);
    print_family("reports_read_runs_total", "counter",
                 "Runs of the program that reads the spool, by result.", out);
    print_sample("reports_read_runs_total", "result", "good", stats.n_reads_good, out);
    print_sample("reports_read_runs_total", "result", "failed", stats.n_reads_failed, out);
}

static void print_orders(const struct acme_stats *stats, FILE *out)
{
    print_family("acme_hosts", "gauge", "Policy hosts by what acme: knows of them.", out);
    for (int i = 0; i < ACME_STATE_COUNT; i++)
        print_sample("acme_hosts", "state", acme_state_word((enum acme_state)i), stats->n_hosts[i],
                     out);
    print_family("acme_orders_total", "counter", "Orders of certificates, by result.", out);
    print_sample("acme_orders_total", "result", "issued", stats->n_ordered, out);
    print_sample("acme_orders_total", "result", "failed", stats->n_failed, out);
    print_single("acme_earliest_not_after_timestamp_seconds", "gauge",
                 "When the first of the certificates that were ordered expires; 0 without any.",
                 stats->earliest_expiry_unix_s, out);
    print_single("acme_held_until_timestamp_seconds", "gauge",
                 "Until when no certificates are ordered, because the certificate authority takes "
                 "no orders; 0 if it does.",
                 stats->held_until_unix_s, out);
}

static void print_metrics(const struct admin_pages *pages, FILE *out)
{
    struct metrics sum = {0};

    for (size_t i = 0; i < pages->n_workers; i++)
        metrics_add(&sum, pages->workers[i]);
    print_family("build_info", "gauge", "1, with the version.", out);
    print_sample("build_info", "version", MTA_VERSION, 1, out);
    print_requests(&sum, out);
    print_connections(&sum, out);
    print_loops(pages->stats, &sum, out);
    print_domains(pages->stats, out);
    print_certificates(pages->stats, out);
    print_reloads(pages->stats, out);
    print_on_change(pages->stats, out);
    print_notices(pages->stats, out);
    print_orders(&pages->stats->acme, out);
    print_checks(pages, out);
    print_reports(pages->reports, &sum, out);
    print_sites(pages->stats, out);
}

int admin_pages_print(void *context, struct slice path, const char **ret_type, FILE *out)
{
    const struct admin_pages *pages = context;
    bool is_alive = atomic_load(&pages->stats->n_loops_stalled) == 0;
    bool is_ready = readiness_is_ready(pages->readiness) && is_alive;

    if (slice_eq_text(path, "/healthz")) {
        fputs(is_alive ? "alive\n" : "a worker is stuck\n", out);
        return is_alive ? 200 : 503;
    }
    if (slice_eq_text(path, "/readyz")) {
        fputs(is_ready ? "ready\n" : "not ready\n", out);
        return is_ready ? 200 : 503;
    }
    if (slice_eq_text(path, "/metrics")) {
        *ret_type = "text/plain; version=0.0.4; charset=utf-8";
        print_metrics(pages, out);
        return 200;
    }
    if (slice_eq_text(path, "/" CHECK_RESULTS)) {
        if (pages->checks &&
            print_check_file(check_schedule_results(pages->checks), CHECK_RESULTS_MAX, out)) {
            *ret_type = "application/json";
            return 200;
        }
        fputs("there are no results of a check, see check: in mta-stsd.yaml\n", out);
        return 404;
    }
    fputs("there are /healthz, /readyz, /metrics, /status/ and /" CHECK_RESULTS "\n", out);
    return 404;
}
