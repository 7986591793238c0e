/* SPDX-License-Identifier: MIT */
#include "daemon/tls/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "daemon/tls/key.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

#define BLOCK(label, text) "-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"
#define CERTIFICATE BLOCK("CERTIFICATE", "AAEC")

static size_t count(const struct pem *pem)
{
    size_t n = 0;

    for (const struct pem_certificate *at = pem->certificates; at; at = at->next)
        n++;
    return n;
}

/* Certificates are bytes here: nobody decodes them yet. */
static void test_texts(void **state)
{
    static const struct {
        const char *text;
        unsigned wanted;
        enum err_code want_code;
        const char *want_message;
        size_t want_n;
    } rows[] = {
        {"", PEM_CERTIFICATES, ERR_SYNTAX, "is empty", 0},
        {"", PEM_KEY, ERR_SYNTAX, "is empty", 0},
        {"only words\n", PEM_CERTIFICATES, ERR_SYNTAX, "has no certificate", 0},
        {CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 1},
        {CERTIFICATE, PEM_KEY, ERR_SYNTAX,
         "has a certificate, but no private key; are 'chain' and 'key' swapped?", 0},
        {CERTIFICATE CERTIFICATE CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 3},
        {"", PEM_LEAF, ERR_SYNTAX, "is empty", 0},
        {"words\n" CERTIFICATE BLOCK("CERTIFICATE", "A*EC"), PEM_LEAF, ERR_NONE, NULL, 1},
        {BLOCK("CERTIFICATE", "A*EC") CERTIFICATE, PEM_LEAF, ERR_SYNTAX, "a PEM block is damaged",
         0},
        {"", PEM_CHAIN, ERR_NONE, NULL, 0},
        {CERTIFICATE "words\n" CERTIFICATE, PEM_CHAIN, ERR_NONE, NULL, 2},
        {CERTIFICATE BLOCK("CERTIFICATE", "A*EC"), PEM_CHAIN, ERR_SYNTAX, "a PEM block is damaged",
         1},
        {"words\n" CERTIFICATE "words\n" BLOCK("X509 CERTIFICATE", "AAEC"), PEM_CERTIFICATES,
         ERR_NONE, NULL, 2},
        {BLOCK("DH PARAMETERS", "AAEC") CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 1},
        {CERTIFICATE, PEM_CERTIFICATES | PEM_KEY, ERR_SYNTAX,
         "has a certificate, but no private key; name the key's file in 'key'", 1},
        {BLOCK("CERTIFICATE", "A*EC"), PEM_CERTIFICATES, ERR_SYNTAX, "a PEM block is damaged", 0},
        {"-----BEGIN CERTIFICATE-----\nAAEC\n", PEM_CERTIFICATES, ERR_SYNTAX,
         "a PEM block is damaged", 0},
        {BLOCK("PRIVATE KEY", "AAEC"), PEM_KEY, ERR_SYNTAX,
         "the private key is damaged or of an unknown kind", 0},
        {BLOCK("ENCRYPTED PRIVATE KEY", "AAEC"), PEM_KEY, ERR_SYNTAX,
         "the private key has a pass phrase; remove it: openssl pkey", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pem pem = {.arena = arena_new(0)};
        struct err err = {0};
        int result = pem_parse(slice_of(rows[i].text), rows[i].wanted, &pem, &err);

        if ((result == 0) != (rows[i].want_code == ERR_NONE) || err.code != rows[i].want_code ||
            (result != 0 && strcmp(err.msg, rows[i].want_message) != 0) ||
            count(&pem) != rows[i].want_n)
            fail_msg("row %zu: wanted %d '%s', saw %d '%s', %zu certificates", i,
                     (int)rows[i].want_code, rows[i].want_message ? rows[i].want_message : "",
                     (int)err.code, err.msg, count(&pem));
        for (const struct pem_certificate *at = pem.certificates; at; at = at->next) {
            assert_int_equal(at->len, 3);
            assert_memory_equal(at->der, "\x00\x01\x02", 3);
        }
        arena_free(pem.arena);
        ERR_clear_error();
    }
}

/* One text for the certificate and one for its key, each with more in it. */
static void test_two_texts(void **state)
{
    const struct pki_request request = {.common_name = "leaf"};
    struct pki_identity *leaf = pki_issue(&request, "P-256", NULL);
    struct pem pem = {.arena = arena_new(0)};
    char chain[8192], key[8192];
    struct err err;

    (void)state;
    snprintf(chain, sizeof(chain), "%s%s", leaf->certificate_pem, leaf->key_pem);
    snprintf(key, sizeof(key), "%s%s%s", CERTIFICATE, leaf->key_pem, BLOCK("KEY", "A*EC"));
    assert_int_equal(pem_parse(slice_of(chain), PEM_CERTIFICATES, &pem, &err), 0);
    assert_null(pem.key);
    assert_int_equal(pem_parse(slice_of(key), PEM_KEY, &pem, &err), 0);
    assert_int_equal(count(&pem), 1);
    assert_non_null(pem.key);
    key_free(pem.key);
    arena_free(pem.arena);
    pki_free(leaf);
    ERR_clear_error();
}

static void test_rest(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {CERTIFICATE, ""},
        {"words\n" CERTIFICATE "\n" CERTIFICATE, "\n" CERTIFICATE},
        {BLOCK("DH PARAMETERS", "AAEC") CERTIFICATE "words", "words"},
        {"-----BEGIN CERTIFICATE-----\r\nAAEC\r\n-----END CERTIFICATE-----\r\n" CERTIFICATE,
         CERTIFICATE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pem pem = {.arena = arena_new(0)};
        struct err err;

        assert_int_equal(pem_parse(slice_of(rows[i].text), PEM_LEAF, &pem, &err), 0);
        if (!slice_eq(pem.rest, slice_of(rows[i].want)))
            fail_msg("row %zu: saw '%.*s'", i, (int)pem.rest.len, pem.rest.ptr);
        arena_free(pem.arena);
    }
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_two_texts),
        cmocka_unit_test(test_rest),
    };

    return cmocka_run_group_tests_name("tls.pem", tests, NULL, NULL);
}
