/* SPDX-License-Identifier: MIT */
#include "check/mx_cert.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "check/mx_trust.h"
#include "lib/base/err.h"

enum {
    NAME_TEXT_MAX = 254,  /* a DNS name and its NUL */
    AUTH_LEVEL = 1,       /* 80 bits: RSA of 1024 bits, no SHA-1; Postfix demands no more */
    SMALL_KEY_BITS = 112, /* of security, RSA of 2048 bits: level 2, and rustls, demand that */
    STATUS_REQUEST = 5,   /* RFC 6066 8, RFC 7633 */
};

static enum mx_cert_fault fault_of_error(int error)
{
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return MX_CERT_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return MX_CERT_UNTRUSTED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return MX_CERT_INCOMPLETE;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return MX_CERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return MX_CERT_NOT_YET_VALID;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return MX_CERT_WEAK;
    default:
        return MX_CERT_OTHER;
    }
}

/* Notes each fault and goes on, so that an expired certificate of an unknown issuer is called both.
 */
static int cert_on_verify(int is_good, X509_STORE_CTX *context)
{
    struct mx_cert *cert = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);

    if (is_good)
        return 1;
    if (cert->faults == 0)
        cert->words = X509_verify_cert_error_string(error);
    if (fault_of_error(error) == MX_CERT_WEAK && cert->weakness == NULL)
        cert->weakness = X509_verify_cert_error_string(error);
    cert->faults |= fault_of_error(error);
    return 1;
}

static int64_t asn1_unix_s(const ASN1_TIME *when)
{
    struct tm tm;

    return ASN1_TIME_to_tm(when, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* The root's own end counts for nothing: it is trusted because it is in the store. */
static int64_t chain_ends_unix_s(STACK_OF(X509) * chain)
{
    int64_t first = INT64_MAX;
    int n = sk_X509_num(chain);

    for (int i = 0; i < n && (i == 0 || i < n - 1); i++) {
        int64_t end = asn1_unix_s(X509_get0_notAfter(sk_X509_value(chain, i)));
        first = end < first ? end : first;
    }
    return first;
}

/* Of the first key that is too small for OpenSSL's security level 2; 0: none is. */
static int chain_small_key_bits(STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, i));
        if (key && EVP_PKEY_get_security_bits(key) < SMALL_KEY_BITS)
            return EVP_PKEY_get_bits(key);
    }
    return 0;
}

static void chain_verify(const struct mx_trust *trust, STACK_OF(X509) * chain, int64_t now_unix_s,
                         struct mx_cert *cert)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;

    if (context == NULL ||
        X509_STORE_CTX_init(context, mx_trust_roots(trust), sk_X509_value(chain, 0), chain) != 1) {
        X509_STORE_CTX_free(context);
        cert->faults = MX_CERT_OTHER;
        cert->words = "OpenSSL cannot verify the certificate";
        return;
    }
    X509_STORE_CTX_set_default(context, "ssl_server");
    param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)now_unix_s);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_STORE_CTX_set_app_data(context, cert);
    X509_STORE_CTX_set_verify_cb(context, cert_on_verify);
    if (X509_verify_cert(context) != 1 && cert->faults == 0) {
        cert->faults = MX_CERT_OTHER;
        cert->words = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    }
    if (X509_STORE_CTX_get0_chain(context)) {
        cert->ends_unix_s = chain_ends_unix_s(X509_STORE_CTX_get0_chain(context));
        cert->small_key_bits = chain_small_key_bits(X509_STORE_CTX_get0_chain(context));
    }
    X509_STORE_CTX_free(context);
}

/* Appends in quotes, escaped; what does not fit is cut. */
static void names_add(struct mx_cert *cert, size_t nth, struct slice name)
{
    char quoted[NAME_TEXT_MAX];
    size_t len = strlen(cert->names);

    snprintf(cert->names + len, sizeof(cert->names) - len, "%s%s", nth > 0 ? ", " : "",
             err_quote(quoted, sizeof(quoted), name));
}

static struct slice asn1_slice(const ASN1_STRING *text)
{
    return (struct slice){(const char *)ASN1_STRING_get0_data(text),
                          (size_t)ASN1_STRING_length(text)};
}

/* Returns whether the certificate has a DNS name in its SAN. */
static bool cert_list_names(X509 *leaf, struct mx_cert *cert)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    size_t n_names = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type != GEN_DNS)
            continue;
        if (n_names < MX_CERT_NAMES_SHOWN)
            names_add(cert, n_names, asn1_slice(name->d.dNSName));
        n_names++;
    }
    if (n_names > MX_CERT_NAMES_SHOWN) {
        size_t len = strlen(cert->names);
        snprintf(cert->names + len, sizeof(cert->names) - len, " and %zu more",
                 n_names - MX_CERT_NAMES_SHOWN);
    }
    sk_GENERAL_NAME_pop_free(all, GENERAL_NAME_free);
    return n_names > 0;
}

/* RFC 6125 6.4.3: "*" is the whole left-most label; 6.4.4 lets a client look at the subject, but
 * RFC 8461 4.2 demands the name in the SAN, and senders written in Go know nothing else. */
static void cert_check_name(X509 *leaf, const char *host, struct mx_cert *cert)
{
    struct slice name = slice_of(host);
    bool has_names = cert_list_names(leaf, cert);

    if (slice_ends_with(name, "."))
        name.len--;
    if (name.len > 0 &&
        X509_check_host(leaf, name.ptr, name.len,
                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        NULL) == 1)
        return;
    cert->faults |= MX_CERT_NAME;
    cert->is_named_in_subject =
        !has_names && name.len > 0 &&
        X509_check_host(leaf, name.ptr, name.len, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static void cert_describe_issuer(STACK_OF(X509) * chain, struct mx_cert *cert)
{
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (out == NULL ||
        X509_NAME_print_ex(out, X509_get_issuer_name(last), 0, XN_FLAG_RFC2253) < 0) {
        BIO_free(out);
        return;
    }
    len = BIO_get_mem_data(out, &text);
    err_quote(cert->issuer, sizeof(cert->issuer), (struct slice){text, (size_t)len});
    BIO_free(out);
}

static bool cert_must_staple(X509 *leaf)
{
    TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    bool is_asked = false;

    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
        is_asked |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
    return is_asked;
}

void mx_cert_judge(const struct mx_trust *trust, STACK_OF(X509) * chain, const char *host,
                   int64_t now_unix_s, struct mx_cert *ret_cert)
{
    X509 *leaf = sk_X509_value(chain, 0);

    *ret_cert = (struct mx_cert){
        .words = "",
        .starts_unix_s = asn1_unix_s(X509_get0_notBefore(leaf)),
        .ends_unix_s = asn1_unix_s(X509_get0_notAfter(leaf)),
    };
    X509_digest(leaf, EVP_sha256(), ret_cert->leaf_sha256, NULL);
    ASN1_item_digest(ASN1_ITEM_rptr(X509_PUBKEY), EVP_sha256(), X509_get_X509_PUBKEY(leaf),
                     ret_cert->key_sha256, NULL);
    ret_cert->must_staple = cert_must_staple(leaf);
    cert_describe_issuer(chain, ret_cert);
    chain_verify(trust, chain, now_unix_s, ret_cert);
    cert_check_name(leaf, host, ret_cert);
}

bool mx_cert_names(struct slice certificate, const char *host)
{
    const unsigned char *at = (const unsigned char *)certificate.ptr;
    X509 *leaf = d2i_X509(NULL, &at, (long)certificate.len);
    bool is_named =
        leaf && X509_check_host(leaf, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;

    X509_free(leaf);
    return is_named;
}
