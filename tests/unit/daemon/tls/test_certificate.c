/* SPDX-License-Identifier: MIT */
#include "daemon/tls/certificate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/tls/trust_store.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

#define HOST "mta-sts.example.com"
#define BLOCK(label, text) "-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"
#define NO_KEY BLOCK("PRIVATE KEY", "AAAA")

/* Made once: keys take time. The leaves are all for HOST and issued by `intermediate`. */
static union {
    struct {
        struct pki_identity *root, *intermediate, *leaf, *other, *p384, *rsa, *weak, *ed25519;
        struct pki_identity *self_signed, *of_root, *of_trusted, *of_public, *trusted_root;
        struct pki_identity *trusted_r1, *of_trusted_r1, *crossed; /* the root by another one */
    };
    struct pki_identity *all[16];
} pki;
static struct trust_store *trust; /* the trusted root */

static int set_up(void **state)
{
    const struct pki_request root = {.common_name = "root", .role = PKI_AUTHORITY};
    const struct pki_request a_trusted = {.common_name = "trusted", .role = PKI_AUTHORITY};
    const struct pki_request intermediate = {.common_name = "R1", .role = PKI_AUTHORITY};
    const struct pki_request leaf = {.common_name = "leaf", .names = "DNS:" HOST};
    const struct pki_request public = {
        .common_name = "leaf", .names = "DNS:" HOST, .names_issuer = true};

    pki_enter_directory(state);
    pki.root = pki_issue(&root, "P-256", NULL);
    pki.intermediate = pki_issue(&intermediate, "P-256", pki.root);
    pki.leaf = pki_issue(&leaf, "P-256", pki.intermediate);
    pki.other = pki_issue(&leaf, "P-256", pki.intermediate);
    pki.p384 = pki_issue(&leaf, "P-384", pki.intermediate);
    pki.rsa = pki_issue(&leaf, "RSA-2048", pki.intermediate);
    pki.weak = pki_issue(&leaf, "RSA-1024", pki.intermediate);
    pki.ed25519 = pki_issue(&leaf, "ED25519", pki.intermediate);
    pki.self_signed = pki_issue(&leaf, "P-256", NULL);
    pki.of_root = pki_issue(&leaf, "P-256", pki.root);
    pki.of_public = pki_issue(&public, "P-256", pki.intermediate);
    pki.trusted_root = pki_issue(&a_trusted, "P-256", NULL);
    pki.of_trusted = pki_issue(&leaf, "P-256", pki.trusted_root);
    pki.trusted_r1 = pki_issue(&intermediate, "P-256", pki.trusted_root);
    pki.of_trusted_r1 = pki_issue(&public, "P-256", pki.trusted_r1);
    pki.crossed = pki_cross_sign(&a_trusted, pki.trusted_root, pki.root);
    pki_write("trust.pem", pki.trusted_root->certificate_pem, NULL);
    setenv("SSL_CERT_FILE", "trust.pem", 1);
    setenv("SSL_CERT_DIR", "no-such-directory", 1);
    trust = trust_store_new();
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(pki.all); i++)
        pki_free(pki.all[i]);
    trust_store_free(trust);
    return pki_leave_directory(state);
}

/* Loads chain.pem and key.pem, which must be good. */
static struct certificate *load_written(void)
{
    struct certificate *certificate;
    struct err err;

    if (pki_load("chain.pem", "key.pem", &certificate, &err) != 0)
        fail_msg("not loaded: %s", err.msg);
    return certificate;
}

static struct certificate *load(const struct pki_identity *leaf)
{
    pki_write("chain.pem", leaf->certificate_pem, NULL);
    pki_write("key.pem", leaf->key_pem, NULL);
    return load_written();
}

static struct certificate *load_for(const char *names)
{
    const struct pki_request request = {.common_name = HOST, .names = names};
    struct pki_identity *identity = pki_issue(&request, "P-256", pki.intermediate);
    struct certificate *certificate = load(identity);

    pki_free(identity);
    return certificate;
}

/* What `load` says: 0 and nothing else, or the code and the message wanted. */
static bool loads_as(const char *chain_path, const char *key_path, enum err_code want_code,
                     const char *want_message, size_t row)
{
    struct certificate *untouched = (struct certificate *)&pki, *certificate = untouched;
    struct err err = {0};
    int result = pki_load(chain_path, key_path, &certificate, &err);
    bool is_right = want_code == ERR_NONE
                        ? result == 0
                        : result == -1 && err.code == want_code && certificate == untouched &&
                              strcmp(err.msg, want_message) == 0;

    if (!is_right)
        print_error("row %zu: wanted %d '%s', saw %d '%s'\n", row, (int)want_code,
                    want_message ? want_message : "", (int)err.code, err.msg);
    if (ERR_peek_error() != 0) {
        print_error("row %zu: left in OpenSSL's error queue\n", row);
        is_right = false;
    }
    if (result == 0)
        certificate_unref(certificate);
    return is_right;
}

static char *with_crlf(const char *text)
{
    char *copy = malloc(2 * strlen(text) + 1), *to = copy;

    assert_non_null(copy);
    for (; *text; text++) {
        if (*text == '\n')
            *to++ = '\r';
        *to++ = *text;
    }
    *to = '\0';
    return copy;
}

static void test_load_pair(void **state)
{
    const char *leaf = pki.leaf->certificate_pem, *key = pki.leaf->key_pem;
    const char *intermediate = pki.intermediate->certificate_pem;
    char *crlf = with_crlf(leaf), *crlf_key = with_crlf(key);
    char *unended = strndup(leaf, strlen(leaf) - 1), *unended_key = strndup(key, strlen(key) - 1);
    char *cut = strndup(leaf, strlen(leaf) / 2), *cut_key = strndup(key, strlen(key) / 2);
    char *sec1 = pki_key_render(pki.leaf->key, PKI_KEY_TRADITIONAL);
    char *pkcs1 = pki_key_render(pki.rsa->key, PKI_KEY_TRADITIONAL);
    char *pointless = pki_key_render(pki.leaf->key, PKI_KEY_PKCS8_WITHOUT_POINT);
    char *locked = pki_key_render(pki.leaf->key, PKI_KEY_PKCS8_ENCRYPTED);
    char *locked_sec1 = pki_key_render(pki.leaf->key, PKI_KEY_TRADITIONAL_ENCRYPTED);
    char *at, *off_curve = strdup(key); /* the shape of P-256, its point moved */
    const char *no_certificate = "chain.pem: has no certificate";
    const char *empty = "chain.pem: is empty", *empty_key = "key.pem: is empty";
    const char *openssh = "key.pem: is an OpenSSH key, which TLS does not use; give the key that "
                          "the certificate was made for";
    const char *bad_key = "key.pem: the private key is damaged or of an unknown kind";
    const char *pass_phrase = "key.pem: the private key has a pass phrase; remove it: openssl pkey";
    const char *weak = "key.pem: a private key of 1024 bits is too weak for TLS";
    const char *damaged = "chain.pem: a certificate is damaged";
    const char *bad_block = "chain.pem: a PEM block is damaged";
    const char *mismatch = "key.pem: the private key is not that of the certificate";
    const struct {
        const char *chain[2], *key[2];
        enum err_code code;
        const char *message;
    } rows[] = {
        {{""}, {key}, ERR_SYNTAX, empty},
        {{leaf}, {""}, ERR_SYNTAX, empty_key},
        {{"\n"}, {key}, ERR_SYNTAX, empty},
        {{leaf}, {key}, 0, NULL},
        {{leaf, intermediate}, {key}, 0, NULL},
        {{crlf}, {crlf_key}, 0, NULL},
        {{unended}, {unended_key}, 0, NULL},
        {{"Bag Attributes: \xc3\xa9\n", leaf}, {"\n\n", key}, 0, NULL},
        {{leaf}, {sec1}, 0, NULL},
        {{leaf}, {BLOCK("EC PARAMETERS", "BggqhkjOPQMBBw=="), sec1}, 0, NULL},
        {{leaf}, {pointless}, 0, NULL},
        {{pki.p384->certificate_pem}, {pki.p384->key_pem}, 0, NULL},
        {{pki.rsa->certificate_pem}, {pki.rsa->key_pem}, 0, NULL},
        {{pki.rsa->certificate_pem}, {pkcs1}, 0, NULL},
        {{pki.ed25519->certificate_pem}, {pki.ed25519->key_pem}, 0, NULL},
        {{leaf, key}, {key, leaf}, 0, NULL}, /* what is not asked of a file is passed over */
        {{leaf}, {key, NO_KEY}, 0, NULL},    /* the first key counts */
        {{"not PEM"}, {key}, ERR_SYNTAX, no_certificate},
        {{cut}, {key}, ERR_SYNTAX, bad_block},
        {{leaf, cut}, {key}, ERR_SYNTAX, bad_block},
        {{leaf}, {cut_key}, ERR_SYNTAX, "key.pem: a PEM block is damaged"},
        {{BLOCK("CERTIFICATE", "****")}, {key}, ERR_SYNTAX, bad_block},
        {{BLOCK("CERTIFICATE", "AAAA")}, {key}, ERR_SYNTAX, damaged},
        {{leaf}, {NO_KEY}, ERR_SYNTAX, bad_key},
        {{leaf}, {BLOCK("OPENSSH PRIVATE KEY", "AAAA")}, ERR_SYNTAX, openssh},
        {{leaf}, {off_curve}, ERR_CONFIG, bad_key},
        {{leaf}, {locked}, ERR_SYNTAX, pass_phrase},
        {{leaf}, {locked_sec1}, ERR_SYNTAX, pass_phrase},
        {{leaf}, {pki.other->key_pem}, ERR_CONFIG, mismatch},
        {{leaf}, {pki.rsa->key_pem}, ERR_CONFIG, mismatch},
        {{pki.weak->certificate_pem}, {pki.weak->key_pem}, ERR_CONFIG, weak},
    };
    size_t n_failed = 0;

    (void)state;
    at = strstr(off_curve, "\n-----END") - 8;
    *at = *at == 'A' ? 'B' : 'A';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pki_write("chain.pem", rows[i].chain[0], rows[i].chain[1], NULL);
        pki_write("key.pem", rows[i].key[0], rows[i].key[1], NULL);
        n_failed += !loads_as("chain.pem", "key.pem", rows[i].code, rows[i].message, i);
    }
    free(crlf), free(crlf_key), free(unended), free(unended_key), free(cut), free(cut_key);
    free(sec1), free(pkcs1), free(pointless), free(locked), free(locked_sec1);
    free(off_curve);
    assert_int_equal(n_failed, 0);
}

static void test_load_combined(void **state)
{
    const char *leaf = pki.leaf->certificate_pem, *key = pki.leaf->key_pem;
    const char *intermediate = pki.intermediate->certificate_pem;
    const char *root = pki.root->certificate_pem;
    const char *mismatch = "all.pem: the private key is not that of the certificate";
    const struct {
        const char *parts[4];
        enum err_code code;
        const char *message;
        finding_set findings;
    } rows[] = {
        {{""}, ERR_SYNTAX, "all.pem: is empty", 0},
        {{leaf},
         ERR_SYNTAX,
         "all.pem: has a certificate, but no private key; name the key's file in 'key'",
         0},
        {{key}, ERR_SYNTAX, "all.pem: has a private key, but no certificate", 0},
        {{intermediate, key}, ERR_CONFIG, mismatch, 0},
        {{leaf, intermediate, key}, 0, NULL, 0},
        {{key, leaf, intermediate}, 0, NULL, 0},
        {{leaf, key, intermediate}, 0, NULL, 0},
        {{intermediate, key, leaf}, 0, NULL, 0},
        {{intermediate, root, leaf, key}, 0, NULL, 0}, /* the rest keeps its order */
        {{root, intermediate, leaf, key}, 0, NULL, finding_bit(FINDING_CERTIFICATE_CHAIN)},
        {{key, leaf}, 0, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate;
        finding_set findings;
        struct err err;

        pki_write("all.pem", rows[i].parts[0], rows[i].parts[1], rows[i].parts[2], rows[i].parts[3],
                  NULL);
        assert_true(loads_as("all.pem", "all.pem", rows[i].code, rows[i].message, i));
        if (pki_load("all.pem", "all.pem", &certificate, &err) != 0)
            continue;
        findings = certificate_check(certificate, HOST, PKI_NOW_UNIX_S, NULL);
        certificate_unref(certificate);
        if (findings != rows[i].findings)
            fail_msg("row %zu: wanted %#llx, saw %#llx", i, (unsigned long long)rows[i].findings,
                     (unsigned long long)findings);
    }
}

/* Pads the leaf with comment lines to `size` bytes. */
static void write_sized(const char *path, size_t size)
{
    size_t padding_len = size - strlen(pki.leaf->certificate_pem);
    char *padding = malloc(padding_len + 1);

    assert_non_null(padding);
    memset(padding, '\n', padding_len);
    padding[padding_len] = '\0';
    pki_write(path, padding, pki.leaf->certificate_pem, NULL);
    free(padding);
}

static void test_load_files(void **state)
{
    char long_path[300] = "";
    struct certificate *certificate;
    struct err err;

    (void)state;
    pki_write("key.pem", pki.leaf->key_pem, NULL);
    pki_write("chain.pem", pki.leaf->certificate_pem, NULL);
    mkdir("directory", 0755);
    mkfifo("pipe", 0600);
    write_sized("max.pem", CERTIFICATE_FILE_MAX);
    write_sized("huge.pem", CERTIFICATE_FILE_MAX + 1);
    assert_true(loads_as("max.pem", "key.pem", ERR_NONE, NULL, 0));
    assert_true(
        loads_as("huge.pem", "key.pem", ERR_LIMIT, "huge.pem: is larger than 262144 bytes", 1));
    assert_true(loads_as("none.pem", "key.pem", ERR_IO,
                         "none.pem: cannot be read: No such file or directory", 2));
    assert_true(loads_as("chain.pem", "none.pem", ERR_IO,
                         "none.pem: cannot be read: No such file or directory", 3));
    assert_true(
        loads_as("directory", "key.pem", ERR_IO, "directory: cannot be read: Is a directory", 4));
    assert_true(loads_as("chain.pem", "pipe", ERR_CONFIG,
                         "pipe: is not a regular file, so to read it might never end", 5));

    memset(long_path, 'a', sizeof(long_path) - 1); /* the reason shows all the same */
    assert_int_equal(pki_load(long_path, "key.pem", &certificate, &err), -1);
    assert_int_equal(err.sys_errno, ENAMETOOLONG);
    assert_non_null(strstr(err.msg, "aaa: cannot be read: File name too long"));
}

static void test_load_damaged_dates(void **state)
{
    X509 *copy = X509_dup(pki.leaf->certificate);
    char *pem;

    (void)state;
    ASN1_STRING_set(X509_getm_notAfter(copy), "soon", 4);
    assert_true(i2d_re_X509_tbs(copy, NULL) > 0);
    pem = pki_certificate_render(copy);
    pki_write("chain.pem", pem, NULL);
    pki_write("key.pem", pki.leaf->key_pem, NULL);
    free(pem);
    X509_free(copy);
    assert_true(loads_as("chain.pem", "key.pem", ERR_SYNTAX,
                         "chain.pem: the dates of the certificate are damaged", 0));
}

static void test_covers(void **state)
{
    static const struct {
        const char *names, *host;
        bool want;
    } rows[] = {
        {"DNS:" HOST, "", false},
        {"DNS:" HOST, HOST, true},
        {"DNS:MTA-STS.Example.COM", HOST, true},
        {"DNS:" HOST, "mta-sts.example.org", false},
        {"DNS:" HOST, ".example.com", false},
        {"DNS:" HOST, "example.com", false},
        {NULL, HOST, false}, /* the common name says HOST, and does not count */
        {"IP:192.0.2.1", HOST, false},
        {"email:a@" HOST, HOST, false},
        {"DNS:a.example,DNS:b.example,DNS:" HOST, HOST, true},
        {"DNS:*.example.com", HOST, true},
        {"DNS:*.example.com", "example.com", false},
        {"DNS:*.example.com", "a.mta-sts.example.com", false},
        {"DNS:mta-*.example.com", HOST, false},
        {"DNS:*-sts.example.com", HOST, false},
        {"DNS:mta-sts.*.com", HOST, false},
        {"DNS:*.*.com", HOST, false},
        {"DNS:*", "localhost", false},
        {"DNS:*.xn--bcher-kva.example", "mta-sts.xn--bcher-kva.example", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate = load_for(rows[i].names);
        bool seen = certificate_covers(certificate, rows[i].host);

        certificate_unref(certificate);
        if (seen != rows[i].want)
            fail_msg("row %zu: wanted %d, saw %d", i, rows[i].want, seen);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void test_covers_many_names(void **state)
{
    char names[4096] = "DNS:first.example";
    struct certificate *certificate;

    (void)state;
    for (int i = 0; i < 100; i++)
        sprintf(strchr(names, '\0'), ",DNS:d%d.example", i);
    certificate = load_for(names);
    assert_true(certificate_covers(certificate, "first.example"));
    assert_true(certificate_covers(certificate, "d99.example"));
    assert_false(certificate_covers(certificate, "d100.example"));
    certificate_unref(certificate);
}

static void test_names(void **state)
{
    static const struct {
        const char *names, *want;
    } rows[] = {
        {NULL, "no DNS name"},
        {"IP:192.0.2.1", "no DNS name"},
        {"DNS:a.example", "'a.example'"},
        {"DNS:a.example,IP:192.0.2.1,DNS:b.example", "'a.example', 'b.example'"},
        {"DNS:a.example,DNS:b.example,DNS:*.c.example", "'a.example', 'b.example', '*.c.example'"},
        {"DNS:a.example,DNS:b.example,DNS:c.example,DNS:d.example",
         "'a.example', 'b.example', 'c.example' and 1 more"},
        {"DNS:b\xc3\xbc\x1b[1m'.example", "'b\\xc3\\xbc\\x1b[1m\\'.example'"},
    };
    char buffer[CERTIFICATE_NAMES_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate = load_for(rows[i].names);

        assert_string_equal(certificate_issuer_render(certificate, buffer, 256), "CN=R1");
        assert_string_equal(certificate_names_render(certificate, buffer, sizeof(buffer)),
                            rows[i].want);
        certificate_unref(certificate);
    }
}

static void test_check_life(void **state)
{
    enum { FROM = PKI_NOW_UNIX_S - PKI_DAY_S, TO = PKI_NOW_UNIX_S + 89 * PKI_DAY_S };
    static const char last_sixth[] =
        "in the last sixth of its life, expires on 2027-04-14T08:00:00Z";
    static const struct {
        int64_t now_unix_s;
        enum finding want;
        const char *words;
    } rows[] = {
        {0, FINDING_CERTIFICATE_NOT_YET_VALID, "not valid before 2027-01-14T08:00:00Z"},
        {FROM - 1, FINDING_CERTIFICATE_NOT_YET_VALID, "not valid before 2027-01-14T08:00:00Z"},
        {FROM, FINDING_NONE, ""},
        {TO - 15 * PKI_DAY_S - 1, FINDING_NONE, ""},
        {TO - 15 * PKI_DAY_S, FINDING_CERTIFICATE_EXPIRING, last_sixth},
        {TO, FINDING_CERTIFICATE_EXPIRING, last_sixth},
        {TO + 1, FINDING_CERTIFICATE_EXPIRED, "expired on 2027-04-14T08:00:00Z"},
        {INT64_C(253402300799), FINDING_CERTIFICATE_EXPIRED, "expired on 2027-04-14T08:00:00Z"},
    };
    char words[CERTIFICATE_FINDINGS_MAX];
    struct certificate *certificate;

    (void)state;
    pki_write_pair("chain.pem", "key.pem", HOST, 89);
    certificate = load_written();
    assert_int_equal(certificate_not_before_unix_s(certificate), FROM);
    assert_int_equal(certificate_not_after_unix_s(certificate), TO);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        finding_set want = rows[i].want == FINDING_NONE ? 0 : finding_bit(rows[i].want);
        finding_set seen = certificate_check(certificate, HOST, rows[i].now_unix_s, NULL);

        certificate_findings_render(certificate, seen, words, sizeof(words));
        if (seen != want || strcmp(words, rows[i].words) != 0)
            fail_msg("row %zu: wanted %#llx '%s', saw %#llx '%s'", i, (unsigned long long)want,
                     rows[i].words, (unsigned long long)seen, words);
    }
    certificate_unref(certificate);
}

static void check_finds(const struct certificate *certificate, const struct trust_store *roots,
                        int finding, size_t row)
{
    finding_set want = finding == 0 ? 0 : finding_bit((enum finding)finding);
    finding_set seen = certificate_check(certificate, HOST, PKI_NOW_UNIX_S, roots);

    assert_int_equal(ERR_peek_error(), 0);
    if (seen != want)
        fail_msg("row %zu: wanted %#llx, saw %#llx", row, (unsigned long long)want,
                 (unsigned long long)seen);
}

static void test_check_chain(void **state)
{
    enum {
        CHAIN = FINDING_CERTIFICATE_CHAIN,
        SELF_SIGNED = FINDING_CERTIFICATE_SELF_SIGNED,
        UNTRUSTED = FINDING_CERTIFICATE_UNTRUSTED,
    };
    const char *leaf = pki.leaf->certificate_pem, *root = pki.root->certificate_pem;
    const char *intermediate = pki.intermediate->certificate_pem;
    const char *trusted_root = pki.trusted_root->certificate_pem,
               *crossed = pki.crossed->certificate_pem;
    const struct {
        const struct pki_identity *leaf;
        const char *rest[2];
        int want, want_untrusting; /* 0: nothing is wrong; the same where no root is known */
    } rows[] = {
        {pki.leaf, {intermediate}, UNTRUSTED, 0},
        {pki.leaf, {intermediate, root}, UNTRUSTED, 0},
        {pki.leaf, {root, intermediate}, CHAIN, CHAIN},
        {pki.leaf, {root}, CHAIN, CHAIN},
        {pki.leaf, {leaf, intermediate}, CHAIN, CHAIN},
        {pki.leaf, {intermediate, intermediate}, CHAIN, CHAIN},
        {pki.self_signed, {NULL}, SELF_SIGNED, SELF_SIGNED},
        {pki.self_signed, {intermediate}, SELF_SIGNED, SELF_SIGNED},
        {pki.of_public, {NULL}, CHAIN, CHAIN},
        {pki.of_trusted_r1, {pki.trusted_r1->certificate_pem}, 0, 0},
        {pki.of_trusted_r1, {pki.trusted_r1->certificate_pem, crossed}, 0, 0},
        {pki.of_root, {NULL}, UNTRUSTED, 0},
        {pki.of_root, {root}, UNTRUSTED, 0},
        {pki.of_trusted, {NULL}, 0, 0},
        {pki.of_trusted, {trusted_root}, 0, 0},
        {pki.of_trusted, {intermediate}, CHAIN, CHAIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate;

        pki_write("chain.pem", rows[i].leaf->certificate_pem, rows[i].rest[0], rows[i].rest[1],
                  NULL);
        pki_write("key.pem", rows[i].leaf->key_pem, NULL);
        certificate = load_written();
        check_finds(certificate, trust, rows[i].want, i);
        check_finds(certificate, NULL, rows[i].want_untrusting, i);
        certificate_unref(certificate);
    }
}

static void test_check_several(void **state)
{
    struct certificate *certificate = load(pki.of_public);
    finding_set found = certificate_check(certificate, "other.example", INT64_C(1) << 40, NULL);
    char words[CERTIFICATE_FINDINGS_MAX];

    (void)state;
    assert_true(found ==
                (finding_bit(FINDING_CERTIFICATE_NAME) | finding_bit(FINDING_CERTIFICATE_EXPIRED) |
                 finding_bit(FINDING_CERTIFICATE_CHAIN)));
    assert_string_equal(certificate_findings_render(certificate, found, words, sizeof(words)),
                        "expired on 2027-03-16T08:00:00Z; an intermediate is missing; give the "
                        "full chain, leaf first");
    certificate_unref(certificate);
}

static void test_date(void **state)
{
    char buffer[CERTIFICATE_DATE_MAX];

    (void)state;
    assert_string_equal(certificate_date_render(0, buffer), "1970-01-01T00:00:00Z");
    assert_string_equal(certificate_date_render(-1, buffer), "1969-12-31T23:59:59Z");
    assert_string_equal(certificate_date_render(951782400, buffer), "2000-02-29T00:00:00Z");
    assert_string_equal(certificate_date_render(INT64_C(253402300799), buffer),
                        "9999-12-31T23:59:59Z");
}

static void assert_uses(SSL *ssl, struct certificate *certificate, X509 *leaf, int n_chain)
{
    STACK_OF(X509) * chain;

    assert_int_equal(certificate_install(certificate, ssl), 0);
    assert_int_equal(X509_cmp(SSL_get_certificate(ssl), leaf), 0);
    assert_int_equal(X509_check_private_key(leaf, SSL_get_privatekey(ssl)), 1);
    assert_int_equal(SSL_get0_chain_certs(ssl, &chain), 1);
    assert_int_equal(sk_X509_num(chain), n_chain);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_use(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = SSL_new(ctx);
    struct certificate *rsa = load(pki.rsa), *leaf;
    struct err err;

    (void)state;
    pki_write("all.pem", pki.leaf->certificate_pem, pki.intermediate->certificate_pem,
              pki.leaf->key_pem, NULL);
    assert_int_equal(pki_load("all.pem", "all.pem", &leaf, &err), 0);
    assert_uses(ssl, rsa, pki.rsa->certificate, 0);
    assert_uses(ssl, leaf, pki.leaf->certificate, 1); /* nothing of the first is left over */
    assert_int_equal(SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST), 1);
    assert_int_equal(SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT), 0);
    ERR_clear_error();

    SSL_set_security_level(ssl, 5);
    assert_int_equal(certificate_install(leaf, ssl), -1);
    assert_int_not_equal(ERR_peek_error(), 0);
    ERR_clear_error();
    assert_int_equal(ERR_peek_error(), 0);
    certificate_unref(leaf);
    certificate_unref(rsa);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_references(void **state)
{
    struct certificate *certificate = load(pki.leaf);

    (void)state;
    assert_ptr_equal(certificate_ref(certificate), certificate);
    certificate_unref(certificate);
    assert_true(certificate_covers(certificate, HOST));
    certificate_unref(certificate);
    certificate_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_pair),   cmocka_unit_test(test_load_combined),
        cmocka_unit_test(test_load_files),  cmocka_unit_test(test_load_damaged_dates),
        cmocka_unit_test(test_covers),      cmocka_unit_test(test_covers_many_names),
        cmocka_unit_test(test_names),       cmocka_unit_test(test_check_life),
        cmocka_unit_test(test_check_chain), cmocka_unit_test(test_check_several),
        cmocka_unit_test(test_date),        cmocka_unit_test(test_use),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
