/* SPDX-License-Identifier: MIT */
/**
 * The certificate loader: first reads, by threads that may hang in a worker's stead.
 *
 * A certificate that is not in the store is read in the handshake that asks for it. On a disk that
 * takes a millisecond; on storage that hangs it would stop a worker, and with it all its hosts. So
 * one of four threads reads, and the handshake waits for that, but not for longer than a time-out.
 *
 * While one read takes longer than the time-out, or if the last read took longer, no handshake
 * waits at all: its host is read in the background and refused at once, so that a sender's next try
 * finds it in the store. Safe from any thread.
 */
#pragma once

#include <stdbool.h>

struct cert_loader;
struct cert_store;
struct certificate;

enum {
    CERT_LOADER_TIMEOUT_MS = 2000,
    CERT_LOADER_THREADS = 4,
    CERT_LOADER_JOBS_MAX = 64, /* that run or wait; beyond, hosts are refused unread */
};

/** Reads the certificate of a host; cert_store_find(), but for tests. */
typedef struct certificate *cert_loader_load(struct cert_store *store, const char *host);

/**
 * Starts no thread yet: a thread has the signal mask and the sandbox of the thread that first needs
 * it. Never returns NULL.
 */
struct cert_loader *cert_loader_new(cert_loader_load *load, unsigned timeout_ms);

/**
 * Waits for the reads that run, at most the time-out. Takes NULL.
 *
 * Returns 0, or -1 if a read hangs. Then its thread and the loader stay: call again, or end the
 * process by _exit(), which no thread holds up.
 */
int cert_loader_free(struct cert_loader *loader);

/**
 * The certificate to present for `host`: one reference, or NULL.
 *
 * ret_is_late  whether it is not known yet if there is a certificate, because reads take too long
 */
struct certificate *cert_loader_find(struct cert_loader *loader, struct cert_store *store,
                                     const char *host, bool *ret_is_late);
