/* SPDX-License-Identifier: MIT */
/**
 * Socket hints: what helps where a listening socket cannot be opened.
 *
 * Pure, safe from any thread.
 */
#pragma once

struct listen_address;

enum {
    SOCKET_HINT_MAX = 160,
};

/**
 * Prints "; " and what helps, or nothing where the reason says all.
 *
 * reason  an errno value
 * Returns ret_hint.
 */
const char *socket_hint(const struct listen_address *address, int reason,
                        char ret_hint[SOCKET_HINT_MAX]);
