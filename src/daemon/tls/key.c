/* SPDX-License-Identifier: MIT */
#include "daemon/tls/key.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "daemon/tls/chain_cache.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    SCALAR_LEN = 32,         /* bytes of a P-256 private key */
    POINT_LEN = 65,          /* bytes of an uncompressed P-256 public key */
    SECURITY_BITS_MIN = 112, /* what OpenSSL's security level 2 demands of a key */
};

#define KEY_DAMAGED "the private key is damaged or of an unknown kind"

#define P256_OID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P256_POINT_HEAD "\xa1\x44\x03\x42\x00"

/*
 * A P-256 key that names its public point has exactly one DER encoding of each kind: these bytes
 * around the scalar, then the point. To compare and to import takes 24 us; OpenSSL 3.0's generic
 * decoder takes 325 us, twice a whole handshake.
 */
static const struct p256_form {
    struct slice head;   /* before the scalar */
    struct slice middle; /* between the scalar and the point */
} p256_forms[] = {
    /* PKCS#8, RFC 5958 2 */
    {SLICE_BYTES("\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" P256_OID
                 "\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"),
     SLICE_BYTES(P256_POINT_HEAD)},
    /* ECPrivateKey, RFC 5915 3 */
    {SLICE_BYTES("\x30\x77\x02\x01\x01\x04\x20"), SLICE_BYTES("\xa0\x0a" P256_OID P256_POINT_HEAD)},
};

struct key {
    EVP_PKEY *pkey; /* NULL: P-256, with what is below */
    unsigned char scalar[SCALAR_LEN];
    unsigned char point[POINT_LEN];
};

/* Returns whether these bytes are a P-256 key in one of the two forms. */
static bool p256_decode(const unsigned char *der, size_t len, struct key *key)
{
    for (size_t i = 0; i < ARRAY_LEN(p256_forms); i++) {
        const struct p256_form *form = &p256_forms[i];
        size_t middle_at = form->head.len + SCALAR_LEN;
        size_t point_at = middle_at + form->middle.len;

        if (len != point_at + POINT_LEN || memcmp(der, form->head.ptr, form->head.len) != 0 ||
            memcmp(der + middle_at, form->middle.ptr, form->middle.len) != 0)
            continue;
        memcpy(key->scalar, der + form->head.len, SCALAR_LEN);
        memcpy(key->point, der + point_at, POINT_LEN);
        return true;
    }
    return false;
}

/* Fills *into, or a new key if *into is NULL. Returns false, and changes nothing, if the point is
 * not on the curve. */
static bool p256_import(struct key *key, EVP_PKEY **into)
{
    char group[] = SN_X9_62_prime256v1;
    unsigned char native[SCALAR_LEN]; /* OSSL_PARAM wants a number in the machine's byte order */
    BIGNUM *number = BN_bin2bn(key->scalar, SCALAR_LEN, NULL);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->point, POINT_LEN),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native)),
        OSSL_PARAM_construct_end(),
    };
    bool is_key = number && context &&
                  BN_bn2nativepad(number, native, sizeof(native)) == SCALAR_LEN &&
                  EVP_PKEY_fromdata_init(context) == 1 &&
                  EVP_PKEY_fromdata(context, into, EVP_PKEY_KEYPAIR, params) == 1;

    EVP_PKEY_CTX_free(context);
    BN_clear_free(number);
    OPENSSL_cleanse(native, sizeof(native));
    return is_key;
}

struct key *key_decode(const unsigned char *der, size_t len, struct err *err)
{
    struct key *key = memory_alloc(sizeof(*key));

    *key = (struct key){0};
    if (p256_decode(der, len, key))
        return key;
    key->pkey = d2i_AutoPrivateKey(NULL, &der, (long)len);
    if (!key->pkey)
        err_set(err, ERR_SYNTAX, KEY_DAMAGED);
    else if (EVP_PKEY_get_security_bits(key->pkey) < SECURITY_BITS_MIN)
        err_set(err, ERR_CONFIG, "a private key of %d bits is too weak for TLS",
                EVP_PKEY_get_bits(key->pkey));
    else
        return key;
    key_free(key);
    return NULL;
}

void key_free(struct key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    OPENSSL_cleanse(key, sizeof(*key));
    free(key);
}

/* Whether the certificate holds the key's public half, in the same bytes. */
static bool p256_is_in(const struct key *key, const X509 *certificate)
{
    const unsigned char *point;
    const ASN1_OBJECT *group;
    X509_ALGOR *algorithm;
    int len, type;

    X509_PUBKEY_get0_param(NULL, &point, &len, &algorithm, X509_get_X509_PUBKEY(certificate));
    X509_ALGOR_get0(NULL, &type, (const void **)&group, algorithm);
    return len == POINT_LEN && memcmp(point, key->point, POINT_LEN) == 0 && type == V_ASN1_OBJECT &&
           OBJ_obj2nid(group) == NID_X9_62_prime256v1;
}

/* Puts the private half into the certificate's public key; returns whether they belong together. */
static bool p256_join(struct key *key, const X509 *certificate)
{
    EVP_PKEY *pkey = X509_get0_pubkey(certificate);

    return pkey && p256_is_in(key, certificate) && p256_import(key, &pkey);
}

static int find_signer(struct key *key, X509 *certificate, EVP_PKEY **ret_signer, struct err *err)
{
    EVP_PKEY *signer = key->pkey;

    if (!signer && p256_join(key, certificate)) {
        *ret_signer = X509_get_pubkey(certificate);
        return 0;
    }
    if (signer)
        EVP_PKEY_up_ref(signer);
    else if (!p256_import(key, &signer))
        return err_set(err, ERR_CONFIG, KEY_DAMAGED);
    if (X509_check_private_key(certificate, signer) == 1) {
        *ret_signer = signer;
        return 0;
    }
    EVP_PKEY_free(signer);
    return err_set(err, ERR_CONFIG, "the private key is not that of the certificate");
}

int key_decode_certificate(struct key *key, const unsigned char *der, size_t len,
                           X509 **ret_certificate, EVP_PKEY **ret_signer, struct err *err)
{
    X509 *certificate = x509_decode(der, len);

    if (!certificate)
        return err_set(err, ERR_SYNTAX, "a certificate is damaged");
    if (find_signer(key, certificate, ret_signer, err) == 0) {
        *ret_certificate = certificate;
        return 0;
    }
    X509_free(certificate);
    return -1;
}
