/* SPDX-License-Identifier: MIT */
#include "tls/pem.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    SCALAR_LEN = 32,         /* bytes of a P-256 private key */
    POINT_LEN = 65,          /* bytes of an uncompressed P-256 public key */
    SECURITY_BITS_MIN = 112, /* what OpenSSL's security level 2 demands of a key */
};

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

static EVP_PKEY *p256_import(const unsigned char *scalar, unsigned char *point)
{
    char group[] = SN_X9_62_prime256v1;
    unsigned char native[SCALAR_LEN]; /* OSSL_PARAM wants a number in the machine's byte order */
    BIGNUM *number = BN_bin2bn(scalar, SCALAR_LEN, NULL);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, POINT_LEN),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native)),
        OSSL_PARAM_construct_end(),
    };

    if (!number || !context || BN_bn2nativepad(number, native, sizeof(native)) != SCALAR_LEN ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    BN_clear_free(number);
    OPENSSL_cleanse(native, sizeof(native));
    return key;
}

/* Returns NULL if these bytes are no P-256 key in one of the two forms. */
static EVP_PKEY *p256_decode(unsigned char *der, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(p256_forms); i++) {
        const struct p256_form *form = &p256_forms[i];
        size_t middle_at = form->head.len + SCALAR_LEN;
        size_t point_at = middle_at + form->middle.len;

        if (len == point_at + POINT_LEN && memcmp(der, form->head.ptr, form->head.len) == 0 &&
            memcmp(der + middle_at, form->middle.ptr, form->middle.len) == 0)
            return p256_import(der + form->head.len, der + point_at);
    }
    return NULL;
}

/* One block of a PEM file, RFC 7468 2; `header` is what RFC 1421 put before the bytes. */
struct pem_block {
    char *name;
    char *header;
    unsigned char *bytes;
    long len;
};

static int take_key(const struct pem_block *block, EVP_PKEY **ret_key, struct err *err)
{
    const unsigned char *at = block->bytes;
    EVP_PKEY *key;

    /* Told apart by its label, so that no decoder ever comes to ask a terminal for the phrase. */
    if (strcmp(block->name, PEM_STRING_PKCS8) == 0 || strstr(block->header, "ENCRYPTED"))
        return err_set(err, ERR_SYNTAX, "the private key has a pass phrase");
    key = p256_decode(block->bytes, (size_t)block->len);
    if (!key)
        key = d2i_AutoPrivateKey(NULL, &at, block->len);
    if (!key)
        return err_set(err, ERR_SYNTAX, "the private key is damaged or of an unknown kind");
    if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN) {
        err_set(err, ERR_CONFIG, "a private key of %d bits is too weak for TLS",
                EVP_PKEY_get_bits(key));
        EVP_PKEY_free(key);
        return -1;
    }
    *ret_key = key;
    return 0;
}

/* After those that are there. */
static void take_certificate(const struct pem_block *block, struct pem *pem)
{
    struct pem_certificate **end = &pem->certificates;
    struct pem_certificate *taken = arena_alloc(pem->arena, sizeof(*taken));
    struct slice der = {(const char *)block->bytes, (size_t)block->len};

    while (*end)
        end = &(*end)->next;
    taken->der = (const unsigned char *)arena_copy(pem->arena, der);
    taken->len = der.len;
    *end = taken;
}

/* Other blocks are passed over: "EC PARAMETERS" before a key, "DH PARAMETERS" of a proxy. */
static int take_block(const struct pem_block *block, unsigned wanted, struct pem *pem,
                      struct err *err)
{
    bool is_certificate =
        strcmp(block->name, PEM_STRING_X509) == 0 || strcmp(block->name, PEM_STRING_X509_OLD) == 0;

    if (is_certificate && (wanted & (PEM_LEAF | PEM_CERTIFICATES | PEM_CHAIN)))
        take_certificate(block, pem);
    else if ((wanted & PEM_KEY) && !pem->key &&
             slice_ends_with(slice_of(block->name), "PRIVATE KEY"))
        return take_key(block, &pem->key, err);
    return 0;
}

/* Whether nothing is wanted of what follows. */
static bool has_all(unsigned wanted, const struct pem *pem)
{
    return (wanted == PEM_LEAF && pem->certificates) || (wanted == PEM_KEY && pem->key);
}

static int take_blocks(BIO *bio, unsigned wanted, struct pem *pem, struct err *err)
{
    struct pem_block block;
    int result = 0;

    while (result == 0 && !has_all(wanted, pem)) {
        if (PEM_read_bio(bio, &block.name, &block.header, &block.bytes, &block.len) != 1)
            return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
                       ? 0
                       : err_set(err, ERR_SYNTAX, "a PEM block is damaged");
        result = take_block(&block, wanted, pem, err);
        OPENSSL_free(block.name);
        OPENSSL_free(block.header);
        OPENSSL_clear_free(block.bytes, (size_t)block.len);
    }
    return result;
}

int pem_parse(struct slice text, unsigned wanted, struct pem *pem, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    int result = take_blocks(bio, wanted, pem, err);
    size_t n_left = BIO_ctrl_pending(bio);

    BIO_free(bio);
    if (wanted & PEM_LEAF)
        pem->rest = (struct slice){text.ptr + text.len - n_left, n_left};
    if (result != 0)
        return -1;
    if ((wanted & (PEM_LEAF | PEM_CERTIFICATES)) && !pem->certificates)
        return err_set(err, ERR_SYNTAX, "holds no certificate");
    if ((wanted & PEM_KEY) && !pem->key)
        return err_set(err, ERR_SYNTAX, "holds no private key");
    return 0;
}
