/* SPDX-License-Identifier: MIT */
/**
 * The certificate store: from a policy host's name to its certificate, read on first use.
 *
 * Sources are tried in order; the first whose certificate covers the host wins. Paths with {host}
 * are one certificate for each host; paths without are a certificate for all names in its SAN. A
 * bounded number of hosts is remembered, also those without a certificate; the least recently used
 * goes. Only the background pass looks at the files again.
 *
 * Any thread may call all but cert_store_refresh(); a short lock, never held over I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag/config_finding.h"

struct cert_store;
struct certificate;
struct clock;
struct cert_source;
struct err;
struct trust_store;

enum {
    CERT_STORE_HOSTS = 10000, /* default capacity */
};

/**
 * sources   copied; may be empty: then no host has a certificate
 * capacity  hosts remembered, at least 1
 * clock     lives as long as the store
 * trust     lives as long as the store; NULL: cert_store_check() does not judge roots
 * Returns a store with one reference, never NULL.
 */
struct cert_store *cert_store_new(const struct cert_source *sources, size_t n_sources,
                                  size_t capacity, const struct clock *clock,
                                  const struct trust_store *trust);

struct cert_store *cert_store_ref(struct cert_store *store);

/** Takes NULL. */
void cert_store_unref(struct cert_store *store);

/**
 * The certificate to present for `host` (stored form), read now if it was never asked for.
 *
 * Returns one reference, or NULL if no source has one that covers it.
 */
struct certificate *cert_store_find(struct cert_store *store, const char *host);

/**
 * The same without reading: whether the host is remembered.
 *
 * ret_certificate  one reference, or NULL: remembered as having none; untouched if not remembered
 */
bool cert_store_lookup(struct cert_store *store, const char *host,
                       struct certificate **ret_certificate);

/** What cert_store_check() says of one host. */
struct cert_state {
    struct certificate *certificate; /* one reference, or NULL: the host cannot be served */
    finding_set findings;            /* FINDING_CERTIFICATE_* */
    char message[512]; /* what was looked at and why it will not do; empty if nothing is wrong */
};

/**
 * Looks at one host's certificate as --test-config and the background do, past the memory of
 * cert_store_find() and without filling it: reads the files now and judges what is found. The files
 * of a source without {host} are read once for all checks.
 * The caller unrefs ret_state->certificate.
 */
void cert_store_check(struct cert_store *store, const char *host, struct cert_state *ret_state);

/**
 * Whether the fixed part of every source's directory can be listed. One that cannot be must not
 * look like 50,000 missing certificates.
 *
 * Returns 0, or -1 with *err set: ERR_IO (sys_errno), naming the directory.
 */
int cert_store_check_access(const struct cert_store *store, struct err *err);

/**
 * Called by the background pass once for each change or fault it finds, in its own thread.
 *
 * host  "certificates" if the files are those of a source without {host}, whichever hosts it serves
 */
typedef void cert_report(void *context, const char *host, const char *message);

/**
 * The background pass: looks again at the files behind every remembered host and replaces what
 * changed. A pair that is broken, does not belong together, is unusable, no longer covers the host
 * or has gone leaves the old one in use, and so does one that senders would refuse (expired, not
 * yet valid, self-signed, untrusted, without its intermediate) if they take the old one. Each is
 * reported once until it changes again. One caller at a time.
 */
void cert_store_refresh(struct cert_store *store, cert_report *report, void *context);
