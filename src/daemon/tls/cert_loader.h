/* SPDX-License-Identifier: MIT */
/**
 * The certificate reader: first reads that hold no handshake for long.
 *
 * A certificate that nobody has asked for yet is read in the handshake that asks. On a disk that is
 * a millisecond; on storage that hangs it would stop a worker, and all hosts that it serves. So the
 * read runs in a thread of its own, and the handshake waits for it a while and then is refused.
 * Whoever asks for the same host later, while the read still runs, is refused at once; so is who
 * asks for another that is not in the store, as long as any read takes longer than that while.
 * Safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cert_reader;
struct cert_store;
struct certificate;

enum {
    CERT_READER_PATIENCE_MS = 2000,
    CERT_READER_THREADS = 32, /* that read at the same time; more hosts are refused unread */
};

/** Reads the certificate of a host; cert_store_find(), but for tests. */
typedef struct certificate *cert_reader_load(struct cert_store *store, const char *host);

/** Never returns NULL. */
struct cert_reader *cert_reader_new(cert_reader_load *load, size_t threads_max,
                                    unsigned patience_ms);

/** Waits for the reads that run. Takes NULL. */
void cert_reader_free(struct cert_reader *reader);

/**
 * As cert_store_find(), or NULL if that takes too long.
 *
 * ret_is_late  whether it is not known yet if there is a certificate: this read takes too long, or
 *              another does, or too many run
 */
struct certificate *cert_reader_find(struct cert_reader *reader, struct cert_store *store,
                                     const char *host, bool *ret_is_late);
