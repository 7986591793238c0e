/* SPDX-License-Identifier: MIT */
/**
 * What a pass over certificates logs: a line for each of the first hosts, then how many there are
 * in all; 50,000 lines would tell less.
 */
#pragma once

#include <stddef.h>

struct cert_state;
struct certificate;
struct config;
struct domain;
struct err;

enum {
    CERT_SCAN_LOGGED_MAX = 20, /* hosts named in one pass, of each kind */
    CERT_SCAN_DENIED_MAX = 512,
};

/** Of one pass; starts as zeros. */
struct cert_scan_log {
    size_t n_faults, n_arrivals;
    size_t n_denied;                          /* hosts whose files may not be read */
    char denied[CERT_SCAN_DENIED_MAX];        /* the first one's host */
    char denied_reason[CERT_SCAN_DENIED_MAX]; /* and message */
};

/** Logs what is wrong with the certificate of a host; of all that may not be read, one at the end.
 */
void cert_scan_log_fault(struct cert_scan_log *log, const char *host,
                         const struct cert_state *state);

/** Logs that a domain has the first certificate that senders accept, and the record to publish. */
void cert_scan_log_arrival(struct cert_scan_log *log, const struct config *config,
                           const struct domain *domain, const struct certificate *certificate);

/** Logs how many hosts were not named. */
void cert_scan_log_end(const struct cert_scan_log *log);

/** Logs that the place of certificates cannot be read. */
void cert_scan_log_access(const struct err *err);

/** Logs that there are no passes. */
void cert_scan_log_no_thread(void);
