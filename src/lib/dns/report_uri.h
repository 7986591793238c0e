/* SPDX-License-Identifier: MIT */
/**
 * Report addresses: the URIs in rua= of an _smtp._tls record.
 *
 * Pure: no I/O, no globals. Safe to call from any thread.
 * Source: RFC 8460 3 (tlsrpt-uri), RFC 6068 2 (mailto), RFC 3986 3.2 (authority).
 */
#pragma once

struct slice;

/**
 * Whether `uri` may stand in rua=: mailto: with one or more addresses, or https: with a host,
 * printable ASCII, and none of the octets that must be encoded there ("," "!" ";" and space).
 *
 * Returns NULL, or what is wrong as the end of a sentence.
 */
const char *tls_rpt_uri_fault(struct slice uri);

/**
 * What makes it doubtful that anybody gets reports at `uri`, which has no fault.
 *
 * Returns NULL, or the end of a sentence.
 */
const char *tls_rpt_uri_doubt(struct slice uri);
