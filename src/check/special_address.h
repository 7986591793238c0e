/* SPDX-License-Identifier: MIT */
/**
 * Special addresses: those that no server on the Internet has. Whoever names a domain to be checked
 * could otherwise make the check talk to the machines behind its firewall.
 *
 * Pure, safe from any thread.
 * Source: RFC 6890 and IANA's registries of special-purpose addresses.
 */
#pragma once

#include <stddef.h>

struct sockaddr;

/** Returns what the address is, "a private address", or NULL: an ordinary one. */
const char *special_address_kind(const struct sockaddr *address);

/** The nth prefix of special addresses, "10.0.0.0/8"; NULL: there are no more. */
const char *special_address_prefix(size_t nth);

enum {
    ADDRESS_TEXT_SIZE = 64,
};

/** The address without its port: "192.0.2.1". Returns the buffer. */
const char *special_address_text(const struct sockaddr *address,
                                 char buffer[static ADDRESS_TEXT_SIZE]);
