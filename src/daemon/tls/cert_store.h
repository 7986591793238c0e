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

#include "daemon/tls/cert_files.h"
#include "lib/base/log.h"

struct cert_store;
struct certificate;
struct clock;
struct cert_source;
struct err;
struct probe;
struct probe_context;
struct trust_store;

enum {
    CERT_STORE_HOSTS = 10000, /* default capacity */
};

/**
 * sources   copied; may be empty: then no host has a certificate
 * capacity  hosts remembered, at least 1
 * clock     lives as long as the store
 * trust     lives as long as the store; NULL: roots are not judged
 * Returns a store with one reference, never NULL.
 */
struct cert_store *cert_store_new(const struct cert_source *sources, size_t n_sources,
                                  size_t capacity, const struct clock *clock,
                                  const struct trust_store *trust);

/**
 * Has messages of files that may not be read say why. Call it before any other.
 *
 * context  lives as long as the store
 */
void cert_store_set_explain(struct cert_store *store, cert_files_explain *explain, void *context);

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

/**
 * cert_store_lookup() without being a use of the host: who looks at all hosts must not push out
 * those that senders ask for.
 */
bool cert_store_peek(struct cert_store *store, const char *host,
                     struct certificate **ret_certificate);

/** Sources that may have a certificate for the host; 0 for what must be in no path. */
size_t cert_store_n_sources(const struct cert_store *store, const char *host);

/** cert_files_probe() of one source, past what is remembered. */
void cert_store_probe(struct cert_store *store, size_t source, const char *host,
                      struct probe *ret_probe);

/** Belongs to the store. */
const struct probe_context *cert_store_context(const struct cert_store *store);

/**
 * A number that differs after the host's files, or the certificate in use, have changed. Looks at
 * the files' versions only.
 */
uint32_t cert_store_mark(struct cert_store *store, const char *host);

/**
 * Whether the fixed part of every source's directory can be listed. One that cannot be must not
 * look like 50,000 missing certificates.
 *
 * n_required  the directories of later sources may be missing: nothing has come there yet
 * Returns 0, or -1 with *err set: ERR_IO (sys_errno), naming the directory.
 */
int cert_store_check_access(const struct cert_store *store, size_t n_required, struct err *err);

/**
 * Called by the background pass once for each change or fault it finds, in its own thread.
 *
 * level  LOG_INFO: a certificate was replaced by a good one; LOG_WARNING: what was found is wrong
 * host   "certificates" if the files are those of a source without {host}, whichever hosts it
 * serves
 */
typedef void cert_report(void *context, enum log_level level, const char *host,
                         const char *message);

/**
 * The background pass: looks again at the files behind every remembered host and replaces what
 * changed. A pair that is broken, does not belong together, is unusable, no longer covers the host
 * or has gone leaves the old one in use, and so does one that senders would refuse (expired, not
 * yet valid, self-signed, untrusted, without its intermediate) if they take the old one. Each is
 * reported once until it changes again; the first certificate of a host is not, as who looks at all
 * hosts tells of it. One caller at a time.
 */
void cert_store_refresh(struct cert_store *store, cert_report *report, void *context);
