/* SPDX-License-Identifier: MIT */
/**
 * Record data: from the octets of the wire to what the check works with.
 *
 * Pure: no I/O, no globals. The octets are a stranger's.
 * Source: RFC 1035 3.1 (names), 3.3 (TXT, MX).
 */
#pragma once

#include <stdint.h>

#include "lib/base/slice.h"
#include "lib/dns/name.h"

struct arena;
struct sockaddr_storage;

enum {
    RDATA_NAME_SIZE = 4 * DNS_NAME_MAX + 4, /* each octet of a name may need \ooo */
};

/**
 * Reads a name that is not compressed.
 *
 * ret_name  lower case, no final dot, the root is "."; octets that are not printable, and dots
 *           inside a label, as in zone files: \046
 * ret_rest  what follows the name
 * Returns 0, or -1: not a name.
 */
int rdata_name(struct slice rdata, char ret_name[static RDATA_NAME_SIZE], struct slice *ret_rest);

/**
 * Joins the strings of a TXT record.
 *
 * ret_text  in the arena, NUL-terminated
 * Returns 0, or -1: broken.
 */
int rdata_txt(struct slice rdata, struct arena *arena, struct slice *ret_text);

/** Of how many strings the record data of TXT consists. */
size_t rdata_txt_count(struct slice rdata);

/** Reads an MX record. Returns 0, or -1: broken. */
int rdata_mx(struct slice rdata, uint16_t *ret_preference, char ret_host[static RDATA_NAME_SIZE]);

/** The socket address of an A or AAAA record. Returns 0, or -1: broken. */
int rdata_address(struct slice rdata, uint16_t port, struct sockaddr_storage *ret_address);
