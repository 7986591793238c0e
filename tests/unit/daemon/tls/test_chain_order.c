/* SPDX-License-Identifier: MIT */
#include "daemon/tls/chain_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/tls/certificate.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

#define HOST "mta-sts.example.com"

static struct order_fixture {
    struct pki_identity *root, *intermediate, *leaf, *other;
} made;

static int make_identities(void **state)
{
    const struct pki_request root = {.common_name = "root", .role = PKI_AUTHORITY};
    const struct pki_request intermediate = {.common_name = "R1", .role = PKI_AUTHORITY};
    const struct pki_request leaf = {.common_name = "leaf", .names = "DNS:" HOST};

    made.root = pki_issue(&root, "P-256", NULL);
    made.intermediate = pki_issue(&intermediate, "P-256", made.root);
    made.leaf = pki_issue(&leaf, "P-256", made.intermediate);
    made.other = pki_issue(&leaf, "P-256", made.intermediate);
    return pki_enter_directory(state);
}

static int free_identities(void **state)
{
    pki_free(made.root);
    pki_free(made.intermediate);
    pki_free(made.leaf);
    pki_free(made.other);
    return pki_leave_directory(state);
}

static void test_words(void **state)
{
    const char *leaf = made.leaf->certificate_pem, *other = made.other->certificate_pem;
    const char *intermediate = made.intermediate->certificate_pem;
    const char *root = made.root->certificate_pem;
    const struct {
        const char *after[3], *words;
    } rows[] = {
        {{leaf, intermediate}, "the leaf is in the chain twice; "},
        {{intermediate, leaf}, "the leaf is in the chain twice; "},
        {{root, intermediate}, "the intermediates are out of order; "},
        {{other, intermediate, root}, "the intermediates are out of order; "},
        {{root}, "an intermediate is missing; "},
        {{other}, "an intermediate is missing; "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate;
        char words[CERTIFICATE_FINDINGS_MAX];
        finding_set found;
        struct err err;

        pki_write("chain.pem", leaf, rows[i].after[0], rows[i].after[1], rows[i].after[2], NULL);
        pki_write("key.pem", made.leaf->key_pem, NULL);
        assert_int_equal(pki_load("chain.pem", "key.pem", &certificate, &err), 0);
        found = certificate_check(certificate, HOST, PKI_NOW_UNIX_S, NULL);
        certificate_findings_render(certificate, found, words, sizeof(words));
        if (found != finding_bit(FINDING_CERTIFICATE_CHAIN) ||
            strncmp(words, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("row %zu: %#llx, '%s'", i, (unsigned long long)found, words);
        certificate_unref(certificate);
    }
}

/* Whose fault it is that the key is not that of the first certificate. */
static void test_key_of_another(void **state)
{
    const char *leaf = made.leaf->certificate_pem, *other = made.other->certificate_pem;
    const char *intermediate = made.intermediate->certificate_pem;
    const char *root = made.root->certificate_pem;
    const struct {
        const char *chain[3], *want;
    } rows[] = {
        {{intermediate, leaf}, "chain.pem: the certificate of the private key is number 2 in "},
        {{other, leaf}, "chain.pem: the certificate of the private key is number 2 in "},
        {{root, intermediate, leaf}, "chain.pem: the certificate of the private key is number 3 "},
        {{intermediate}, "chain.pem: has certificates of authorities only; "},
        {{intermediate, root}, "chain.pem: has certificates of authorities only; "},
        {{other}, "key.pem: the private key is not that of the certificate"},
        {{other, intermediate}, "key.pem: the private key is not that of the certificate"},
        {{intermediate, "-----BEGIN CERTIFICATE-----\n"}, "key.pem: the private key is not that"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct certificate *certificate;
        struct err err;

        pki_write("chain.pem", rows[i].chain[0], rows[i].chain[1], rows[i].chain[2], NULL);
        pki_write("key.pem", made.leaf->key_pem, NULL);
        assert_int_equal(pki_load("chain.pem", "key.pem", &certificate, &err), -1);
        if (err.code != ERR_CONFIG || strncmp(err.msg, rows[i].want, strlen(rows[i].want)) != 0)
            fail_msg("row %zu: '%s'", i, err.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_key_of_another),
    };

    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
