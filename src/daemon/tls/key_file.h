/* SPDX-License-Identifier: MIT */
/**
 * Files of new private keys. Any thread; waits for the disk.
 */
#pragma once

struct err;

/**
 * Makes a P-256 key and writes it to `path` as PEM, for the owner alone to read; what is there,
 * be it a key or a link, stays as it is. Nobody ever sees half of the file.
 *
 * Returns 0, or -1 with *err set (no place): ERR_IO, ERR_CRYPTO.
 */
int key_file_make(const char *path, struct err *err);
