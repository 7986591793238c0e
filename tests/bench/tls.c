/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

enum record_type {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
};

enum message_type {
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_NEW_SESSION_TICKET = 4,
    MESSAGE_ENCRYPTED_EXTENSIONS = 8,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_CERTIFICATE_VERIFY = 15,
    MESSAGE_FINISHED = 20,
};

enum {
    MESSAGE_HEAD_LEN = 4,
    ALERT_CLOSE_NOTIFY = 0,
    EXTENSION_KEY_SHARE = 51,
    GROUP_X25519 = 29,
    SIGNATURE_ECDSA_P256 = 0x0403,
};

/* Bytes that are read front to back; what is not there reads as zero and is remembered. */
struct bytes {
    const unsigned char *at;
    size_t len;
    bool is_short;
};

static struct bytes take(struct bytes *from, size_t len)
{
    struct bytes taken = {from->at, len, false};

    if (from->len < len) {
        from->is_short = true;
        return (struct bytes){from->at, 0, true};
    }
    from->at += len;
    from->len -= len;
    return taken;
}

static size_t take_number(struct bytes *from, size_t n_octets)
{
    struct bytes octets = take(from, n_octets);
    size_t number = 0;

    for (size_t i = 0; i < octets.len; i++)
        number = number << 8 | octets.at[i];
    return number;
}

static struct bytes take_vector(struct bytes *from, size_t n_octets)
{
    return take(from, take_number(from, n_octets));
}

/* What is built back to front knows its lengths; a ClientHello is short enough to be filled in. */
static unsigned char *put_number(unsigned char *to, size_t number, size_t n_octets)
{
    for (size_t i = n_octets; i-- > 0; number >>= 8)
        to[i] = (unsigned char)number;
    return to + n_octets;
}

static unsigned char *put_server_name(unsigned char *to, const char *host)
{
    size_t len = strlen(host);

    to = put_number(to, 0, 2);
    to = put_number(to, len + 5, 2);
    to = put_number(to, len + 3, 2);
    to = put_number(to, 0, 1);
    to = put_number(to, len, 2);
    return mempcpy(to, host, len);
}

/* supported_groups, signature_algorithms, supported_versions, psk_key_exchange_modes */
static const unsigned char fixed_extensions[] = {
    0,    10,   0,    6,    0,    4,    0,    29,   0,    23,                                 /**/
    0,    13,   0,    18,   0,    16,   0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x08, 0x07,       /**/
    0x08, 0x04, 0x08, 0x05, 0x08, 0x06, 0x04, 0x01, 0,    43,   0,    3,    2,    0x03, 0x04, /**/
    0,    45,   0,    2,    1,    1,
};

static unsigned char *put_key_share(unsigned char *to, const unsigned char share[SHARE_LEN])
{
    to = put_number(to, EXTENSION_KEY_SHARE, 2);
    to = put_number(to, SHARE_LEN + 6, 2);
    to = put_number(to, SHARE_LEN + 4, 2);
    to = put_number(to, GROUP_X25519, 2);
    to = put_number(to, SHARE_LEN, 2);
    return mempcpy(to, share, SHARE_LEN);
}

/* Returns the length of the message. */
static size_t make_client_hello(const struct secrets *secrets, const char *host,
                                const unsigned char random[64], unsigned char *ret_message)
{
    unsigned char *to = ret_message + MESSAGE_HEAD_LEN, *extensions;
    size_t len;

    to = put_number(to, 0x0303, 2);
    to = mempcpy(to, random, 32);
    to = put_number(to, 32, 1);
    to = mempcpy(to, random + 32, 32);
    to = put_number(to, 4, 2);
    to = put_number(to, secrets->suites[0].id, 2);
    to = put_number(to, secrets->suites[1].id, 2);
    to = put_number(to, 0x0100, 2);
    extensions = to;
    to = put_server_name(to + 2, host);
    to = mempcpy(to, fixed_extensions, sizeof(fixed_extensions));
    to = put_key_share(to, secrets->share);
    put_number(extensions, (size_t)(to - extensions) - 2, 2);
    len = (size_t)(to - ret_message);
    put_number(ret_message, 1, 1);
    put_number(ret_message + 1, len - MESSAGE_HEAD_LEN, 3);
    return len;
}

void tls_begin(struct tls *tls, const struct secrets *secrets, const char *host,
               const unsigned char random[64], const unsigned char *leaf_digest)
{
    tls->state = TLS_WAITS_FOR_HELLO;
    tls->secrets = secrets;
    tls->leaf_digest = leaf_digest;
    tls->has_other_leaf = false;
    tls->in_len = tls->data_len = 0;
    tls->certificate_at = 0;
    tls->transcript_len = make_client_hello(secrets, host, random, tls->transcript);
    tls->parsed_len = tls->transcript_len;
    put_number(tls->out, RECORD_HANDSHAKE, 1);
    put_number(tls->out + 1, 0x0301, 2);
    put_number(tls->out + 3, tls->transcript_len, 2);
    memcpy(tls->out + RECORD_HEAD_LEN, tls->transcript, tls->transcript_len);
    tls->out_len = RECORD_HEAD_LEN + tls->transcript_len;
}

static void hash_transcript(const struct tls *tls, size_t len, unsigned char ret_hash[HASH_MAX])
{
    secrets_hash(tls->secrets, tls->suite, tls->transcript, len, ret_hash);
}

static void derive_both(struct tls *tls, const char *from_label, const char *to_label)
{
    unsigned char hash[HASH_MAX];

    hash_transcript(tls, tls->parsed_len, hash);
    traffic_derive(tls->secrets, tls->suite, tls->secret, from_label, hash, &tls->from_server);
    traffic_derive(tls->secrets, tls->suite, tls->secret, to_label, hash, &tls->to_server);
}

static const unsigned char *find_share(struct bytes extensions)
{
    while (extensions.len > 0) {
        size_t type = take_number(&extensions, 2);
        struct bytes value = take_vector(&extensions, 2);

        if (type == EXTENSION_KEY_SHARE && take_number(&value, 2) == GROUP_X25519 &&
            take_number(&value, 2) == SHARE_LEN && value.len == SHARE_LEN)
            return value.at;
        if (extensions.is_short)
            break;
    }
    return NULL;
}

/* A HelloRetryRequest has no share of that length, so it is refused too. */
static int take_server_hello(struct tls *tls, struct bytes body)
{
    const unsigned char *share;

    take(&body, 2 + 32);
    take_vector(&body, 1);
    tls->suite = secrets_find_suite(tls->secrets, (unsigned)take_number(&body, 2));
    take(&body, 1);
    share = find_share(take_vector(&body, 2));
    if (!tls->suite || !share || secrets_agree(tls->secrets, tls->suite, share, tls->secret) != 0)
        return -1;
    derive_both(tls, "s hs traffic", "c hs traffic");
    tls->state = TLS_WAITS_FOR_FINISHED;
    return 0;
}

/* The leaf in the Certificate message that is in the transcript. */
static struct bytes find_leaf(const struct tls *tls)
{
    struct bytes message = {tls->transcript + tls->certificate_at + MESSAGE_HEAD_LEN,
                            tls->transcript_len - tls->certificate_at - MESSAGE_HEAD_LEN, false};
    struct bytes list;

    take_vector(&message, 1);
    list = take_vector(&message, 3);
    return take_vector(&list, 3);
}

static int check_leaf(struct tls *tls)
{
    struct bytes leaf = find_leaf(tls);
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (!tls->leaf_digest ||
        (EVP_Digest(leaf.at, leaf.len, digest, NULL, EVP_sha256(), NULL) == 1 &&
         memcmp(digest, tls->leaf_digest, TLS_LEAF_DIGEST_LEN) == 0))
        return 0;
    tls->has_other_leaf = true;
    return -1;
}

static bool is_signed_by(EVP_PKEY *key, const void *content, size_t content_len,
                         struct bytes signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good =
        context && key && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(context, signature.at, signature.len, content, content_len) == 1;

    EVP_MD_CTX_free(context);
    return is_good;
}

/* before_len  of the transcript without this message */
static int check_signature(struct tls *tls, struct bytes body, size_t before_len)
{
    static const char label[] = "TLS 1.3, server CertificateVerify"; /* with its NUL */
    unsigned char content[64 + sizeof(label) + HASH_MAX];
    struct bytes leaf = find_leaf(tls);
    const unsigned char *der = leaf.at;
    X509 *certificate;
    bool is_good;

    if (!tls->leaf_digest)
        return 0;
    memset(content, ' ', 64);
    memcpy(content + 64, label, sizeof(label));
    hash_transcript(tls, before_len, content + 64 + sizeof(label));
    certificate = d2i_X509(NULL, &der, (long)leaf.len);
    is_good = certificate && take_number(&body, 2) == SIGNATURE_ECDSA_P256 &&
              is_signed_by(X509_get0_pubkey(certificate), content,
                           64 + sizeof(label) + tls->suite->hash_len, take_vector(&body, 2));
    X509_free(certificate);
    return is_good ? 0 : -1;
}

static void send_finished(struct tls *tls)
{
    static const unsigned char change_cipher_spec[] = {RECORD_CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1};
    unsigned char hash[HASH_MAX], message[MESSAGE_HEAD_LEN + HASH_MAX];
    size_t hash_len = tls->suite->hash_len;

    hash_transcript(tls, tls->parsed_len, hash);
    put_number(message, MESSAGE_FINISHED, 1);
    put_number(message + 1, hash_len, 3);
    traffic_finish(tls->secrets, tls->suite, &tls->to_server, hash, message + MESSAGE_HEAD_LEN);
    memcpy(tls->out, change_cipher_spec, sizeof(change_cipher_spec));
    tls->out_len = sizeof(change_cipher_spec);
    tls->out_len += traffic_protect(tls->secrets, tls->suite, &tls->to_server, RECORD_HANDSHAKE,
                                    message, MESSAGE_HEAD_LEN + hash_len, tls->out + tls->out_len);
}

/* before_len  of the transcript without this message */
static int take_finished(struct tls *tls, struct bytes body, size_t before_len)
{
    unsigned char hash[HASH_MAX], verify_data[HASH_MAX];

    hash_transcript(tls, before_len, hash);
    traffic_finish(tls->secrets, tls->suite, &tls->from_server, hash, verify_data);
    if (!tls->certificate_at || body.len != tls->suite->hash_len ||
        CRYPTO_memcmp(body.at, verify_data, body.len) != 0)
        return -1;
    send_finished(tls);
    secrets_advance(tls->secrets, tls->suite, tls->secret);
    derive_both(tls, "s ap traffic", "c ap traffic");
    tls->state = TLS_ESTABLISHED;
    return 0;
}

/* at  where the message stands in the transcript */
static int take_message(struct tls *tls, unsigned char type, struct bytes body, size_t at)
{
    if (tls->state == TLS_WAITS_FOR_HELLO)
        return type == MESSAGE_SERVER_HELLO ? take_server_hello(tls, body) : -1;
    switch (type) {
    case MESSAGE_ENCRYPTED_EXTENSIONS:
        return 0;
    case MESSAGE_CERTIFICATE:
        tls->certificate_at = at;
        return check_leaf(tls);
    case MESSAGE_CERTIFICATE_VERIFY:
        return check_signature(tls, body, at);
    case MESSAGE_FINISHED:
        return take_finished(tls, body, at);
    default:
        return -1;
    }
}

/* Messages may share a record, and one may be spread over several. */
static int take_handshake(struct tls *tls, const unsigned char *bytes, size_t len)
{
    if (tls->state == TLS_ESTABLISHED) /* new session tickets, which nobody will use */
        return len > 0 && bytes[0] == MESSAGE_NEW_SESSION_TICKET ? 0 : -1;
    if (len > sizeof(tls->transcript) - tls->transcript_len)
        return -1;
    memcpy(tls->transcript + tls->transcript_len, bytes, len);
    tls->transcript_len += len;
    while (tls->transcript_len - tls->parsed_len >= MESSAGE_HEAD_LEN) {
        size_t at = tls->parsed_len;
        struct bytes rest = {tls->transcript + at, tls->transcript_len - at, false};
        unsigned char type = (unsigned char)take_number(&rest, 1);
        struct bytes body = take_vector(&rest, 3);

        if (body.is_short)
            break;
        tls->parsed_len = tls->transcript_len - rest.len;
        if (take_message(tls, type, body, at) != 0)
            return -1;
    }
    return 0;
}

static int take_alert(struct tls *tls, const unsigned char *bytes, size_t len)
{
    if (len != 2 || bytes[1] != ALERT_CLOSE_NOTIFY || tls->state != TLS_ESTABLISHED)
        return -1;
    tls->state = TLS_ENDED;
    return 0;
}

static int take_data(struct tls *tls, const unsigned char *bytes, size_t len)
{
    if (tls->state != TLS_ESTABLISHED || len > sizeof(tls->data) - tls->data_len)
        return -1;
    memcpy(tls->data + tls->data_len, bytes, len);
    tls->data_len += len;
    return 0;
}

static int take_content(struct tls *tls, unsigned char type, const unsigned char *bytes, size_t len)
{
    switch (type) {
    case RECORD_HANDSHAKE:
        return take_handshake(tls, bytes, len);
    case RECORD_ALERT:
        return take_alert(tls, bytes, len);
    case RECORD_DATA:
        return take_data(tls, bytes, len);
    default:
        return -1;
    }
}

static int take_record(struct tls *tls, unsigned char *record, size_t len)
{
    unsigned char type = record[0];
    size_t content_len = len - RECORD_HEAD_LEN;

    if (type == RECORD_CHANGE_CIPHER_SPEC)
        return 0;
    if (tls->state == TLS_WAITS_FOR_HELLO)
        return type == RECORD_HANDSHAKE ? take_handshake(tls, record + RECORD_HEAD_LEN, content_len)
                                        : -1;
    if (traffic_open(tls->secrets, tls->suite, &tls->from_server, record, len, &type,
                     &content_len) != 0)
        return -1;
    return take_content(tls, type, record + RECORD_HEAD_LEN, content_len);
}

void tls_take(struct tls *tls, size_t len)
{
    size_t at = 0;

    tls->in_len += len;
    while (tls->state < TLS_ENDED && tls->in_len - at >= RECORD_HEAD_LEN) {
        unsigned char *record = tls->in + at;
        size_t record_len = RECORD_HEAD_LEN + (size_t)(record[3] << 8 | record[4]);

        if (record_len > tls->in_len - at)
            break;
        if (take_record(tls, record, record_len) != 0)
            tls->state = TLS_FAILED;
        at += record_len;
    }
    memmove(tls->in, tls->in + at, tls->in_len - at);
    tls->in_len -= at;
}

void tls_write(struct tls *tls, const void *bytes, size_t len)
{
    tls->out_len += traffic_protect(tls->secrets, tls->suite, &tls->to_server, RECORD_DATA, bytes,
                                    len, tls->out + tls->out_len);
}
