/* SPDX-License-Identifier: MIT */
/**
 * Domain names: from what a person writes to the one form that we store, show and compare.
 *
 * Pure: no I/O, no mutable globals. Safe to call from any thread.
 * Source: RFC 1035 2.3 (sizes), RFC 5890 2.3.2 (A-labels), RFC 5891 (IDNA 2008, by libidn2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct err;
struct slice;

enum {
    DNS_NAME_MAX = 253, /* octets of a name in text, without a final dot */
    DNS_LABEL_MAX = 63,
};

/**
 * Brings a host or domain name into its stored form: A-labels, lower case, no final dot.
 *
 * text      UTF-8 or ASCII; labels of letters, digits and inner hyphens after conversion
 * ret_name  NUL-terminated; untouched on failure
 * ret_len   length without the NUL; NULL if not wanted
 * Returns 0, or -1 with *err set (no place): ERR_SYNTAX, ERR_LIMIT. The message is the end of a
 * sentence that begins with the name: "has an empty label".
 *
 * A name that is plain lower-case ASCII without "xn--" never reaches libidn2, which would take
 * nearly all of the load time of 100,000 domains.
 */
int dns_name_parse(struct slice text, char ret_name[DNS_NAME_MAX + 1], size_t *ret_len,
                   struct err *err);

/** `name` equals `zone` or lies below it; both in stored form. */
bool dns_name_is_within(struct slice name, struct slice zone);
