/* SPDX-License-Identifier: MIT */
/**
 * Listening sockets: from a configured address to descriptors, one a worker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct listen_address;

enum {
    SOCKET_NAME_MAX = 128,
};

/**
 * Opens one listening socket a worker, non-blocking and close-on-exec. TCP sockets of one address
 * share their port (SO_REUSEPORT); a unix socket is one descriptor, duplicated.
 *
 * ret_fds   n_fds descriptors; untouched on failure
 * ret_name  the address as bound, with the port that the kernel chose for port 0
 * Returns 0, or -1 with *err set: ERR_IO (in use, not permitted, no such address).
 */
int sockets_open(const struct listen_address *address, int *ret_fds, size_t n_fds,
                 char ret_name[SOCKET_NAME_MAX], struct err *err);

/** Closes them; removes the file of a unix socket. */
void sockets_close(const struct listen_address *address, const int *fds, size_t n_fds);

/**
 * Opens a listening unix socket, non-blocking and close-on-exec. The file that a killed daemon left
 * is replaced; that of one that lives, and a file that is no socket, are not.
 *
 * mode  of the socket's file
 * Returns the descriptor, or -1 with errno set.
 */
int socket_open_unix(const char *path, mode_t mode);
