/* SPDX-License-Identifier: MIT */
/**
 * Installing: a new certificate and its key are put where the store finds them.
 *
 * Both files are in a directory of the host's name, which is exchanged as a whole: whoever opens a
 * file there gets one of the old pair or of the new one, after a crash too. Any thread, but one at
 * a time for a host; waits for the disk.
 */
#pragma once

#include <stdint.h>

struct cert_source;
struct cert_store;
struct err;

/** Of a directory that is to take the place of a host's; no host's name begins with a dot. */
#define CERT_INSTALL_NEW_PREFIX ".new-"

struct cert_install {
    const char *host;
    const struct cert_source *from; /* the new pair; paths with or without {host} */
    const char *directory;          /* gets HOST/chain_name and HOST/key_name */
    const char *chain_name, *key_name;
    const char *note_name, *note; /* a text beside them */
};

struct cert_install_dates {
    int64_t not_before_unix_s, not_after_unix_s;
};

/**
 * Checks the new pair as the store would, and that it is not worse than the certificate in use, and
 * puts it in place. What is in use stays in use until the next cert_store_refresh().
 *
 * Returns 0, or -1 with *err set (no place): ERR_CONFIG (the new pair will not do, and why),
 * ERR_IO. Then the old pair is as it was.
 */
int cert_install_run(const struct cert_install *install, struct cert_store *store,
                     struct cert_install_dates *ret_dates, struct err *err);

/** Removes the directory of a host with the files in it; one that is not there is removed. */
void cert_install_remove(const char *directory);
