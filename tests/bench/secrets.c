/* SPDX-License-Identifier: MIT */
#include "secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

enum {
    BLOCK_MAX = 128, /* bytes that the hashes work in */
    LABEL_MAX = 64,
    APPLICATION_DATA = 23,
};

static void require(int is_good)
{
    if (is_good)
        return;
    ERR_print_errors_fp(stderr);
    abort();
}

/* HMAC by hand (RFC 2104): OpenSSL 3.0's own looks its algorithm up anew for each message. */
static void hmac(const struct secrets *secrets, const struct suite *suite, const void *key,
                 size_t key_len, const void *message, size_t len, unsigned char *ret_code)
{
    size_t block_len = (size_t)EVP_MD_get_block_size(suite->hash);
    unsigned char inner[BLOCK_MAX], outer[BLOCK_MAX], digest[HASH_MAX];
    EVP_MD_CTX *hashing = secrets->hashing;

    memset(inner, 0x36, sizeof(inner));
    memset(outer, 0x5c, sizeof(outer));
    for (size_t i = 0; i < key_len; i++) {
        inner[i] ^= ((const unsigned char *)key)[i];
        outer[i] ^= ((const unsigned char *)key)[i];
    }
    require(EVP_DigestInit_ex2(hashing, suite->hash, NULL) &&
            EVP_DigestUpdate(hashing, inner, block_len) &&
            EVP_DigestUpdate(hashing, message, len) && EVP_DigestFinal_ex(hashing, digest, NULL) &&
            EVP_DigestInit_ex2(hashing, suite->hash, NULL) &&
            EVP_DigestUpdate(hashing, outer, block_len) &&
            EVP_DigestUpdate(hashing, digest, suite->hash_len) &&
            EVP_DigestFinal_ex(hashing, ret_code, NULL));
}

/* HKDF-Expand-Label (RFC 8446 7.1); what is wanted is never longer than one hash. */
static void expand(const struct secrets *secrets, const struct suite *suite,
                   const unsigned char *secret, const char *label, const void *context,
                   size_t context_len, unsigned char *ret_bytes, size_t wanted_len)
{
    unsigned char info[LABEL_MAX + HASH_MAX], code[HASH_MAX];
    size_t label_len = strlen("tls13 ") + strlen(label), len = 3 + label_len;

    info[0] = 0;
    info[1] = (unsigned char)wanted_len;
    info[2] = (unsigned char)label_len;
    memcpy(info + 3, "tls13 ", strlen("tls13 "));
    memcpy(info + 3 + strlen("tls13 "), label, strlen(label));
    info[len++] = (unsigned char)context_len;
    if (context_len > 0)
        memcpy(info + len, context, context_len);
    len += context_len;
    info[len++] = 1;
    hmac(secrets, suite, secret, suite->hash_len, info, len, code);
    memcpy(ret_bytes, code, wanted_len);
}

void secrets_hash(const struct secrets *secrets, const struct suite *suite, const void *bytes,
                  size_t len, unsigned char *ret_hash)
{
    require(EVP_DigestInit_ex2(secrets->hashing, suite->hash, NULL) &&
            EVP_DigestUpdate(secrets->hashing, bytes, len) &&
            EVP_DigestFinal_ex(secrets->hashing, ret_hash, NULL));
}

static void derive_next(const struct secrets *secrets, const struct suite *suite,
                        const unsigned char *secret, unsigned char *ret_derived)
{
    unsigned char empty[HASH_MAX];

    secrets_hash(secrets, suite, "", 0, empty);
    expand(secrets, suite, secret, "derived", empty, suite->hash_len, ret_derived, suite->hash_len);
}

static void suite_init(const struct secrets *secrets, struct suite *suite, uint16_t id,
                       const char *hash, const char *cipher)
{
    static const unsigned char zeros[HASH_MAX] = {0};
    unsigned char early[HASH_MAX];

    suite->id = id;
    suite->hash = EVP_MD_fetch(NULL, hash, NULL);
    suite->cipher = EVP_CIPHER_fetch(NULL, cipher, NULL);
    require(suite->hash && suite->cipher);
    suite->hash_len = (size_t)EVP_MD_get_size(suite->hash);
    suite->key_len = (size_t)EVP_CIPHER_get_key_length(suite->cipher);
    hmac(secrets, suite, zeros, suite->hash_len, zeros, suite->hash_len, early);
    derive_next(secrets, suite, early, suite->derived);
}

void secrets_init(struct secrets *secrets)
{
    size_t len = SHARE_LEN;

    secrets->hashing = EVP_MD_CTX_new();
    secrets->ciphering = EVP_CIPHER_CTX_new();
    secrets->key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    secrets->exchange = EVP_PKEY_CTX_new_from_pkey(NULL, secrets->key, NULL);
    require(secrets->hashing && secrets->ciphering && secrets->exchange &&
            EVP_PKEY_get_raw_public_key(secrets->key, secrets->share, &len) &&
            EVP_PKEY_derive_init(secrets->exchange));
    suite_init(secrets, &secrets->suites[0], 0x1302, "SHA384", "AES-256-GCM");
    suite_init(secrets, &secrets->suites[1], 0x1301, "SHA256", "AES-128-GCM");
}

void secrets_done(struct secrets *secrets)
{
    for (int i = 0; i < 2; i++) {
        EVP_MD_free(secrets->suites[i].hash);
        EVP_CIPHER_free(secrets->suites[i].cipher);
    }
    EVP_PKEY_CTX_free(secrets->exchange);
    EVP_PKEY_free(secrets->key);
    EVP_MD_CTX_free(secrets->hashing);
    EVP_CIPHER_CTX_free(secrets->ciphering);
}

const struct suite *secrets_find_suite(const struct secrets *secrets, unsigned id)
{
    for (int i = 0; i < 2; i++)
        if (secrets->suites[i].id == id)
            return &secrets->suites[i];
    return NULL;
}

int secrets_agree(const struct secrets *secrets, const struct suite *suite,
                  const unsigned char server_share[SHARE_LEN], unsigned char ret_secret[HASH_MAX])
{
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, server_share, SHARE_LEN);
    unsigned char shared[SHARE_LEN];
    size_t len = sizeof(shared);
    int result = -1;

    if (peer && EVP_PKEY_derive_set_peer_ex(secrets->exchange, peer, 0) == 1 &&
        EVP_PKEY_derive(secrets->exchange, shared, &len) == 1) {
        hmac(secrets, suite, suite->derived, suite->hash_len, shared, len, ret_secret);
        result = 0;
    }
    EVP_PKEY_free(peer);
    return result;
}

void secrets_advance(const struct secrets *secrets, const struct suite *suite,
                     unsigned char secret[HASH_MAX])
{
    static const unsigned char zeros[HASH_MAX] = {0};
    unsigned char derived[HASH_MAX];

    derive_next(secrets, suite, secret, derived);
    hmac(secrets, suite, derived, suite->hash_len, zeros, suite->hash_len, secret);
}

void traffic_derive(const struct secrets *secrets, const struct suite *suite,
                    const unsigned char secret[HASH_MAX], const char *label,
                    const unsigned char hash[HASH_MAX], struct traffic *ret_traffic)
{
    unsigned char *own = ret_traffic->secret;

    expand(secrets, suite, secret, label, hash, suite->hash_len, own, suite->hash_len);
    expand(secrets, suite, own, "key", NULL, 0, ret_traffic->key, suite->key_len);
    expand(secrets, suite, own, "iv", NULL, 0, ret_traffic->iv, IV_LEN);
    ret_traffic->n_records = 0;
}

void traffic_finish(const struct secrets *secrets, const struct suite *suite,
                    const struct traffic *traffic, const unsigned char hash[HASH_MAX],
                    unsigned char ret_verify_data[HASH_MAX])
{
    unsigned char key[HASH_MAX];

    expand(secrets, suite, traffic->secret, "finished", NULL, 0, key, suite->hash_len);
    hmac(secrets, suite, key, suite->hash_len, hash, suite->hash_len, ret_verify_data);
}

/* The next record's: the number of records sent so far, over the IV (RFC 8446 5.3). */
static void make_nonce(struct traffic *traffic, unsigned char ret_nonce[IV_LEN])
{
    uint64_t number = traffic->n_records++;

    memcpy(ret_nonce, traffic->iv, IV_LEN);
    for (int i = IV_LEN - 1; number > 0; i--, number >>= 8)
        ret_nonce[i] ^= (unsigned char)number;
}

size_t traffic_protect(const struct secrets *secrets, const struct suite *suite,
                       struct traffic *traffic, unsigned char type, const void *bytes, size_t len,
                       unsigned char *ret_record)
{
    EVP_CIPHER_CTX *ciphering = secrets->ciphering;
    size_t inner_len = len + 1, cipher_len = inner_len + TAG_LEN;
    unsigned char nonce[IV_LEN], *inner = ret_record + RECORD_HEAD_LEN;
    int out_len;

    make_nonce(traffic, nonce);
    ret_record[0] = APPLICATION_DATA;
    ret_record[1] = ret_record[2] = 3;
    ret_record[3] = (unsigned char)(cipher_len >> 8);
    ret_record[4] = (unsigned char)cipher_len;
    memcpy(inner, bytes, len);
    inner[len] = type;
    require(EVP_EncryptInit_ex2(ciphering, suite->cipher, traffic->key, nonce, NULL) &&
            EVP_EncryptUpdate(ciphering, NULL, &out_len, ret_record, RECORD_HEAD_LEN) &&
            EVP_EncryptUpdate(ciphering, inner, &out_len, inner, (int)inner_len) &&
            EVP_EncryptFinal_ex(ciphering, inner + inner_len, &out_len) &&
            EVP_CIPHER_CTX_ctrl(ciphering, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, inner + inner_len));
    return RECORD_HEAD_LEN + cipher_len;
}

int traffic_open(const struct secrets *secrets, const struct suite *suite, struct traffic *traffic,
                 unsigned char *record, size_t len, unsigned char *ret_type, size_t *ret_len)
{
    EVP_CIPHER_CTX *ciphering = secrets->ciphering;
    unsigned char nonce[IV_LEN], *inner = record + RECORD_HEAD_LEN;
    size_t inner_len = len - RECORD_HEAD_LEN - TAG_LEN;
    int out_len;

    if (len <= RECORD_HEAD_LEN + TAG_LEN)
        return -1;
    make_nonce(traffic, nonce);
    require(EVP_DecryptInit_ex2(ciphering, suite->cipher, traffic->key, nonce, NULL) &&
            EVP_DecryptUpdate(ciphering, NULL, &out_len, record, RECORD_HEAD_LEN) &&
            EVP_DecryptUpdate(ciphering, inner, &out_len, inner, (int)inner_len) &&
            EVP_CIPHER_CTX_ctrl(ciphering, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, inner + inner_len));
    if (EVP_DecryptFinal_ex(ciphering, inner + inner_len, &out_len) != 1)
        return -1;
    while (inner_len > 0 && inner[inner_len - 1] == 0)
        inner_len--;
    if (inner_len == 0)
        return -1;
    *ret_type = inner[inner_len - 1];
    *ret_len = inner_len - 1;
    return 0;
}
