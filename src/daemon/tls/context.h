/* SPDX-License-Identifier: MIT */
/**
 * One worker's TLS context: protocol versions, cipher lists, no resumption, the choice by SNI.
 *
 * Source: RFC 8461 3.3 (SNI: a matching chain or no handshake), RFC 9325 (versions and suites).
 */
#pragma once

struct certificate;
struct err;
struct ssl_ctx_st;
struct ssl_st;

/**
 * Chooses the certificate of a handshake.
 *
 * Asked a second time in the same handshake if a HelloRetryRequest was needed; the last choice
 * holds.
 *
 * server_name  the SNI as sent; NULL: none was sent
 * Returns one reference, or NULL: the handshake is refused.
 */
typedef struct certificate *tls_select(void *context, struct ssl_st *ssl, const char *server_name);

/**
 * Whether this program can use the OpenSSL that it finds at run time.
 *
 * version  OpenSSL_version_num()
 * Returns 0, or -1 with *err set: ERR_CRYPTO (it is not OpenSSL 3).
 */
int tls_library_check(unsigned long version, struct err *err);

/**
 * TLS 1.2 and 1.3, forward-secret AEAD suites, X25519 and P-256, no renegotiation, no early data,
 * no resumption. ALPN offers http/1.1; a client that offers only others gets none.
 *
 * After a handshake of TLS 1.3 there is nothing to send, so that its ACK is left to the caller: a
 * client with Nagle's algorithm on waits for it.
 *
 * select   called in every handshake, in the thread that drives it; must not block
 * ret_ctx  the caller frees it with tls_context_free() and leaves its app data alone
 * Returns 0, or -1 with *err set: ERR_CRYPTO.
 */
int tls_context_new(tls_select *select, void *context, struct ssl_ctx_st **ret_ctx,
                    struct err *err);

/** Takes NULL. Handshakes that are under way must have ended: they ask `select`. */
void tls_context_free(struct ssl_ctx_st *ctx);
