/* SPDX-License-Identifier: MIT */
/**
 * SNI: the callback of a worker's TLS context, which chooses certificate and h2o context by the
 * name that a client sends.
 *
 * Runs in a worker's thread.
 * Source: RFC 8461 3.3, RFC 6066 3.
 */
#pragma once

struct cert_loader;
struct certificate;
struct snapshot;
struct ssl_st;
struct st_h2o_context_t;

/** What SNI chooses from; the worker's. */
struct sni {
    const struct snapshot *snapshot;
    struct cert_loader *loader;
    struct st_h2o_context_t *policy_context; /* for policy hosts: small bodies */
    struct st_h2o_context_t *report_context; /* for report_host: large ones */
};

/**
 * A tls_select: finds the certificate of the host, and notes host, certificate and context in the
 * connection. A name that is nobody's, and a host without a certificate, are counted and logged.
 *
 * context  a const struct sni
 */
struct certificate *sni_choose_certificate(void *context, struct ssl_st *ssl,
                                           const char *server_name);
