/* SPDX-License-Identifier: MIT */
#include "tls/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "support/pki.h"

#define BLOCK(label, text) "-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"
#define CERTIFICATE BLOCK("CERTIFICATE", "AAEC")

enum {
    FILE_MAX = 4096,
};

static size_t count(const struct pem *pem)
{
    size_t n = 0;

    for (const struct pem_certificate *at = pem->certificates; at; at = at->next)
        n++;
    return n;
}

/* Certificates are bytes here: nobody decodes them yet. */
static void test_files(void **state)
{
    static const struct {
        const char *text;
        unsigned wanted;
        enum err_code want_code;
        const char *want_message;
        size_t want_n;
    } rows[] = {
        {"", PEM_CERTIFICATES, ERR_SYNTAX, "holds no certificate", 0},
        {"", PEM_KEY, ERR_SYNTAX, "holds no private key", 0},
        {"only words\n", PEM_CERTIFICATES, ERR_SYNTAX, "holds no certificate", 0},
        {CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 1},
        {CERTIFICATE, PEM_KEY, ERR_SYNTAX, "holds no private key", 0},
        {CERTIFICATE CERTIFICATE CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 3},
        {"words\n" CERTIFICATE "words\n" BLOCK("X509 CERTIFICATE", "AAEC"), PEM_CERTIFICATES,
         ERR_NONE, NULL, 2},
        {BLOCK("DH PARAMETERS", "AAEC") CERTIFICATE, PEM_CERTIFICATES, ERR_NONE, NULL, 1},
        {CERTIFICATE, PEM_CERTIFICATES | PEM_KEY, ERR_SYNTAX, "holds no private key", 1},
        {BLOCK("CERTIFICATE", "A*EC"), PEM_CERTIFICATES, ERR_SYNTAX, "a PEM block is damaged", 0},
        {"-----BEGIN CERTIFICATE-----\nAAEC\n", PEM_CERTIFICATES, ERR_SYNTAX,
         "a PEM block is damaged", 0},
        {BLOCK("PRIVATE KEY", "AAEC"), PEM_KEY, ERR_SYNTAX,
         "the private key is damaged or of an unknown kind", 0},
        {BLOCK("ENCRYPTED PRIVATE KEY", "AAEC"), PEM_KEY, ERR_SYNTAX,
         "the private key has a pass phrase", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct pem pem = {0};
        struct err err = {0};
        int result;

        pki_write("file.pem", rows[i].text, NULL);
        result = pem_load("file.pem", rows[i].wanted, FILE_MAX, arena, &pem, &err);
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
        arena_free(arena);
        ERR_clear_error();
    }
}

static void test_two_files(void **state)
{
    const struct pki_request request = {.common_name = "leaf"};
    struct pki_identity *leaf = pki_issue(&request, "P-256", NULL);
    struct arena *arena = arena_new(0);
    struct pem pem = {0};
    struct err err;

    (void)state;
    pki_write("chain.pem", leaf->certificate_pem, leaf->key_pem, NULL);
    pki_write("key.pem", leaf->key_pem, CERTIFICATE, NULL);
    assert_int_equal(pem_load("chain.pem", PEM_CERTIFICATES, FILE_MAX, arena, &pem, &err), 0);
    assert_null(pem.key);
    assert_int_equal(pem_load("key.pem", PEM_KEY, FILE_MAX, arena, &pem, &err), 0);
    assert_int_equal(count(&pem), 1);
    assert_int_equal(EVP_PKEY_eq(pem.key, leaf->key), 1);
    EVP_PKEY_free(pem.key);
    pem = (struct pem){0};
    assert_int_equal(pem_load("chain.pem", PEM_KEY, 100, arena, &pem, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(pem_load("none.pem", PEM_KEY, FILE_MAX, arena, &pem, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    arena_free(arena);
    pki_free(leaf);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_two_files),
    };

    return cmocka_run_group_tests_name("tls.pem", tests, pki_enter_directory, pki_leave_directory);
}
