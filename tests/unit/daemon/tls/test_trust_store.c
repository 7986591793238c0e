/* SPDX-License-Identifier: MIT */
#include "daemon/tls/trust_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/slice.h"
#include "support/pki.h"

static struct fixture {
    struct pki_identity *in_file, *in_directory, *nowhere; /* roots */
    struct pki_identity *leaves[3];                        /* of each */
} pki;

static int set_up(void **state)
{
    const struct pki_request requests[] = {
        {.common_name = "in a file", .role = PKI_AUTHORITY},
        {.common_name = "in a directory", .role = PKI_AUTHORITY},
        {.common_name = "nowhere", .role = PKI_AUTHORITY},
    };
    const struct pki_request leaf = {.common_name = "leaf"};
    struct pki_identity **roots[] = {&pki.in_file, &pki.in_directory, &pki.nowhere};
    char path[64];

    pki_enter_directory(state);
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        *roots[i] = pki_issue(&requests[i], "P-256", NULL);
        pki.leaves[i] = pki_issue(&leaf, "P-256", *roots[i]);
    }
    pki_write("trust.pem", pki.in_file->certificate_pem, NULL);
    snprintf(path, sizeof(path), "roots/%08lx.0", X509_subject_name_hash(pki.nowhere->certificate));
    pki_write(path, pki.in_directory->certificate_pem, NULL);
    pki_write("roots/other-name.pem", pki.nowhere->certificate_pem, NULL);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(pki.leaves); i++)
        pki_free(pki.leaves[i]);
    pki_free(pki.in_file), pki_free(pki.in_directory), pki_free(pki.nowhere);
    return pki_leave_directory(state);
}

static struct trust_store *read_from(const char *file, const char *directories)
{
    setenv("SSL_CERT_FILE", file, 1);
    setenv("SSL_CERT_DIR", directories, 1);
    return trust_store_new();
}

static void test_issued(void **state)
{
    struct trust_store *trust = read_from("trust.pem", "none:roots");

    (void)state;
    assert_int_equal(ERR_peek_error(), 0);
    assert_false(trust_store_is_empty(trust));
    assert_int_equal(unlink("trust.pem"), 0); /* as if it could no longer be read */
    assert_true(trust_store_issued(trust, pki.leaves[0]->certificate));
    assert_true(trust_store_issued(trust, pki.leaves[1]->certificate));
    assert_false(trust_store_issued(trust, pki.leaves[2]->certificate));
    assert_true(trust_store_issued(trust, pki.in_file->certificate));
    assert_false(trust_store_issued(trust, pki.nowhere->certificate));
    ERR_clear_error();
    trust_store_free(trust);
}

static void test_empty(void **state)
{
    struct trust_store *trust = read_from("none.pem", "none");

    (void)state;
    assert_int_equal(ERR_peek_error(), 0);
    assert_true(trust_store_is_empty(trust));
    assert_true(trust_store_is_empty(NULL));
    assert_false(trust_store_issued(trust, pki.leaves[0]->certificate));
    assert_false(trust_store_issued(NULL, pki.leaves[0]->certificate));
    ERR_clear_error();
    trust_store_free(trust);
    trust_store_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_issued),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests_name("tls.trust_store", tests, set_up, tear_down);
}
