/* SPDX-License-Identifier: MIT */
/**
 * The daemon's listening sockets: those of `listen`, one for each worker, and that of `admin`,
 * opened here or passed on by systemd.
 *
 * For the time before any thread, but for listen_sockets_remove_files().
 */
#pragma once

#include <stddef.h>

struct account;
struct config;
struct err;
struct listen_sockets;

/** Returns 0, or -1 with *err set: ERR_LIMIT (of sockets that systemd passes on). */
int listen_sockets_new(struct listen_sockets **ret_sockets, struct err *err);

/** Takes NULL. The descriptors are the workers'. */
void listen_sockets_free(struct listen_sockets *sockets);

/**
 * Opens the sockets of `listen`, all or none, and logs their names.
 *
 * account  who gets the files of unix sockets
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int listen_sockets_open(struct listen_sockets *sockets, const struct config *config,
                        const struct account *account, size_t n_workers, struct err *err);

/** The socket of entry `listener` for `worker`; the caller takes it over. */
int listen_sockets_fd(const struct listen_sockets *sockets, size_t listener, size_t worker);

/**
 * Opens the socket of `admin`; the caller takes it over.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int listen_sockets_open_admin(struct listen_sockets *sockets, const struct config *config,
                              const struct account *account, int *ret_fd, struct err *err);

/** Called when all are open. Returns 0, or -1 with *err set: ERR_CONFIG (nobody wants one that
 * systemd has passed on). */
int listen_sockets_check(const struct listen_sockets *sockets, struct err *err);

/** Removes the files of unix sockets that were opened here. The second time it does nothing. */
void listen_sockets_remove_files(struct listen_sockets *sockets, const struct config *config);
