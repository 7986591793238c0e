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

struct slice;

/**
 * Looks at the head of a request that h2o has accepted.
 *
 * bytes  the connection's input from the request line on; what follows the empty line is not looked
 *        at. h2o has made field names lower case in place.
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
