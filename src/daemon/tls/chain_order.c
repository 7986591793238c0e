/* SPDX-License-Identifier: MIT */
#include "daemon/tls/chain_order.h"

#include <openssl/x509v3.h>

#include "daemon/tls/chain_cache.h"
#include "daemon/tls/key.h"
#include "daemon/tls/pem.h"
#include "lib/base/err.h"

const char *chain_order_words(X509 *leaf, const STACK_OF(X509) * sent)
{
    X509 *last = leaf;

    for (int i = 0; i < sk_X509_num(sent); last = sk_X509_value(sent, i++)) {
        if (X509_check_issued(sk_X509_value(sent, i), last) == X509_V_OK)
            continue;
        if (X509_cmp(sk_X509_value(sent, i), leaf) == 0)
            return "the leaf is in the chain twice; give it once, then the intermediates";
        for (int later = i + 1; later < sk_X509_num(sent); later++)
            if (X509_check_issued(sk_X509_value(sent, later), last) == X509_V_OK)
                return "the intermediates are out of order; give the leaf first, then the "
                       "certificate of its issuer, and so on";
        break;
    }
    return "an intermediate is missing; give the full chain, leaf first";
}

static bool is_authority(const struct pem_certificate *certificate)
{
    X509 *decoded = x509_decode(certificate->der, certificate->len);
    bool is_one = decoded && X509_check_ca(decoded) != 0;

    X509_free(decoded);
    return is_one;
}

static bool is_of_key(const struct pem_certificate *certificate, struct key *key)
{
    X509 *leaf;
    EVP_PKEY *signer;
    struct err unused;

    if (key_decode_certificate(key, certificate->der, certificate->len, &leaf, &signer, &unused) !=
        0)
        return false;
    X509_free(leaf);
    EVP_PKEY_free(signer);
    return true;
}

bool chain_order_explain(struct pem *pem, struct err *err)
{
    const struct pem_certificate *at;
    bool are_authorities = true;
    struct err unused;
    int number = 1;

    if (pem->rest.len > 0 && pem_parse(pem->rest, PEM_CHAIN, pem, &unused) != 0)
        return false;
    for (at = pem->certificates; at; at = at->next, number++) {
        if (is_of_key(at, pem->key)) {
            err_set(err, ERR_CONFIG,
                    "the certificate of the private key is number %d in the file; put the leaf "
                    "first, then its intermediates",
                    number);
            return true;
        }
        are_authorities = are_authorities && is_authority(at);
    }
    if (are_authorities)
        err_set(err, ERR_CONFIG,
                "has certificates of authorities only; give the full chain, leaf first (certbot's "
                "fullchain.pem)");
    return are_authorities;
}
