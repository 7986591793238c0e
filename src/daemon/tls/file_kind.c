/* SPDX-License-Identifier: MIT */
#include "daemon/tls/file_kind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

/* RFC 7468 labels, and what begins files of other programs. */
static const struct kind_text {
    const char *text;
    bool is_beginning; /* of the file; otherwise it may be anywhere */
    const char *words;
} kind_texts[] = {
    {"\xfe\xed\xfe\xed", true,
     "is a Java key store; convert it to PEM: keytool, then openssl pkcs12"},
    {"\xff\xfe", true, "is text in UTF-16; save it as UTF-8"},
    {"\xfe\xff", true, "is text in UTF-16; save it as UTF-8"},
    {"\xef\xbb\xbf", true, "begins with a byte order mark; save it without"},
    {"PuTTY-User-Key-File", true, "is a PuTTY key, which TLS does not use"},
    {"ssh-", true, "is an SSH public key, which TLS does not use"},
    {"ecdsa-sha2-", true, "is an SSH public key, which TLS does not use"},
    {"-----BEGIN OPENSSH PRIVATE KEY", false,
     "is an OpenSSH key, which TLS does not use; give the key that the certificate was made for"},
    {"CERTIFICATE REQUEST-----", false,
     "is a certificate request (CSR); give the certificate that the authority has made of it"},
    {"-----BEGIN PKCS7-----", false,
     "is a PKCS#7 bundle; take the certificates out: openssl pkcs7 -print_certs"},
    {"-----BEGIN X509 CRL-----", false, "is a list of revoked certificates"},
    {"-----BEGIN TRUSTED CERTIFICATE-----", false,
     "is a trusted certificate of OpenSSL's own kind; convert it: openssl x509"},
};

/* Files in DER, by what decodes them. */
static bool is_der_certificate(const unsigned char *bytes, long len)
{
    X509 *certificate = d2i_X509(NULL, &bytes, len);

    X509_free(certificate);
    return certificate;
}

static bool is_der_request(const unsigned char *bytes, long len)
{
    X509_REQ *request = d2i_X509_REQ(NULL, &bytes, len);

    X509_REQ_free(request);
    return request;
}

static bool is_der_pkcs12(const unsigned char *bytes, long len)
{
    PKCS12 *store = d2i_PKCS12(NULL, &bytes, len);

    PKCS12_free(store);
    return store;
}

static bool is_der_pkcs7(const unsigned char *bytes, long len)
{
    PKCS7 *bundle = d2i_PKCS7(NULL, &bytes, len);

    PKCS7_free(bundle);
    return bundle;
}

static bool is_der_key(const unsigned char *bytes, long len)
{
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &bytes, len);

    EVP_PKEY_free(key);
    return key;
}

static bool is_der_encrypted_key(const unsigned char *bytes, long len)
{
    X509_SIG *key = d2i_X509_SIG(NULL, &bytes, len);

    X509_SIG_free(key);
    return key;
}

static const struct kind_der {
    bool (*is_kind)(const unsigned char *bytes, long len);
    const char *words;
} kind_ders[] = {
    {is_der_certificate, "is a certificate in DER; convert it to PEM: openssl x509 -inform DER"},
    {is_der_pkcs12, "is a PKCS#12 file; convert it to PEM: openssl pkcs12 -nodes"},
    {is_der_request, "is a certificate request (CSR) in DER; give the certificate, in PEM"},
    {is_der_pkcs7, "is a PKCS#7 bundle; take the certificates out: openssl pkcs7 -inform DER "
                   "-print_certs"},
    {is_der_key, "is a private key in DER; convert it to PEM: openssl pkey -inform DER"},
    {is_der_encrypted_key,
     "is a private key in DER, with a pass phrase; convert it to PEM: openssl pkcs8 -inform DER"},
};

static bool has_text(struct slice bytes, const char *text)
{
    return memmem(bytes.ptr, bytes.len, text, strlen(text));
}

/* A block of the other kind: chain and key are swapped, or one of them is given twice. */
static const char *describe_block(struct slice bytes, enum file_wanted wanted)
{
    bool has_certificate = has_text(bytes, "-----BEGIN CERTIFICATE-----");

    if (has_certificate && wanted == FILE_WANTED_KEY)
        return "has a certificate, but no private key; are 'chain' and 'key' swapped?";
    if (has_certificate && wanted == FILE_WANTED_BOTH)
        return "has a certificate, but no private key; name the key's file in 'key'";
    if (has_text(bytes, "PRIVATE KEY-----") && wanted == FILE_WANTED_CERTIFICATE)
        return "has a private key, but no certificate; are 'chain' and 'key' swapped?";
    if (has_text(bytes, "PRIVATE KEY-----") && wanted == FILE_WANTED_BOTH)
        return "has a private key, but no certificate";
    if (has_text(bytes, "PUBLIC KEY-----"))
        return "has only a public key";
    return NULL;
}

static const char *describe_text(struct slice bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_texts); i++)
        if (kind_texts[i].is_beginning ? slice_starts_with(bytes, kind_texts[i].text)
                                       : has_text(bytes, kind_texts[i].text))
            return kind_texts[i].words;
    return NULL;
}

static const char *describe_der(struct slice bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_ders) && bytes.ptr[0] == '\x30'; i++)
        if (kind_ders[i].is_kind((const unsigned char *)bytes.ptr, (long)bytes.len))
            return kind_ders[i].words;
    return NULL;
}

/* What PEM is, and what only looks like it. */
static const char *describe_rest(struct slice bytes, enum file_wanted wanted)
{
    struct slice rest = bytes;

    while (rest.len > 0 && strchr(" \t\r\n", rest.ptr[0]))
        rest = slice_range(rest, 1, rest.len);
    if (rest.len == 0)
        return "is empty";
    if (has_text(bytes, "-----\\n"))
        return "has '\\n' written out; put line ends in their place";
    if (has_text(bytes, "-----BEGIN "))
        return "is damaged: '-----BEGIN' has to begin a line and to end it with '-----'";
    if (rest.ptr[0] == '<')
        return "is a web page, or XML";
    return wanted == FILE_WANTED_KEY ? "has no private key" : "has no certificate";
}

const char *file_kind_describe(struct slice bytes, enum file_wanted wanted)
{
    const char *words = describe_text(bytes);

    if (!words)
        words = describe_block(bytes, wanted);
    if (!words && bytes.len > 0)
        words = describe_der(bytes);
    return words ? words : describe_rest(bytes, wanted);
}
