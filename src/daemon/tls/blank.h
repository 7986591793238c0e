/* SPDX-License-Identifier: MIT */
/**
 * Blank public keys.
 *
 * As a leaf is decoded, so is its public key, at once and at length: OpenSSL 3.0 collects all kinds
 * of keys and all decoders that it has, and makes the group of P-256 anew from its numbers. Who
 * holds the private key, with its public half beside it, has no use for that. In a library of
 * OpenSSL's that has one kind of key and one decoder, each EC public key becomes a blank one, which
 * is there to be filled.
 * Internal to tls/. Source: provider-decoder(7), provider-keymgmt(7), provider-object(7)
 */
#pragma once

#include <openssl/types.h>

/**
 * Makes the library.
 *
 * digests  the provider of its digests
 */
void blank_make(OSSL_PROVIDER *digests);

/** Any thread. Returns NULL, OpenSSL's own library, if there is none: there, no key is blank. */
OSSL_LIB_CTX *blank_library(void);

/** When nothing that was made with it is left, and before the provider of the digests goes. */
void blank_free(void);
