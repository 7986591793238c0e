/* SPDX-License-Identifier: MIT */
/**
 * The certificate scan: looks at every policy host's certificate, logs what is wrong and what has
 * come, and counts.
 *
 * There are two kinds of pass: over all hosts (a new configuration, and every hour, as time makes
 * certificates old), and over those whose files have changed. A thread of its own does so at a low
 * priority, in slices: between two of them the workers have the machine for themselves. Each
 * function is safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cert_counts;
struct cert_scan;
struct cert_state;
struct cert_store;
struct cert_view;
struct clock;
struct config;

enum {
    CERT_SCAN_SLICE_MS = 100,
    CERT_SCAN_PAUSE_MS = 300, /* between two slices */
    CERT_SCAN_ALL_MS = 60 * 60 * 1000,
};

/** Called in the scan's thread at the end of a pass. */
typedef void cert_scan_done(void *context, const struct cert_counts *counts);

/**
 * Called in the scan's thread before that, with the domains whose policies senders can fetch by
 * now: there is a certificate that they accept, or a proxy has one. A domain is told of once in a
 * process, however many configurations it is in; in the first pass that is every one that can be
 * fetched.
 *
 * domains  indices into config->domains, ascending; at least one
 */
typedef void cert_scan_fetchable(void *context, struct config *config, const size_t *domains,
                                 size_t n_domains);

/** Called in the scan's thread after each look at a host. */
typedef void cert_scan_seen(void *context, const char *host, const struct cert_state *state);

struct cert_scan_options {
    const struct clock *clock; /* by which slices end; lives as long as the scan */
    unsigned slice_ms, pause_ms;
    unsigned all_ms; /* from the end of a pass over all hosts to the next */
    cert_scan_done *done;
    cert_scan_fetchable *fetchable; /* NULL: nobody wants to know */
    cert_scan_seen *seen;           /* the same */
    void *context;
};

/** Starts the thread, without signals. Returns NULL if there can be none. */
struct cert_scan *cert_scan_new(const struct cert_scan_options *options);

/** Ends the thread after the host that it looks at. Takes NULL, as do all below. */
void cert_scan_free(struct cert_scan *scan);

/**
 * Begins a pass over all hosts, after the one that is under way; one that has not begun is dropped.
 * Takes references of its own.
 */
void cert_scan_start(struct cert_scan *scan, struct config *config, struct cert_store *store);

/**
 * Begins a pass over the hosts whose files have changed, or over all if all_ms are over, after the
 * one that is under way.
 */
void cert_scan_look(struct cert_scan *scan);

/**
 * Whether a pass in this process has found that senders can fetch the policy of a domain; a name
 * keeps this from one configuration to the next. False before the first look.
 *
 * domain  index into config->domains
 */
bool cert_scan_was_fetchable(struct cert_scan *scan, const struct config *config, size_t domain);

/** Whether a pass over all hosts has ended in this process. */
bool cert_scan_has_ended(struct cert_scan *scan);

/**
 * What the last look at a domain's host has found.
 *
 * domain  index into config->domains
 * Returns 0, or -1: nobody has looked at that host of this configuration yet.
 */
int cert_scan_find(struct cert_scan *scan, const struct config *config, size_t domain,
                   struct cert_view *ret_view);

/** No slice begins until cert_scan_resume(): a reload has the machine. */
void cert_scan_hold(struct cert_scan *scan);
void cert_scan_resume(struct cert_scan *scan);

/** Ends the scan that is under way, after the host that it looks at; none begins any more. */
void cert_scan_stop(struct cert_scan *scan);
