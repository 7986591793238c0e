/* SPDX-License-Identifier: MIT */
#include "support/pki.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/chain_cache.h"

static const char pass_phrase[] = "open sesame";

/* RSA keys for the signature scheme of one digest; the length of the salt is the digest's. */
static EVP_PKEY *make_pss_key(const char *digest)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    const EVP_MD *md = EVP_get_digestbyname(digest);
    EVP_PKEY *key = NULL;

    assert_true(EVP_PKEY_keygen_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_md(context, md) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context, md) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context, EVP_MD_get_size(md)) == 1 &&
                EVP_PKEY_generate(context, &key) == 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *make_explicit_key(const char *curve)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);

    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    return key;
}

static EVP_PKEY *make_key(const char *kind)
{
    static const char explicit[] = "explicit ", pss[] = "RSA-PSS-";
    EVP_PKEY *key;

    if (strncmp(kind, explicit, strlen(explicit)) == 0)
        key = make_explicit_key(kind + strlen(explicit));
    else if (strncmp(kind, pss, strlen(pss)) == 0)
        key = make_pss_key(kind + strlen(pss));
    else if (strncmp(kind, "ED", 2) == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    else if (strncmp(kind, "RSA-", 4) == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)strtoul(kind + 4, NULL, 10));
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    assert_non_null(key);
    return key;
}

static void set_serial(X509 *certificate)
{
    unsigned char bytes[4];

    assert_int_equal(RAND_bytes(bytes, sizeof(bytes)), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate),
                     bytes[0] << 16 | bytes[1] << 8 | bytes[2] | 1);
}

static void set_life(X509 *certificate, const struct pki_request *request)
{
    int64_t from = request->not_before_unix_s, to = request->not_after_unix_s;

    if (from == 0 && to == 0) {
        from = PKI_NOW_UNIX_S - 30 * PKI_DAY_S;
        to = PKI_NOW_UNIX_S + 60 * PKI_DAY_S;
    }
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)to));
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(const struct pki_request *request, EVP_PKEY *key,
                              const struct pki_identity *issuer)
{
    X509 *certificate = X509_new();
    X509 *issuer_certificate = issuer ? issuer->certificate : certificate;
    EVP_PKEY *issuer_key = issuer ? issuer->key : key;
    X509_NAME *subject = X509_get_subject_name(certificate);

    X509_set_version(certificate, X509_VERSION_3);
    set_serial(certificate);
    set_life(certificate, request);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)request->common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer_certificate));
    X509_set_pubkey(certificate, key);
    add_extension(certificate, issuer_certificate, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer_certificate, NID_authority_key_identifier, "keyid");
    if (request->role == PKI_AUTHORITY) {
        add_extension(certificate, issuer_certificate, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(certificate, issuer_certificate, NID_key_usage, "critical,keyCertSign");
    }
    if (request->names_issuer)
        add_extension(certificate, issuer_certificate, NID_info_access,
                      "caIssuers;URI:http://issuer.example/R1.der");
    if (request->must_staple)
        add_extension(certificate, issuer_certificate, NID_tlsfeature, "status_request");
    if (request->names)
        add_extension(certificate, issuer_certificate, NID_subject_alt_name, request->names);
    assert_true(
        X509_sign(certificate, issuer_key,
                  EVP_PKEY_is_a(issuer_key, "ED25519")
                      ? NULL
                      : EVP_get_digestbyname(request->digest ? request->digest : "SHA256")) > 0);
    return certificate;
}

/* The text that was written to `bio`, which is freed. */
static char *bio_take_text(BIO *bio)
{
    char *bytes, *text;
    long len = BIO_get_mem_data(bio, &bytes);

    assert_true(len > 0);
    text = strndup(bytes, (size_t)len);
    assert_non_null(text);
    BIO_free(bio);
    return text;
}

char *pki_certificate_render(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    return bio_take_text(bio);
}

static char *render_pkcs8(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? pass_phrase : NULL,
                                                   cipher ? (int)strlen(pass_phrase) : 0, NULL,
                                                   NULL),
                     1);
    return bio_take_text(bio);
}

static char *render_traditional(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         bio, key, cipher, cipher ? (const unsigned char *)pass_phrase : NULL,
                         cipher ? (int)strlen(pass_phrase) : 0, NULL, NULL),
                     1);
    return bio_take_text(bio);
}

static char *render_without_point(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);
    char *text;

    assert_int_equal(EVP_PKEY_set_int_param(copy, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0), 1);
    text = render_pkcs8(copy, NULL);
    EVP_PKEY_free(copy);
    return text;
}

char *pki_key_render(EVP_PKEY *key, enum pki_key_form form)
{
    switch (form) {
    case PKI_KEY_TRADITIONAL:
        return render_traditional(key, NULL);
    case PKI_KEY_TRADITIONAL_ENCRYPTED:
        return render_traditional(key, EVP_aes_128_cbc());
    case PKI_KEY_PKCS8_ENCRYPTED:
        return render_pkcs8(key, EVP_aes_128_cbc());
    case PKI_KEY_PKCS8_WITHOUT_POINT:
        return render_without_point(key);
    }
    fail_msg("no such form of a key: %d", (int)form);
    return NULL;
}

/* Takes the key. */
static struct pki_identity *issue_for_key(const struct pki_request *request, EVP_PKEY *key,
                                          const struct pki_identity *issuer)
{
    struct pki_identity *identity = malloc(sizeof(*identity));

    assert_non_null(identity);
    identity->key = key;
    identity->certificate = make_certificate(request, identity->key, issuer);
    identity->certificate_pem = pki_certificate_render(identity->certificate);
    identity->key_pem = render_pkcs8(identity->key, NULL);
    return identity;
}

struct pki_identity *pki_issue(const struct pki_request *request, const char *kind,
                               const struct pki_identity *issuer)
{
    return issue_for_key(request, make_key(kind), issuer);
}

struct pki_identity *pki_cross_sign(const struct pki_request *request,
                                    const struct pki_identity *authority,
                                    const struct pki_identity *issuer)
{
    EVP_PKEY_up_ref(authority->key);
    return issue_for_key(request, authority->key, issuer);
}

void pki_free(struct pki_identity *identity)
{
    if (!identity)
        return;
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    free(identity->certificate_pem);
    free(identity->key_pem);
    free(identity);
}

static void make_parents(const char *path)
{
    char *parent = strdup(path);

    assert_non_null(parent);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(parent, 0755); /* one that is there already is as good */
        *slash = '/';
    }
    free(parent);
}

void pki_write(const char *path, ...)
{
    char temporary[512];
    const char *text;
    va_list texts;
    FILE *out;

    make_parents(path);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    out = fopen(temporary, "w");
    assert_non_null(out);
    va_start(texts, path);
    while ((text = va_arg(texts, const char *)))
        fputs(text, out);
    va_end(texts);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(rename(temporary, path), 0);
}

void pki_link(const char *path, const char *target)
{
    char temporary[512];

    make_parents(path);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    assert_int_equal(symlink(target, temporary), 0);
    assert_int_equal(rename(temporary, path), 0);
}

void pki_write_pair(const char *chain_path, const char *key_path, const char *names, int days)
{
    char prefixed[1024];
    const struct pki_request request = {
        .common_name = "leaf",
        .names = prefixed,
        .not_before_unix_s = PKI_NOW_UNIX_S - PKI_DAY_S,
        .not_after_unix_s = PKI_NOW_UNIX_S + days * (int64_t)PKI_DAY_S,
    };
    const struct pki_request above = {.common_name = "authority", .role = PKI_AUTHORITY};
    struct pki_identity *authority = pki_issue(&above, "P-256", NULL), *leaf;

    snprintf(prefixed, sizeof(prefixed), "DNS:%s", names);
    leaf = pki_issue(&request, "P-256", authority);
    if (strcmp(chain_path, key_path) == 0) {
        pki_write(chain_path, leaf->key_pem, authority->certificate_pem, leaf->certificate_pem,
                  NULL);
    } else {
        pki_write(chain_path, leaf->certificate_pem, authority->certificate_pem, NULL);
        pki_write(key_path, leaf->key_pem, NULL);
    }
    pki_free(leaf);
    pki_free(authority);
}

int pki_enter_directory(void **state)
{
    char path[] = "/tmp/mta-stsd-test.XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0755), 0); /* a test may shed root's rights */
    assert_int_equal(chdir(path), 0);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *level)
{
    (void)status;
    (void)kind;
    (void)level;
    return remove(path);
}

int pki_leave_directory(void **state)
{
    char *path = getcwd(NULL, 0);

    (void)state;
    assert_non_null(path);
    assert_true(strncmp(path, "/tmp/mta-stsd-test.", strlen("/tmp/mta-stsd-test.")) == 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
    return 0;
}

int pki_load(const char *chain_path, const char *key_path, struct certificate **ret_certificate,
             struct err *err)
{
    struct chain_cache *chains = chain_cache_new();
    int result = certificate_load(chain_path, key_path, chains, ret_certificate, err);

    chain_cache_unref(chains); /* the certificate's chain keeps it */
    return result;
}
