/* SPDX-License-Identifier: MIT */
/**
 * The stage of the TLS handshake: begins it once the first record is in.
 *
 * Until then a connection costs the octets that it has sent; OpenSSL's state, made at the first
 * octet, would be eight times as large. The record also says how large a message it begins, for
 * which OpenSSL takes memory at once.
 * Source: RFC 8446 5.1 (records), 4 (messages)
 */
#pragma once

struct connection;

/** Reads and answers the ClientHello, then goes on with request_begin(). */
void hello_begin(struct connection *connection);

/** A second ClientHello will come after a HelloRetryRequest, and may claim to be of any size. */
void hello_expect_another(struct connection *connection);

/** The server's flight is complete, and the client is to say the rest. */
void hello_answered(struct connection *connection);
