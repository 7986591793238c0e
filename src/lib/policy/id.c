/* SPDX-License-Identifier: MIT */
#include "lib/policy/id.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "lib/base/slice.h"

enum {
    SHA256_LEN = 32,
};

/*
 * Fails only for lack of memory. No body holds a NUL, so no body and its salt read as another
 * body and its salt.
 */
static bool id_digest(EVP_MD_CTX *context, struct slice body, struct slice salt,
                      unsigned char ret_digest[SHA256_LEN])
{
    return context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
           EVP_DigestUpdate(context, body.ptr, body.len) &&
           (salt.len == 0 ||
            (EVP_DigestUpdate(context, "", 1) && EVP_DigestUpdate(context, salt.ptr, salt.len))) &&
           EVP_DigestFinal_ex(context, ret_digest, NULL);
}

void policy_id_compute(struct slice body, struct slice salt, char ret_id[POLICY_ID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SHA256_LEN];
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (!id_digest(context, body, salt, bytes)) {
        fputs("mta-stsd: SHA-256 failed\n", stderr);
        abort();
    }
    EVP_MD_CTX_free(context);
    for (size_t i = 0; i < POLICY_ID_LEN / 2; i++) {
        ret_id[2 * i] = digits[bytes[i] >> 4];
        ret_id[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    ret_id[POLICY_ID_LEN] = '\0';
}
