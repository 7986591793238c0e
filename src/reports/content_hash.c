/* SPDX-License-Identifier: MIT */
#include "reports/content_hash.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/tls_report.h"

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void hash_without_white(EVP_MD_CTX *hash, struct slice bytes)
{
    size_t from = 0;

    for (size_t i = 0; i <= bytes.len; i++) {
        if (i < bytes.len && !is_white(bytes.ptr[i]))
            continue;
        if (i > from && EVP_DigestUpdate(hash, bytes.ptr + from, i - from) != 1)
            memory_fail();
        from = i + 1;
    }
}

void content_hash_compute(struct slice bytes, const struct tls_report *report,
                          unsigned char ret_hash[static CONTENT_HASH_LEN])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        memory_fail();
    if (report)
        hash_without_white(hash, bytes);
    else if (EVP_DigestUpdate(hash, bytes.ptr, bytes.len) != 1)
        memory_fail();
    for (size_t i = 0; report && i < report->n_policies; i++) {
        const char *domain = report->policies[i].domain;

        if (domain && EVP_DigestUpdate(hash, domain, strlen(domain) + 1) != 1)
            memory_fail();
    }
    if (EVP_DigestFinal_ex(hash, ret_hash, NULL) != 1)
        memory_fail();
    EVP_MD_CTX_free(hash);
}
