/* SPDX-License-Identifier: MIT */
/**
 * The certificate scan: looks at every policy host's certificate, logs what is wrong, and counts.
 *
 * A thread of its own does so at a low priority, in slices: between two of them the workers have
 * the machine for themselves. Each function is safe from any thread.
 */
#pragma once

#include <stdint.h>

#include "lib/diag/config_finding.h"

struct cert_scan;
struct cert_store;
struct clock;
struct config;

enum {
    CERT_SCAN_SLICE_MS = 100,
    CERT_SCAN_PAUSE_MS = 300, /* between two slices */
};

struct cert_counts {
    uint64_t n_hosts[FINDING_COUNT]; /* by the gravest finding; FINDING_NONE: nothing is wrong */
    int64_t earliest_expiry_unix_s;  /* 0: there is no certificate */
};

/** Called in the scan's thread at the end of a scan. */
typedef void cert_scan_done(void *context, const struct cert_counts *counts);

struct cert_scan_options {
    const struct clock *clock; /* by which slices end; lives as long as the scan */
    unsigned slice_ms, pause_ms;
    cert_scan_done *done;
    void *context;
};

/** Starts the thread, without signals. Returns NULL if there can be none. */
struct cert_scan *cert_scan_new(const struct cert_scan_options *options);

/** Ends the thread after the host that it looks at. Takes NULL, as do all below. */
void cert_scan_free(struct cert_scan *scan);

/**
 * Begins a scan, after the one that is under way; one that has not begun is dropped. Takes
 * references of its own.
 */
void cert_scan_start(struct cert_scan *scan, struct config *config, struct cert_store *store);

/** No slice begins until cert_scan_resume(): a reload has the machine. */
void cert_scan_hold(struct cert_scan *scan);
void cert_scan_resume(struct cert_scan *scan);

/** Ends the scan that is under way, after the host that it looks at; none begins any more. */
void cert_scan_stop(struct cert_scan *scan);
