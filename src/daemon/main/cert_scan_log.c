/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_scan_log.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/record.h"

/* Keys of a group that the daemon is not in are one mistake, and one line. */
void cert_scan_log_fault(struct cert_scan_log *log, const char *host,
                         const struct cert_state *state)
{
    if (state->sys_errno == EACCES) {
        if (log->n_denied++ == 0) {
            snprintf(log->denied, sizeof(log->denied), "%s", host);
            snprintf(log->denied_reason, sizeof(log->denied_reason), "%s", state->message);
        }
    } else if (log->n_faults++ < CERT_SCAN_LOGGED_MAX) {
        log_line(LOG_WARNING, "%s: %s", host, state->message);
    }
}

static void log_denied(const struct cert_scan_log *log)
{
    char more[64] = "";

    if (log->n_denied > 1)
        snprintf(more, sizeof(more), " and %zu more policy host%s", log->n_denied - 1,
                 log->n_denied == 2 ? "" : "s");
    if (log->n_denied > 0)
        log_line(LOG_WARNING, "%s%s: %s", log->denied, more, log->denied_reason);
}

/* The record that was withheld for the want of a certificate; NULL: there is none. */
static const struct dns_record *find_withheld(const struct config *config,
                                              const struct domain *domain, struct arena *arena)
{
    struct domain_records_spec spec = domain_records_spec_make(config, domain, "until now");
    struct dns_record *records;
    size_t n_records = dns_records_list(&spec, arena, &records);

    for (size_t i = 0; i < n_records; i++)
        if (records[i].withheld)
            return &records[i];
    return NULL;
}

void cert_scan_log_arrival(struct cert_scan_log *log, const struct config *config,
                           const struct domain *domain, const struct certificate *certificate)
{
    char host[POLICY_HOST_SIZE], date[CERTIFICATE_DATE_MAX];
    const struct dns_record *record;
    struct arena *arena;

    if (log->n_arrivals++ >= CERT_SCAN_LOGGED_MAX)
        return;
    arena = arena_new(0);
    record = find_withheld(config, domain, arena);
    dns_policy_host_render(domain->name, host);
    certificate_date_render(certificate_not_after_unix_s(certificate), date);
    if (record)
        log_line(LOG_INFO,
                 "%s: %s: a certificate valid until %s is in use, the first that senders accept; "
                 "publish now: %s. %s \"%s\"",
                 host, certificate_path(certificate), date, record->name,
                 record_type_name(record->type), record->value);
    arena_free(arena);
}

void cert_scan_log_end(const struct cert_scan_log *log)
{
    log_denied(log);
    if (log->n_faults > CERT_SCAN_LOGGED_MAX)
        log_line(LOG_WARNING,
                 "%zu certificates are missing or wrong in all; --test-config names each",
                 log->n_faults);
    if (log->n_arrivals > CERT_SCAN_LOGGED_MAX)
        log_line(LOG_INFO,
                 "%zu policy hosts have got their first certificate in all; --print-dns prints the "
                 "records to publish now",
                 log->n_arrivals);
}

void cert_scan_log_access(const struct err *err)
{
    log_line(LOG_WARNING, "certificates: %s", err->msg);
}

void cert_scan_log_no_thread(void)
{
    log_line(LOG_WARNING, "certificates are not looked at in the background: no thread");
}
