/* SPDX-License-Identifier: MIT */
/**
 * Address prefixes: which addresses are meant by "192.0.2.1", "192.0.2.0/24" or "2001:db8::/32".
 *
 * An IPv4 address and the same address mapped into IPv6 (::ffff:192.0.2.1, as a socket that takes
 * both families reports it) are equal.
 * Pure, safe from any thread.
 * Source: RFC 4632 3.1 (prefix notation), RFC 4291 2.2 (text), 2.3 (prefixes), 2.5.5.2 (mapped).
 */
#pragma once

#include <stdbool.h>

struct err;
struct slice;
struct sockaddr;

enum {
    PREFIX_BYTES = 16,
};

struct prefix {
    unsigned char bytes[PREFIX_BYTES]; /* IPv6 or, mapped, IPv4; zero after the prefix */
    unsigned n_bits;                   /* of the prefix; 96 more for IPv4 */
};

/**
 * Reads an address, or an address with "/" and the number of bits of the prefix.
 *
 * ret_prefix  untouched on failure
 * Returns 0, or -1 with *err set: ERR_SYNTAX, also if a bit after the prefix is set.
 */
int prefix_parse(struct slice text, struct prefix *ret_prefix, struct err *err);

/**
 * Whether the prefix covers the address of an IPv4 or IPv6 socket. A prefix of IPv6 covers no IPv4
 * address, not even ::/0 does.
 */
bool prefix_contains(const struct prefix *prefix, const struct sockaddr *address);

/**
 * Reads the text form of an address, as inet_pton() does, from bytes that may hold anything.
 *
 * family     AF_INET or AF_INET6
 * ret_bytes  4 or 16 bytes in network order; undefined on failure
 * Returns 0 or -1.
 */
int prefix_address_parse(int family, struct slice text, void *ret_bytes);
