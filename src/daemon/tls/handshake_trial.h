/* SPDX-License-Identifier: MIT */
/**
 * The handshake trial: would a sender that asks for this certificate complete the handshake?
 *
 * A server with a worker's TLS settings and a client with OpenSSL's defaults shake hands in memory,
 * by TLS 1.3 and by TLS 1.2. That takes 1.5 ms of CPU for a P-256 key and 5 ms for P-384, which
 * --test-config cannot spend on each of 100,000 certificates. So for the common kinds (RSA and the
 * curves P-256, P-384 and P-521, of usual size) the outcome is derived from less: the server
 * takes the certificate, and the halves of the key belong together (0.05 to 2 ms).
 */
#pragma once

struct certificate;
struct err;
struct handshake_trial;

/** Never returns NULL. Any thread may use the trial. */
struct handshake_trial *handshake_trial_new(void);

/** Takes NULL. */
void handshake_trial_free(struct handshake_trial *trial);

/**
 * Returns 0 if senders can use the certificate, or -1 with *err set (no place): ERR_CRYPTO, with
 * the reason in words.
 */
int handshake_trial_run(const struct handshake_trial *trial, struct certificate *certificate,
                        struct err *err);
