/* SPDX-License-Identifier: MIT */
/**
 * The peer of a socket, as text for the log.
 */
#pragma once

#include <stddef.h>

struct st_h2o_socket_t;

/** Prints the peer's address and port as struct log_record has them, cut and NUL-terminated. */
void peer_print(struct st_h2o_socket_t *sock, char *buffer, size_t size);
