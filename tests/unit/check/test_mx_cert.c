/* SPDX-License-Identifier: MIT */
#include "check/mx_cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "check/mx_trust.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

static struct pki_identity *root, *middle, *stranger, *ended;
static struct mx_trust *trust;

static int open_trust(void **state)
{
    const struct pki_request authority = {.common_name = "root", .role = PKI_AUTHORITY},
                             between = {.common_name = "middle", .role = PKI_AUTHORITY},
                             past = {.common_name = "ended",
                                     .role = PKI_AUTHORITY,
                                     .not_before_unix_s = PKI_NOW_UNIX_S - 9 * PKI_DAY_S,
                                     .not_after_unix_s = PKI_NOW_UNIX_S - 1};
    struct err err;

    pki_enter_directory(state);
    root = pki_issue(&authority, "P-256", NULL);
    stranger = pki_issue(&authority, "P-256", NULL);
    middle = pki_issue(&between, "P-256", root);
    ended = pki_issue(&past, "P-256", root);
    pki_write("roots.pem", root->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    return 0;
}

static int close_trust(void **state)
{
    mx_trust_free(trust);
    pki_free(root);
    pki_free(middle);
    pki_free(stranger);
    pki_free(ended);
    return pki_leave_directory(state);
}

/* Judges a leaf followed by the certificates up to NULL, for this MX host. */
static struct mx_cert judged(const char *host, X509 *leaf, ...)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct mx_cert cert;
    va_list list;

    va_start(list, leaf);
    for (X509 *next = leaf; next; next = va_arg(list, X509 *))
        sk_X509_push(chain, next);
    va_end(list);
    mx_cert_judge(trust, chain, host, PKI_NOW_UNIX_S, &cert);
    sk_X509_free(chain);
    return cert;
}

static struct mx_cert judged_leaf(const struct pki_request *request, const char *kind,
                                  const struct pki_identity *issuer, const char *host)
{
    struct pki_identity *leaf = pki_issue(request, kind, issuer);
    struct mx_cert cert =
        judged(host, leaf->certificate, issuer ? issuer->certificate : NULL, NULL);

    pki_free(leaf);
    return cert;
}

static void matches_names_as_senders_do(void **state)
{
    static const struct {
        const char *names, *common_name, *host;
        unsigned faults;
        bool is_in_subject;
    } rows[] = {
        {"DNS:mx.example", "leaf", "mx.example", 0, false},
        {"DNS:mx.example", "leaf", "mx.example.", 0, false},
        {"DNS:MX.example", "leaf", "mx.EXAMPLE", 0, false},
        {"DNS:a.example,DNS:mx.example", "leaf", "mx.example", 0, false},
        {"DNS:*.mx.example", "leaf", "a.mx.example", 0, false},
        {"DNS:*.mx.example", "leaf", "mx.example", MX_CERT_NAME, false},
        {"DNS:*.mx.example", "leaf", "b.a.mx.example", MX_CERT_NAME, false},
        {"DNS:m*.mx.example", "leaf", "ma.mx.example", MX_CERT_NAME, false},
        {"DNS:mx.*.example", "leaf", "mx.a.example", MX_CERT_NAME, false},
        {"DNS:mx.example", "leaf", "mx2.example", MX_CERT_NAME, false},
        {"DNS:mx.example", "leaf", "", MX_CERT_NAME, false},
        {"DNS:mx.example", "leaf", ".", MX_CERT_NAME, false},
        {"IP:192.0.2.1", "leaf", "192.0.2.1", MX_CERT_NAME, false},
        {NULL, "mx.example", "mx.example", MX_CERT_NAME, true},
        {NULL, "leaf", "mx.example", MX_CERT_NAME, false},
        {"DNS:a.example", "mx.example", "mx.example", MX_CERT_NAME, false},
        {"DNS:xn--mx-xka.example", "leaf", "xn--mx-xka.example", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct pki_request request = {.common_name = rows[i].common_name,
                                            .names = rows[i].names};
        struct mx_cert cert = judged_leaf(&request, "P-256", root, rows[i].host);
        if (cert.faults != rows[i].faults || cert.is_named_in_subject != rows[i].is_in_subject)
            fail_msg("row %zu: expected %x, found %x", i, rows[i].faults, cert.faults);
    }
}

static void judges_the_dates(void **state)
{
    static const struct {
        int64_t from, to;
        unsigned faults;
    } rows[] = {
        {PKI_NOW_UNIX_S - 1, PKI_NOW_UNIX_S + 1, 0},
        {PKI_NOW_UNIX_S, PKI_NOW_UNIX_S + 1, 0},
        {PKI_NOW_UNIX_S + 1, PKI_NOW_UNIX_S + 2, MX_CERT_NOT_YET_VALID},
        {PKI_NOW_UNIX_S - 2, PKI_NOW_UNIX_S - 1, MX_CERT_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct pki_request request = {.common_name = "leaf",
                                            .names = "DNS:mx.example",
                                            .not_before_unix_s = rows[i].from,
                                            .not_after_unix_s = rows[i].to};
        struct mx_cert cert = judged_leaf(&request, "P-256", root, "mx.example");
        if (cert.faults != rows[i].faults)
            fail_msg("row %zu: expected %x, found %x", i, rows[i].faults, cert.faults);
        assert_int_equal(cert.starts_unix_s, rows[i].from);
        assert_int_equal(cert.ends_unix_s, rows[i].to);
    }
}

static const struct pki_request good = {.common_name = "leaf", .names = "DNS:mx.example"};

static void tells_the_ways_in_which_a_chain_fails(void **state)
{
    struct pki_identity *below = pki_issue(&good, "P-256", middle),
                        *foreign = pki_issue(&good, "P-256", stranger);
    struct mx_cert cert;

    (void)state;
    assert_int_equal(judged("mx.example", below->certificate, middle->certificate, NULL).faults, 0);
    assert_int_equal(judged("mx.example", below->certificate, root->certificate,
                            middle->certificate, below->certificate, NULL)
                         .faults,
                     0);
    cert = judged("mx.example", below->certificate, NULL);
    assert_int_equal(cert.faults, MX_CERT_INCOMPLETE);
    assert_string_equal(cert.issuer, "'CN=middle'");
    assert_string_equal(cert.words, "unable to get local issuer certificate");
    assert_int_equal(judged("mx.example", foreign->certificate, stranger->certificate, NULL).faults,
                     MX_CERT_UNTRUSTED);
    assert_int_equal(judged("mx.example", foreign->certificate, NULL).faults, MX_CERT_INCOMPLETE);
    pki_free(below);
    pki_free(foreign);

    cert = judged_leaf(&good, "P-256", NULL, "mx.example");
    assert_int_equal(cert.faults, MX_CERT_SELF_SIGNED);
    cert = judged_leaf(&good, "P-256", ended, "mx.example");
    assert_int_equal(cert.faults, MX_CERT_EXPIRED);
    assert_int_equal(cert.ends_unix_s, PKI_NOW_UNIX_S - 1);
}

static void tells_keys_that_are_too_small_for_some(void **state)
{
    struct mx_cert cert = judged_leaf(&good, "RSA-1024", root, "mx.example");

    (void)state;
    assert_int_equal(cert.faults, 0);
    assert_int_equal(cert.small_key_bits, 1024);
    cert = judged_leaf(&good, "RSA-2048", root, "mx.example");
    assert_int_equal(cert.small_key_bits, 0);
    cert = judged_leaf(&good, "P-256", root, "mx.example");
    assert_int_equal(cert.small_key_bits, 0);
}

static void tells_who_demands_a_staple(void **state)
{
    struct pki_request request = good;
    struct mx_cert cert = judged_leaf(&request, "P-256", root, "mx.example");

    (void)state;
    assert_false(cert.must_staple);
    request.must_staple = true;
    cert = judged_leaf(&request, "P-256", root, "mx.example");
    assert_true(cert.must_staple);
    assert_int_equal(cert.faults, 0);
}

static void finds_all_faults_at_once(void **state)
{
    const struct pki_request request = {.common_name = "leaf",
                                        .names = "DNS:a.example",
                                        .not_before_unix_s = PKI_NOW_UNIX_S - 2,
                                        .not_after_unix_s = PKI_NOW_UNIX_S - 1};
    const struct pki_request sha1 = {
        .common_name = "leaf", .names = "DNS:mx.example", .digest = "SHA1"};
    struct mx_cert cert = judged_leaf(&request, "P-256", NULL, "mx.example");

    (void)state;
    assert_int_equal(cert.faults, MX_CERT_SELF_SIGNED | MX_CERT_EXPIRED | MX_CERT_NAME);
    assert_string_equal(cert.names, "'a.example'");
    cert = judged_leaf(&sha1, "P-256", root, "mx.example");
    assert_int_equal(cert.faults, MX_CERT_WEAK);
    assert_string_equal(cert.weakness, "CA signature digest algorithm too weak");
}

static void lists_names_escaped_and_bounded(void **state)
{
    char names[4096] = "DNS:a\x1b[31m.example", long_name[400];
    struct pki_request request = {.common_name = "leaf", .names = names};
    struct mx_cert cert = judged_leaf(&request, "P-256", root, "mx.example");

    (void)state;
    assert_string_equal(cert.names, "'a\\x1b[31m.example'");

    strcpy(names, "DNS:0.example");
    for (int i = 1; i < 100; i++)
        sprintf(names + strlen(names), ",DNS:%d.example", i);
    cert = judged_leaf(&request, "P-256", root, "mx.example");
    assert_string_equal(cert.names, "'0.example', '1.example', '2.example', '3.example', "
                                    "'4.example', '5.example' and 94 more");

    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    snprintf(names, sizeof(names), "DNS:%s,DNS:%s,DNS:b.example", long_name, long_name);
    cert = judged_leaf(&request, "P-256", root, "mx.example");
    assert_true(strlen(cert.names) < sizeof(cert.names));
    assert_memory_equal(cert.names, "'xxx", 4);
}

static void tells_certificates_and_keys_apart(void **state)
{
    struct pki_identity *leaf = pki_issue(&good, "P-256", root);
    struct mx_cert cert = judged("mx.example", leaf->certificate, NULL);
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf->certificate), &der);

    (void)state;
    assert_int_equal(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(cert.key_sha256, digest, 32);
    OPENSSL_free(der);
    assert_int_equal(X509_digest(leaf->certificate, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(cert.leaf_sha256, digest, 32);
    pki_free(leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_names_as_senders_do),
        cmocka_unit_test(judges_the_dates),
        cmocka_unit_test(tells_the_ways_in_which_a_chain_fails),
        cmocka_unit_test(tells_keys_that_are_too_small_for_some),
        cmocka_unit_test(tells_who_demands_a_staple),
        cmocka_unit_test(finds_all_faults_at_once),
        cmocka_unit_test(lists_names_escaped_and_bounded),
        cmocka_unit_test(tells_certificates_and_keys_apart),
    };

    return cmocka_run_group_tests(tests, open_trust, close_trust);
}
