/* SPDX-License-Identifier: MIT */
/**
 * Networks: which addresses are meant by "192.0.2.1", "192.0.2.0/24" or "2001:db8::/32".
 *
 * An IPv4 address is the same one whether it comes by itself or mapped into IPv6
 * (::ffff:192.0.2.1), as it does from a socket that takes both.
 * Pure, safe from any thread.
 * Source: RFC 4632 3.1 (prefix notation), RFC 4291 2.2 (text), 2.3 (prefixes), 2.5.5.2 (mapped).
 */
#pragma once

#include <stdbool.h>

struct err;
struct slice;
struct sockaddr;

enum {
    NETWORK_BYTES = 16,
};

struct network {
    unsigned char prefix[NETWORK_BYTES]; /* IPv6 or, mapped, IPv4; zero behind its bits */
    unsigned n_bits;                     /* of the prefix; 96 more for IPv4 */
};

/**
 * Reads an address, or one with "/" and the number of bits that all in the network have in common.
 *
 * ret_network  untouched on failure
 * Returns 0, or -1 with *err set: ERR_SYNTAX, also if there are bits behind the prefix.
 */
int network_parse(struct slice text, struct network *ret_network, struct err *err);

/**
 * Whether the network holds the address of an IPv4 or IPv6 socket. One of IPv6 holds no IPv4
 * address, not even ::/0 does.
 */
bool network_contains(const struct network *network, const struct sockaddr *address);

/**
 * Reads the text form of an address, as inet_pton() does, from bytes that may hold anything.
 *
 * family     AF_INET or AF_INET6
 * ret_bytes  4 or 16 bytes in network order; undefined on failure
 * Returns 0 or -1.
 */
int network_address_parse(int family, struct slice text, void *ret_bytes);
