/* SPDX-License-Identifier: MIT */
#include "check/smtp_strength.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/tls1.h>

static bool suite_is_old(const SSL_CIPHER *suite)
{
    int exchange = SSL_CIPHER_get_kx_nid(suite);

    return !SSL_CIPHER_is_aead(suite) || (exchange != NID_kx_ecdhe && exchange != NID_kx_any);
}

static int server_dh_bits(SSL *ssl)
{
    EVP_PKEY *key = NULL;
    int bits = 0;

    if (SSL_get_peer_tmp_key(ssl, &key) != 1)
        return 0;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_DH)
        bits = EVP_PKEY_get_bits(key);
    EVP_PKEY_free(key);
    return bits;
}

/* TLS 1.3 has neither renegotiation nor weak groups and digests, and TLS 1.0 and 1.1 are refused
 * for their age: with them only the suite is of interest. */
void smtp_strength_read(SSL *ssl, struct smtp_strength *ret_strength)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    const unsigned char *staple = NULL;
    int digest = NID_undef;

    *ret_strength = (struct smtp_strength){
        .suite = SSL_CIPHER_get_name(suite),
        .is_old_suite = suite_is_old(suite),
        .has_staple = SSL_get_tlsext_status_ocsp_resp(ssl, &staple) > 0,
    };
    if (SSL_version(ssl) != TLS1_2_VERSION)
        return;
    ret_strength->lacks_renegotiation = SSL_get_secure_renegotiation_support(ssl) == 0;
    ret_strength->dh_bits = server_dh_bits(ssl);
    ret_strength->signs_sha1 = SSL_get_peer_signature_nid(ssl, &digest) == 1 && digest == NID_sha1;
}

bool smtp_strength_is_refused(const struct smtp_strength *strength)
{
    return strength->lacks_renegotiation || strength->signs_sha1;
}
