/* SPDX-License-Identifier: MIT */
/**
 * Request heads: what h2o 2.2.5 lets through and a proxy in front of us might read otherwise.
 *
 * h2o takes the first of two Content-Lengths, the last of two Hosts, Transfer-Encoding before
 * Content-Length, bare LFs and folded lines. Each is a way to make two servers see two requests in
 * the same bytes, so each is refused.
 * Pure, safe from any thread.
 * Source: RFC 9112 2.2 (line ends), 3.2 (Host, request target), 5.2 (folding), 6.1, 6.3 (length).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct slice;

/**
 * Finds the end of a request's head: two line ends in a row, as h2o takes them, CR LF or bare LF.
 *
 * bytes  from the request line on; the head may be incomplete
 * from   how many bytes the last call has searched; 0: this is the first call
 * Returns the length of the head with its empty line, or 0: the head is incomplete.
 */
size_t request_head_len(struct slice bytes, size_t from);

/**
 * Whether the beginning of a request line may still become a good line: it has no control
 * character, and "HTTP/1.x" at its end. A bad line is refused at once, without its fields.
 */
bool request_may_be_good(struct slice bytes);

/**
 * How long a body the head announces.
 *
 * max  octets that h2o accepts
 * Returns at most `max`, and `max` for any Transfer-Encoding; 0 if the head announces no body.
 */
size_t request_body_len(struct slice head, size_t max);

/**
 * Checks the head of a request that h2o has accepted.
 *
 * bytes  the connection's input from the request line on; what follows the empty line is ignored.
 *        h2o has made the field names lower case in place.
 * Returns NULL, or what is wrong as a short text for the answer's body.
 */
const char *request_head_fault(struct slice bytes);

/**
 * Splits a request target.
 *
 * target         origin-form ("/path?query") or absolute-form ("https://host/path?query")
 * ret_authority  empty in origin-form
 * ret_path       without the query; empty where an absolute form has none
 * A target that is neither, such as "*", has an empty authority and an empty path.
 */
void request_target_split(struct slice target, struct slice *ret_authority, struct slice *ret_path);
