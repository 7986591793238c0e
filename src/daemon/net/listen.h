/* SPDX-License-Identifier: MIT */
/**
 * Listening sockets: from a configured address to descriptors, one for each worker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/net/address.h"

struct err;
struct listen_address;

enum {
    SOCKET_NAME_MAX = ADDRESS_TEXT_MAX,
    LISTEN_BACKLOG = 1024, /* connections that may wait for accept() on a socket opened here */
};

/**
 * Opens one listening socket for each worker, non-blocking and close-on-exec. TCP sockets of one
 * address share their port (SO_REUSEPORT); a unix socket is one descriptor, duplicated.
 *
 * ret_fds   n_fds descriptors; untouched on failure
 * ret_name  the address as bound, with the port that the kernel chose for port 0
 * Returns 0, or -1 with *err set: ERR_IO (in use, not permitted, no such address).
 */
int sockets_open(const struct listen_address *address, int *ret_fds, size_t n_fds,
                 char ret_name[SOCKET_NAME_MAX], struct err *err);

/**
 * Takes over a listening socket that was opened by somebody else. The duplicates, one for each
 * worker, share its queue.
 *
 * fd       becomes ret_fds[0]; closed on failure
 * ret_fds  n_fds descriptors, as sockets_open() gives
 * Returns 0, or -1 with *err set: ERR_IO (EINVAL: it does not listen).
 */
int sockets_adopt(const struct listen_address *address, int fd, int *ret_fds, size_t n_fds,
                  struct err *err);

/** Prints what `fd` is bound to, or was accepted at, as address_print() does. */
void socket_name(int fd, char ret_name[SOCKET_NAME_MAX]);

/** Prints the name of a socket that is bound to `address`, however the YAML spells it. */
void listen_address_name(const struct listen_address *address, char ret_name[SOCKET_NAME_MAX]);

/** Closes the descriptors, and removes the file of a unix socket. */
void sockets_close(const struct listen_address *address, const int *fds, size_t n_fds);

/**
 * Opens a listening unix socket, non-blocking and close-on-exec. A socket file that a killed daemon
 * has left is replaced; the socket of a living process and any other file are not.
 *
 * mode  of the socket's file
 * Returns the descriptor, or -1 with errno set.
 */
int socket_open_unix(const char *path, mode_t mode);
