/* SPDX-License-Identifier: MIT */
/**
 * The TLS guard: callbacks of a worker's TLS context that keep peers from abusing h2o 2.2.5.
 *
 * What a peer of h2o 2.2.5 over TLS could do, and what prevents it. U1 to U11 are faults of h2o's
 * libuv binding, of its HTTP/2 and of its HTTP/1: our choice of its other loop, HTTP/1.1 alone and
 * our own deadlines keep peers from these.
 *
 * U12  proceed_handshake() repeats SSL_accept() while SSL_get_error() says WANT_READ and input is
 *      left. h2o's BIO sets its retry flag when it is empty and never clears it, as every BIO has
 *      to before a read. So once it was empty, whatever ends SSL_accept() without an error in the
 *      queue (close_notify of either level, in TLS 1.2 and 1.3) and has an octet behind it counts
 *      as WANT_READ, consumes nothing, and the loop never ends. The guard clears the flag before
 *      each read: then WANT_READ means that the BIO was empty, and the loop ends.
 *
 * U13  After close_notify SSL_read() returns 0, and decode_ssl_input() stops for the moment.
 *      But h2o goes on reading the connection and keeps all octets that come, without decoding
 *      them, until memory runs out or the request's deadline passes. The connection ends with the
 *      turn, unless its request was whole.
 *
 * U14  A KeyUpdate has 27 octets and costs 8 us, and SSL_read() goes on to the next one without
 *      returning: so one connection holds up all others of its worker. After KEY_UPDATES_MAX of
 *      them the guard makes SSL_read() return and shuts the connection down.
 *
 * U15  on_read_core() goes on as long as a read fills its buffer, and doubles the buffer each time.
 *      The listener's SO_RCVBUF bounds how much there is to read (daemon/net/listen.c).
 *
 * U16  When a handshake fails, h2o closes the connection and drops the alert that OpenSSL has
 *      written: to the client it looks like a crash. The guard sends the plain alerts by which a
 *      handshake is refused for its name or version.
 *
 * Other loops of the same paths come to an end: decode_ssl_input() leaves its loop when SSL_read()
 * returns 0 or less, and whatever SSL_read() returned was consumed. SSL_read() and SSL_accept() go
 * on over warnings, empty records and ChangeCipherSpec, of which OpenSSL takes 5, 32 and 32 in a
 * row; NewSessionTicket, ClientHello and other messages after the handshake are errors, also those
 * of a renegotiation in TLS 1.2, whose refusal h2o takes for the end. shutdown_ssl() calls
 * SSL_shutdown() twice at most and never waits for the peer's close_notify. run_pending() goes on
 * while callbacks write at once, which they do once a flight, an answer and a request, of which a
 * connection has few.
 */
#pragma once

struct ssl_ctx_st;

/** Sets the callbacks; the context's connections must be those of a worker
 * (daemon/worker/connection.h). */
void tls_guard_set(struct ssl_ctx_st *ctx);
