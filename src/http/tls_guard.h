/* SPDX-License-Identifier: MIT */
/**
 * The TLS guard: callbacks of a worker's TLS context that keep peers from abusing h2o 2.2.5.
 *
 * What a peer of h2o 2.2.5 over TLS could do, and what prevents it (U1 to U11 are the faults of its
 * libuv binding, of HTTP/2 and of HTTP/1, which the choice of loop, ALPN and our deadlines prevent):
 *
 * U12  proceed_handshake() repeats SSL_accept() while SSL_get_error() says WANT_READ and input is
 *      left. h2o's BIO sets its retry flag when it is empty and never clears it, as every BIO has
 *      to before a read. So once it was empty, whatever ends SSL_accept() without an error in the
 *      queue (close_notify of either level, in TLS 1.2 and 1.3) and has an octet behind it counts
 *      as WANT_READ, consumes nothing, and the loop never ends. The guard clears the flag before
 *      each read: then WANT_READ means that the BIO was empty, and the loop ends.
 *
 * Other loops of the same paths, which end: decode_ssl_input() leaves when SSL_read() returns 0 or
 * less, and each octet that it returns was consumed. SSL_read() itself goes on over alerts and empty
 * records, of which OpenSSL takes 5 and 32 in a row. shutdown_ssl() calls SSL_shutdown() twice at
 * most and never waits for the peer's close_notify.
 */
#pragma once

struct ssl_ctx_st;

/** Sets the callbacks; the context's connections must be those of a worker (http/connection.h). */
void tls_guard_set(struct ssl_ctx_st *ctx);
