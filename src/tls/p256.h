/* SPDX-License-Identifier: MIT */
/**
 * P-256 public keys, decoded around a group that was made once.
 *
 * Most leaves have one. For each key OpenSSL 3.0 makes the group anew from its numbers, which takes
 * as long as the rest of its decoding. So two rows of a provider are wrapped: bytes that are such a
 * key become a copy of a key that has the group and no point yet. All else is left to the provider,
 * and so are the keys that come of it.
 * Internal to tls/. One provider at a time; what it decodes then, in any thread.
 * Source: RFC 5480 2 (SubjectPublicKeyInfo); provider-decoder(7), provider-keymgmt(7),
 * provider-object(7)
 */
#pragma once

#include <openssl/core.h>

/**
 * Puts own functions in place of the provider's, which they call. If the provider is not as
 * expected, all stays as it is.
 *
 * context   the provider's
 * core      what OpenSSL offers to providers
 * keys      the provider's row of OSSL_OP_KEYMGMT for EC
 * decoder   its row of OSSL_OP_DECODER for EC from a SubjectPublicKeyInfo
 */
void p256_wrap(void *context, const OSSL_DISPATCH *core, OSSL_ALGORITHM *keys,
               OSSL_ALGORITHM *decoder);

/** Before the provider goes. */
void p256_unwrap(void);
