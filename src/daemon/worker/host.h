/* SPDX-License-Identifier: MIT */
/**
 * Hosts: the host that a Host field or an SNI names, in stored form.
 *
 * Pure, safe from any thread.
 * Source: RFC 9110 7.2 (Host), RFC 3986 3.2.2, RFC 6066 3 (SNI).
 */
#pragma once

#include "lib/dns/name.h"

struct slice;

/**
 * Parses "host", "host." or either with ":port"; letters become lower case, the port is dropped.
 *
 * text      any bytes
 * ret_host  stored form (lib/dns/name.h); untouched on failure
 * Returns 0, or -1 if it is no DNS name of letters, digits, hyphens and dots, or the port no
 * number.
 */
int host_parse(struct slice text, char ret_host[DNS_NAME_MAX + 1]);
