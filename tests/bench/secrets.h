/* SPDX-License-Identifier: MIT */
/**
 * The secrets of a TLS 1.3 connection, and the records that they protect.
 *
 * Source: RFC 8446 5.2 (records), 7.1 (key schedule), 4.4.4 (Finished)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

enum {
    HASH_MAX = 48,
    KEY_MAX = 32,
    IV_LEN = 12,
    TAG_LEN = 16,
    RECORD_HEAD_LEN = 5,
    SHARE_LEN = 32, /* of X25519 */
};

/** A cipher suite and what the key schedule has the same for all its connections. */
struct suite {
    uint16_t id;
    size_t hash_len;
    size_t key_len;
    EVP_MD *hash;
    EVP_CIPHER *cipher;
    unsigned char derived[HASH_MAX]; /* of an early secret without a PSK */
};

/**
 * What all connections of a thread share. The X25519 key is one for all: a server sees a new share
 * in every ClientHello of a sender, and works as hard for one that it has seen.
 */
struct secrets {
    struct suite suites[2]; /* as offered, the preferred one first */
    EVP_PKEY *key;
    unsigned char share[SHARE_LEN];
    EVP_PKEY_CTX *exchange;
    EVP_MD_CTX *hashing;
    EVP_CIPHER_CTX *ciphering;
};

/** One direction of a connection. */
struct traffic {
    unsigned char secret[HASH_MAX];
    unsigned char key[KEY_MAX];
    unsigned char iv[IV_LEN];
    uint64_t n_records;
};

void secrets_init(struct secrets *secrets);
void secrets_done(struct secrets *secrets);

/** Returns NULL if the suite is none of those offered. */
const struct suite *secrets_find_suite(const struct secrets *secrets, unsigned id);

/** Hashes by the suite's hash; ret_hash has room for HASH_MAX bytes. */
void secrets_hash(const struct secrets *secrets, const struct suite *suite, const void *bytes,
                  size_t len, unsigned char *ret_hash);

/**
 * The handshake secret, by the server's share.
 *
 * Returns 0, or -1: the share is none.
 */
int secrets_agree(const struct secrets *secrets, const struct suite *suite,
                  const unsigned char server_share[SHARE_LEN], unsigned char ret_secret[HASH_MAX]);

/** The master secret, by the handshake secret; in place. */
void secrets_advance(const struct secrets *secrets, const struct suite *suite,
                     unsigned char secret[HASH_MAX]);

/** Keys of one direction. label  as in RFC 8446 7.1, "c hs traffic"; hash  of the transcript */
void traffic_derive(const struct secrets *secrets, const struct suite *suite,
                    const unsigned char secret[HASH_MAX], const char *label,
                    const unsigned char hash[HASH_MAX], struct traffic *ret_traffic);

/** The verify_data of a Finished by the owner of `traffic`. hash  of the transcript before it */
void traffic_finish(const struct secrets *secrets, const struct suite *suite,
                    const struct traffic *traffic, const unsigned char hash[HASH_MAX],
                    unsigned char ret_verify_data[HASH_MAX]);

/** Makes a record of `len` bytes; returns its length, RECORD_HEAD_LEN + len + 1 + TAG_LEN. */
size_t traffic_protect(const struct secrets *secrets, const struct suite *suite,
                       struct traffic *traffic, unsigned char type, const void *bytes, size_t len,
                       unsigned char *ret_record);

/**
 * Opens a record in place: its plain bytes follow its head.
 *
 * len  of the whole record, its head included
 * Returns 0, or -1: it was not protected by these keys.
 */
int traffic_open(const struct secrets *secrets, const struct suite *suite, struct traffic *traffic,
                 unsigned char *record, size_t len, unsigned char *ret_type, size_t *ret_len);
