/* SPDX-License-Identifier: MIT */
/**
 * The read stage of the TLS handshake, which begins when the first record is complete.
 *
 * Until then a connection costs the octets that it has sent; OpenSSL's state, made at the first
 * octet, would be eight times as large. The record also says how large the message is that it
 * begins: OpenSSL allocates that much at once.
 * Runs in a worker's thread.
 * Source: RFC 8446 5.1 (records), 4 (messages)
 */
#pragma once

struct connection;

/** Reads and answers the ClientHello, then goes on with request_begin(). */
void hello_begin(struct connection *connection);

/** Counts the memory for a second ClientHello after a HelloRetryRequest, which may have any size.
 */
void hello_expect_another(struct connection *connection);

/** Counts less memory: the server's flight is complete, and only the client's is missing. */
void hello_answered(struct connection *connection);
