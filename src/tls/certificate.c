/* SPDX-License-Identifier: MIT */
#include "tls/certificate.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/slice.h"

enum {
    SCALAR_LEN = 32,         /* bytes of a P-256 private key */
    POINT_LEN = 65,          /* bytes of an uncompressed P-256 public key */
    SECURITY_BITS_MIN = 112, /* what OpenSSL's security level 2 demands of a key */
    NAMES_SHOWN = 3,
    PATH_SHOWN = 180, /* bytes of a path in a message */
    LIFE_PARTS = 6,   /* the last of them is when a renewal is overdue */
};

struct certificate {
    atomic_size_t references;
    X509 *leaf;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* what is sent after the leaf; its members may be shared one day */
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
};

static void file_stat(const char *path, struct certificate_file *ret_file)
{
    struct stat status;

    *ret_file = (struct certificate_file){0};
    if (stat(path, &status) != 0) {
        ret_file->stat_errno = errno;
        return;
    }
    ret_file->device = status.st_dev;
    ret_file->inode = status.st_ino;
    ret_file->size = status.st_size;
    ret_file->modified = status.st_mtim;
}

void certificate_files_stat(const char *chain_path, const char *key_path,
                            struct certificate_files *ret_files)
{
    file_stat(chain_path, &ret_files->chain);
    file_stat(key_path, &ret_files->key);
}

static bool file_eq(const struct certificate_file *a, const struct certificate_file *b)
{
    return a->stat_errno == b->stat_errno && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

bool certificate_files_eq(const struct certificate_files *a, const struct certificate_files *b)
{
    return file_eq(&a->chain, &b->chain) && file_eq(&a->key, &b->key);
}

static bool file_is_absent(const struct certificate_file *file)
{
    return file->stat_errno == ENOENT || file->stat_errno == ENOTDIR;
}

bool certificate_files_are_absent(const struct certificate_files *files)
{
    return file_is_absent(&files->chain) && file_is_absent(&files->key);
}

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }
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
    {BYTES("\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" P256_OID
           "\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"),
     BYTES(P256_POINT_HEAD)},
    /* ECPrivateKey, RFC 5915 3 */
    {BYTES("\x30\x77\x02\x01\x01\x04\x20"), BYTES("\xa0\x0a" P256_OID P256_POINT_HEAD)},
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

static int take_certificate(const struct pem_block *block, STACK_OF(X509) * certificates,
                            struct err *err)
{
    const unsigned char *at = block->bytes;
    X509 *certificate = d2i_X509(NULL, &at, block->len);

    if (!certificate || sk_X509_push(certificates, certificate) <= 0) {
        X509_free(certificate);
        return err_set(err, ERR_SYNTAX, "a certificate is damaged");
    }
    /* Makes OpenSSL take its extensions apart now, not in whichever thread first asks for them. */
    X509_check_purpose(certificate, -1, 0);
    return 0;
}

/* Other blocks are passed over: "EC PARAMETERS" before a key, "DH PARAMETERS" of a proxy. */
static int take_block(const struct pem_block *block, STACK_OF(X509) * certificates, EVP_PKEY **key,
                      struct err *err)
{
    bool is_certificate =
        strcmp(block->name, PEM_STRING_X509) == 0 || strcmp(block->name, PEM_STRING_X509_OLD) == 0;

    if (is_certificate && certificates)
        return take_certificate(block, certificates, err);
    if (key && !*key && slice_ends_with(slice_of(block->name), "PRIVATE KEY"))
        return take_key(block, key, err);
    return 0;
}

/* Takes the certificates and the first key of a file; NULL for what is not wanted of it. */
static int pem_parse(struct slice file, STACK_OF(X509) * certificates, EVP_PKEY **key,
                     struct err *err)
{
    BIO *bio = BIO_new_mem_buf(file.ptr, (int)file.len);
    struct pem_block block;
    int result = 0;

    while (result == 0 &&
           PEM_read_bio(bio, &block.name, &block.header, &block.bytes, &block.len) == 1) {
        result = take_block(&block, certificates, key, err);
        OPENSSL_free(block.name);
        OPENSSL_free(block.header);
        OPENSSL_clear_free(block.bytes, (size_t)block.len);
    }
    BIO_free(bio);
    if (result != 0)
        return -1;
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return err_set(err, ERR_SYNTAX, "a PEM block is damaged");
    if (certificates && sk_X509_num(certificates) == 0)
        return err_set(err, ERR_SYNTAX, "holds no certificate");
    if (key && !*key)
        return err_set(err, ERR_SYNTAX, "holds no private key");
    return 0;
}

/* Puts the file before what is wrong with it; a path that is too long would hide the reason. */
static int name_file(struct err *err, const char *path)
{
    int sys_errno = err->sys_errno;

    err_set(err, err->code, "%.*s: %s", PATH_SHOWN, path, err->msg);
    err->sys_errno = sys_errno;
    return -1;
}

static int pem_load(const char *path, STACK_OF(X509) * certificates, EVP_PKEY **key,
                    struct err *err)
{
    struct arena *arena = arena_new(0);
    struct slice file;
    int result = -1;

    if (file_read_regular(path, CERTIFICATE_FILE_MAX, arena, &file, err) == 0)
        result = pem_parse(file, certificates, key, err);
    arena_free(arena);
    return result == 0 ? 0 : name_file(err, path);
}

/* Moves the leaf out of the chain: the one of the key, if that is among the first `n_tried`. */
static int take_leaf(struct certificate *certificate, int n_tried, struct err *err)
{
    for (int i = 0; i < n_tried; i++)
        if (X509_check_private_key(sk_X509_value(certificate->chain, i), certificate->key) == 1) {
            certificate->leaf = sk_X509_delete(certificate->chain, i);
            return 0;
        }
    return err_set(err, ERR_CONFIG, "the private key is not that of the certificate");
}

static int time_to_unix_s(const ASN1_TIME *time, int64_t *ret_unix_s)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return -1;
    *ret_unix_s = (int64_t)timegm(&parts);
    return 0;
}

static int take_dates(struct certificate *made, struct err *err)
{
    if (time_to_unix_s(X509_get0_notBefore(made->leaf), &made->not_before_unix_s) != 0 ||
        time_to_unix_s(X509_get0_notAfter(made->leaf), &made->not_after_unix_s) != 0)
        return err_set(err, ERR_SYNTAX, "the dates of the certificate are damaged");
    return 0;
}

static int load_pair(struct certificate *made, const char *chain_path, const char *key_path,
                     struct err *err)
{
    if (pem_load(chain_path, made->chain, NULL, err) != 0 ||
        pem_load(key_path, NULL, &made->key, err) != 0)
        return -1;
    return take_leaf(made, 1, err) == 0 ? 0 : name_file(err, key_path);
}

static int load_combined(struct certificate *made, const char *path, struct err *err)
{
    if (pem_load(path, made->chain, &made->key, err) != 0)
        return -1;
    return take_leaf(made, sk_X509_num(made->chain), err) == 0 ? 0 : name_file(err, path);
}

int certificate_load(const char *chain_path, const char *key_path,
                     struct certificate **ret_certificate, struct err *err)
{
    bool is_combined = strcmp(chain_path, key_path) == 0;
    struct certificate *made = memory_alloc(sizeof(*made));
    int result;

    *made = (struct certificate){.references = 1, .chain = sk_X509_new_null()};
    result = is_combined ? load_combined(made, chain_path, err)
                         : load_pair(made, chain_path, key_path, err);
    if (result == 0 && take_dates(made, err) != 0)
        result = name_file(err, chain_path);
    if (result == 0)
        *ret_certificate = made;
    else
        certificate_unref(made);
    ERR_clear_error();
    return result;
}

struct certificate *certificate_ref(struct certificate *certificate)
{
    atomic_fetch_add_explicit(&certificate->references, 1, memory_order_relaxed);
    return certificate;
}

void certificate_unref(struct certificate *certificate)
{
    if (!certificate ||
        atomic_fetch_sub_explicit(&certificate->references, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(certificate->leaf);
    EVP_PKEY_free(certificate->key);
    sk_X509_pop_free(certificate->chain, X509_free);
    free(certificate);
}

bool certificate_covers(const struct certificate *certificate, const char *host)
{
    bool covers;

    if (host[0] == '.') /* which X509_check_host() takes for any host below */
        return false;
    covers =
        X509_check_host(certificate->leaf, host, 0,
                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                        NULL) == 1;
    ERR_clear_error();
    return covers;
}

/* Appends to a text that is cut, never overrun. */
static void append(char *buffer, size_t size, const char *text)
{
    size_t used = strlen(buffer);

    strncat(buffer, text, size - used - 1);
}

const char *certificate_names_render(const struct certificate *certificate, char *buffer,
                                     size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    char text[ERR_QUOTE_MAX];
    size_t n_dns = 0;

    buffer[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (type != GEN_DNS || ++n_dns > NAMES_SHOWN)
            continue;
        append(buffer, size, n_dns > 1 ? ", " : "");
        append(buffer, size,
               err_quote(text, sizeof(text),
                         (struct slice){(const char *)ASN1_STRING_get0_data(value),
                                        (size_t)ASN1_STRING_length(value)}));
    }
    if (n_dns > NAMES_SHOWN) {
        snprintf(text, sizeof(text), " and %zu more", n_dns - NAMES_SHOWN);
        append(buffer, size, text);
    }
    append(buffer, size, n_dns == 0 ? "no DNS name" : "");
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return buffer;
}

int64_t certificate_not_before_unix_s(const struct certificate *certificate)
{
    return certificate->not_before_unix_s;
}

int64_t certificate_not_after_unix_s(const struct certificate *certificate)
{
    return certificate->not_after_unix_s;
}

static finding_set check_life(const struct certificate *certificate, int64_t now_unix_s)
{
    int64_t life_s = certificate->not_after_unix_s - certificate->not_before_unix_s;
    int64_t left_s = certificate->not_after_unix_s - now_unix_s;

    if (left_s < 0) /* RFC 5280 4.1.2.5: valid through notAfter, inclusive */
        return finding_bit(FINDING_CERTIFICATE_EXPIRED);
    if (now_unix_s < certificate->not_before_unix_s)
        return finding_bit(FINDING_CERTIFICATE_NOT_YET_VALID);
    if (left_s * LIFE_PARTS <= life_s)
        return finding_bit(FINDING_CERTIFICATE_EXPIRING);
    return 0;
}

/* The system's trust store; written once, and OpenSSL locks it from then on. */
static pthread_once_t roots_once = PTHREAD_ONCE_INIT;
static X509_STORE *roots;

static void roots_load(void)
{
    roots = X509_STORE_new();
    X509_STORE_set_default_paths(roots);
}

static bool is_issued_by_root(X509 *leaf)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509 *issuer = NULL;
    bool is_issued;

    pthread_once(&roots_once, roots_load);
    is_issued = X509_STORE_CTX_init(context, roots, NULL, NULL) == 1 &&
                X509_STORE_CTX_get1_issuer(&issuer, context, leaf) == 1;
    X509_free(issuer);
    X509_STORE_CTX_free(context);
    return is_issued;
}

static bool chain_is_complete(const struct certificate *certificate)
{
    X509 *subject = certificate->leaf;

    if (sk_X509_num(certificate->chain) == 0)
        return X509_self_signed(subject, 0) == 1 || is_issued_by_root(subject);
    for (int i = 0; i < sk_X509_num(certificate->chain); i++) {
        X509 *issuer = sk_X509_value(certificate->chain, i);

        if (X509_check_issued(issuer, subject) != X509_V_OK)
            return false;
        subject = issuer;
    }
    return true;
}

finding_set certificate_check(const struct certificate *certificate, const char *host,
                              int64_t now_unix_s)
{
    finding_set found = check_life(certificate, now_unix_s);

    if (!certificate_covers(certificate, host))
        found |= finding_bit(FINDING_CERTIFICATE_NAME);
    if (!chain_is_complete(certificate))
        found |= finding_bit(FINDING_CERTIFICATE_CHAIN);
    ERR_clear_error();
    return found;
}

const char *certificate_date_render(int64_t unix_s, char buffer[static CERTIFICATE_DATE_MAX])
{
    time_t seconds = (time_t)unix_s;
    struct tm parts;

    strftime(buffer, CERTIFICATE_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &parts));
    return buffer;
}

const char *certificate_findings_render(const struct certificate *certificate, finding_set findings,
                                        char *buffer, size_t size)
{
    const struct {
        enum finding finding;
        const char *words;
        const int64_t *at_unix_s;
    } rows[] = {
        {FINDING_CERTIFICATE_EXPIRED, "expired on ", &certificate->not_after_unix_s},
        {FINDING_CERTIFICATE_EXPIRING, "in the last sixth of its life, expires on ",
         &certificate->not_after_unix_s},
        {FINDING_CERTIFICATE_NOT_YET_VALID, "not valid before ", &certificate->not_before_unix_s},
        {FINDING_CERTIFICATE_CHAIN, "an intermediate is missing or out of order", NULL},
    };
    char date[CERTIFICATE_DATE_MAX];

    buffer[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!(findings & finding_bit(rows[i].finding)))
            continue;
        append(buffer, size, buffer[0] == '\0' ? "" : "; ");
        append(buffer, size, rows[i].words);
        append(buffer, size,
               rows[i].at_unix_s ? certificate_date_render(*rows[i].at_unix_s, date) : "");
    }
    return buffer;
}

int certificate_use(struct certificate *certificate, struct ssl_st *ssl)
{
    bool is_used;

    /* The ClientHello after a HelloRetryRequest may name another host: nothing may be left over. */
    SSL_certs_clear(ssl);
    is_used =
        SSL_use_cert_and_key(ssl, certificate->leaf, certificate->key, certificate->chain, 1) == 1;
    ERR_clear_error();
    return is_used ? 0 : -1;
}
