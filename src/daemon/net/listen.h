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
    LISTEN_BACKLOG = 1024, /* connections that may wait for accept() on a socket opened here */
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

/**
 * Makes a listening socket that somebody else has opened one a worker: duplicates share its queue.
 *
 * fd       goes into ret_fds; closed on failure
 * ret_fds  n_fds descriptors, as sockets_open() gives
 * Returns 0, or -1 with *err set: ERR_IO (EINVAL: it does not listen).
 */
int sockets_adopt(const struct listen_address *address, int fd, int *ret_fds, size_t n_fds,
                  struct err *err);

/** What `fd` is bound to, "[::]:443" or "unix:/path"; "?" if that is something else. */
void socket_name(int fd, char ret_name[SOCKET_NAME_MAX]);

/** The name that a socket bound to `address` has, in whatever way the YAML spells it. */
void listen_address_name(const struct listen_address *address, char ret_name[SOCKET_NAME_MAX]);

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
