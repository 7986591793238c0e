/* SPDX-License-Identifier: MIT */
#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum {
    ROOT_BITS = 4096,
    SERIAL_BITS = 136, /* 18 bytes, as Let's Encrypt has */
    N_SCTS = 2,
    SCT_LEN = 119, /* RFC 6962 3.2 with an ECDSA signature of 72 bytes */
    LIFETIME_S = 15 * 365 * 86400,
};

struct extension {
    int nid;
    const char *value;
};

static const struct extension intermediate_extensions[] = {
    {NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"},
    {NID_ext_key_usage, "clientAuth,serverAuth"},
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_info_access, "caIssuers;URI:http://root.authority.example/"},
    {NID_crl_distribution_points, "URI:http://root.authority.example/root.crl"},
};

static const struct extension leaf_extensions[] = {
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth,clientAuth"},
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid"},
    {NID_info_access, "caIssuers;URI:http://intermediate.authority.example/"},
    {NID_crl_distribution_points, "URI:http://intermediate.authority.example/crl/1.crl"},
};

void authority_require(int is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "bench_hosts: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void add_extension(X509 *certificate, X509V3_CTX *context, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);

    authority_require(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void add_host(X509 *certificate, X509V3_CTX *context, const char *host)
{
    char value[300];

    snprintf(value, sizeof(value), "DNS:%s", host);
    add_extension(certificate, context, NID_subject_alt_name, value);
}

static void add_encoded(X509 *certificate, int nid, const unsigned char *der, int len)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    authority_require(value && ASN1_OCTET_STRING_set(value, der, len), "no memory");
    extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, value);
    authority_require(extension && X509_add_ext(certificate, extension, -1), "no extension");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
}

/* domain-validated, 2.23.140.1.2.1 */
static void add_policy(X509 *certificate)
{
    static const unsigned char der[] = {0x30, 0x0a, 0x30, 0x08, 0x06, 0x06,
                                        0x67, 0x81, 0x0c, 0x01, 0x02, 0x01};

    add_encoded(certificate, NID_certificate_policies, der, sizeof(der));
}

/* An OCTET STRING around a SignedCertificateTimestampList (RFC 6962 3.3). */
static void add_scts(X509 *certificate)
{
    enum {
        LIST_LEN = N_SCTS * (2 + SCT_LEN),
        DER_LEN = 3 + 2 + LIST_LEN,
    };
    unsigned char der[DER_LEN] = {0x04, 0x81, 2 + LIST_LEN, 0, LIST_LEN}, *to = der + 5;

    for (int i = 0; i < N_SCTS; i++, to += 2 + SCT_LEN) {
        to[0] = 0;
        to[1] = SCT_LEN;
        authority_require(RAND_bytes(to + 2, SCT_LEN) == 1, "no random bytes");
    }
    add_encoded(certificate, NID_ct_precert_scts, der, DER_LEN);
}

static void set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();

    authority_require(number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                          BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)),
                      "no serial number");
    BN_free(number);
}

static void add_name(X509_NAME *name, const char *key, const char *value)
{
    authority_require(X509_NAME_add_entry_by_txt(name, key, MBSTRING_ASC,
                                                 (const unsigned char *)value, -1, -1, 0),
                      value);
}

/* Everything but the extensions and the signature. issuer  NULL: the certificate's own */
static X509 *certificate_new(const char *common_name, const char *organisation, EVP_PKEY *key,
                             const X509 *issuer)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    X509_set_version(certificate, X509_VERSION_3);
    set_serial(certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), LIFETIME_S);
    if (organisation) {
        add_name(name, "C", "XX");
        add_name(name, "O", organisation);
    }
    add_name(name, "CN", common_name);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : name);
    authority_require(X509_set_pubkey(certificate, key), "no public key");
    return certificate;
}

static void add_extensions(X509 *certificate, X509V3_CTX *context,
                           const struct extension *extensions, size_t n_extensions)
{
    for (size_t i = 0; i < n_extensions; i++)
        add_extension(certificate, context, extensions[i].nid, extensions[i].value);
}

static void certificate_sign(X509 *certificate, EVP_PKEY *key)
{
    authority_require(X509_sign(certificate, key, EVP_sha256()) > 0, "signing failed");
}

void authority_issue(const struct intermediate *issuer, const char *host, X509 **ret_certificate,
                     EVP_PKEY **ret_key)
{
    X509V3_CTX context;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_new(host, NULL, key, issuer->certificate);

    X509V3_set_ctx(&context, issuer->certificate, certificate, NULL, NULL, 0);
    add_extensions(certificate, &context, leaf_extensions,
                   sizeof(leaf_extensions) / sizeof(leaf_extensions[0]));
    add_host(certificate, &context, host);
    add_policy(certificate);
    add_scts(certificate);
    certificate_sign(certificate, issuer->key);
    *ret_certificate = certificate;
    *ret_key = key;
}

static void make_intermediate(int number, const struct intermediate *root,
                              struct intermediate *ret_made)
{
    X509V3_CTX context;
    char name[32];

    snprintf(name, sizeof(name), "X%d", number);
    ret_made->key = EVP_EC_gen("P-256");
    ret_made->certificate =
        certificate_new(name, "Throw-away Authority", ret_made->key, root->certificate);
    X509V3_set_ctx(&context, root->certificate, ret_made->certificate, NULL, NULL, 0);
    add_extensions(ret_made->certificate, &context, intermediate_extensions,
                   sizeof(intermediate_extensions) / sizeof(intermediate_extensions[0]));
    add_policy(ret_made->certificate);
    certificate_sign(ret_made->certificate, root->key);
}

static void make_root(struct intermediate *ret_root)
{
    X509V3_CTX context;

    ret_root->key = EVP_RSA_gen(ROOT_BITS);
    ret_root->certificate =
        certificate_new("Throw-away Root", "Throw-away Authority", ret_root->key, NULL);
    X509V3_set_ctx(&context, ret_root->certificate, ret_root->certificate, NULL, NULL, 0);
    add_extension(ret_root->certificate, &context, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ret_root->certificate, &context, NID_subject_key_identifier, "hash");
    certificate_sign(ret_root->certificate, ret_root->key);
}

static FILE *open_numbered(const char *folder, int number, const char *mode)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/intermediate-%d.pem", folder, number);
    return fopen(path, mode);
}

static int read_intermediate(const char *folder, int number, struct intermediate *ret_read)
{
    FILE *in = open_numbered(folder, number, "r");

    if (!in)
        return -1;
    ret_read->certificate = PEM_read_X509(in, NULL, NULL, NULL);
    ret_read->key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    authority_require(ret_read->certificate && ret_read->key, "an intermediate is broken");
    return 0;
}

static void write_intermediate(const char *folder, int number, const struct intermediate *made)
{
    FILE *out = open_numbered(folder, number, "w");

    authority_require(out && PEM_write_X509(out, made->certificate) &&
                          PEM_write_PrivateKey(out, made->key, NULL, NULL, 0, NULL, NULL) &&
                          fclose(out) == 0,
                      "an intermediate cannot be written");
}

static void make_all(const char *folder, struct intermediate *ret_intermediates)
{
    struct intermediate root;

    make_root(&root);
    for (int i = 0; i < N_INTERMEDIATES; i++) {
        make_intermediate(i, &root, &ret_intermediates[i]);
        write_intermediate(folder, i, &ret_intermediates[i]);
    }
    X509_free(root.certificate);
    EVP_PKEY_free(root.key);
}

void authority_open(const char *folder, struct intermediate ret_intermediates[N_INTERMEDIATES])
{
    for (int i = 0; i < N_INTERMEDIATES; i++) {
        if (read_intermediate(folder, i, &ret_intermediates[i]) == 0)
            continue;
        authority_require(i == 0, "an intermediate is missing");
        make_all(folder, ret_intermediates);
        return;
    }
}
