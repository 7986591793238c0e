/* SPDX-License-Identifier: MIT */
/**
 * Algorithms: those of OpenSSL's default provider that a TLS server needs, and no others.
 *
 * For every public key, OpenSSL 3.0 walks through all kinds of keys and all decoders that there
 * are, and through every algorithm that was ever fetched, ciphers too. With only these left, a
 * certificate is read in three fifths of the time; with blank keys (daemon/tls/blank.h), which are
 * made possible here as well, in a third.
 */
#pragma once

/**
 * To be called before anything else of OpenSSL is, by the first thread. Called later, or if OpenSSL
 * does not take it, all algorithms stay: slower, with the same answers.
 */
void algorithms_limit(void);
