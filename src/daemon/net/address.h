/* SPDX-License-Identifier: MIT */
/**
 * Socket addresses as text.
 *
 * Pure, safe from any thread.
 */
#pragma once

#include <stddef.h>

struct sockaddr;

enum {
    ADDRESS_TEXT_MAX = 128, /* the longest is a unix socket's */
};

/**
 * Prints "192.0.2.1:25", "[2001:db8::1]:443", "unix:/path", or "?" for an address of another
 * family. An IPv4 address in IPv6 form, as a socket of both has it, is printed as the IPv4 address.
 */
void address_print(const struct sockaddr *address, char ret_text[ADDRESS_TEXT_MAX]);

/** Prints the same without port and brackets, "192.0.2.1", "2001:db8::1"; nothing for others. */
void address_print_host(const struct sockaddr *address, char ret_text[ADDRESS_TEXT_MAX]);
