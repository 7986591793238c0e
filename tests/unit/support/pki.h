/* SPDX-License-Identifier: MIT */
/**
 * A public key infrastructure to throw away: keys, certificates and the files they lie in.
 *
 * What cannot be made fails the running cmocka test. Times are those of the test's own clock.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct certificate;
struct err;

enum {
    PKI_DAY_S = 24 * 60 * 60,
    PKI_NOW_UNIX_S = 1800000000, /* 2027-01-15T08:00:00Z: "now" in the tests */
};

/** What a certificate is to say. */
struct pki_request {
    const char *common_name;
    const char *names; /* of the SAN, "DNS:a.example,DNS:b.example"; NULL: no SAN */
    enum { PKI_LEAF, PKI_AUTHORITY } role;
    const char *digest;        /* of the signature; NULL: SHA256 */
    bool must_staple;          /* demands that an OCSP answer comes with it in the handshake */
    bool names_issuer;         /* says where the certificate of its issuer is, as public ones do */
    int64_t not_before_unix_s; /* both 0: valid for 90 days, of which 30 are over */
    int64_t not_after_unix_s;
};

/** A certificate and its key. */
struct pki_identity {
    EVP_PKEY *key;
    X509 *certificate;
    char *certificate_pem;
    char *key_pem; /* PKCS#8 */
};

/**
 * Makes a key and issues its certificate.
 *
 * kind    "RSA-1024", "RSA-2048", "RSA-PSS-SHA256" with parameters for this digest alone,
 *         "ED25519", "ED448", a curve, "P-256", or one written out, "explicit P-256"
 * issuer  NULL: self-signed
 * Returns an identity that pki_free() takes back.
 */
struct pki_identity *pki_issue(const struct pki_request *request, const char *kind,
                               const struct pki_identity *issuer);

/** The same authority once more, its key certified by another one. */
struct pki_identity *pki_cross_sign(const struct pki_request *request,
                                    const struct pki_identity *authority,
                                    const struct pki_identity *issuer);

/** Takes NULL. */
void pki_free(struct pki_identity *identity);

/** How a key is written down. */
enum pki_key_form {
    PKI_KEY_TRADITIONAL, /* "EC PRIVATE KEY", "RSA PRIVATE KEY" */
    PKI_KEY_TRADITIONAL_ENCRYPTED,
    PKI_KEY_PKCS8_ENCRYPTED,
    PKI_KEY_PKCS8_WITHOUT_POINT, /* of an EC key: the scalar alone */
};

/** The key as PEM; the caller frees. */
char *pki_key_render(EVP_PKEY *key, enum pki_key_form form);

/** The certificate as PEM; the caller frees. */
char *pki_certificate_render(X509 *certificate);

/**
 * Replaces a file by the texts one after the other, up to a NULL, and makes its directories. The
 * file is renamed into place: never the inode of the one that it replaces.
 */
void pki_write(const char *path, ...) __attribute__((sentinel));

/** Renames a symbolic link to `target` into place. */
void pki_link(const char *path, const char *target);

/**
 * Writes the files of a P-256 leaf that is valid from yesterday for `days` from now, issued by an
 * authority made for it alone, whose certificate follows.
 *
 * key_path  may equal chain_path: one combined file, with the leaf last
 * names     as in a request, the first without its "DNS:"
 */
void pki_write_pair(const char *chain_path, const char *key_path, const char *names, int days);

/** A test's set-up: makes a directory and enters it, so that paths can be relative. */
int pki_enter_directory(void **state);

/** A test's tear-down: leaves the directory and removes everything in it. */
int pki_leave_directory(void **state);

/** certificate_load() with chains of its own. */
int pki_load(const char *chain_path, const char *key_path, struct certificate **ret_certificate,
             struct err *err);
