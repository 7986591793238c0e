/* SPDX-License-Identifier: MIT */
#include "check/mx_trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "lib/base/err.h"
#include "support/pki.h"

static void loads_roots_from_a_file(void **state)
{
    const struct pki_request request = {.common_name = "root", .role = PKI_AUTHORITY};
    struct pki_identity *root = pki_issue(&request, "P-256", NULL);
    struct mx_trust *trust;
    STACK_OF(X509) * roots;
    struct err err;

    (void)state;
    pki_write("roots.pem", root->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    roots = X509_STORE_get1_all_certs(mx_trust_roots(trust));
    assert_int_equal(sk_X509_num(roots), 1);
    sk_X509_pop_free(roots, X509_free);
    assert_int_equal(SSL_CTX_get_min_proto_version(mx_trust_context(trust)), TLS1_VERSION);
    assert_int_equal(SSL_CTX_get_min_proto_version(mx_trust_narrow_context(trust)), TLS1_2_VERSION);
    mx_trust_free(trust);
    pki_free(root);
}

static void says_which_file_holds_no_roots(void **state)
{
    struct err err;

    (void)state;
    pki_write("empty.pem", "no certificate\n", NULL);
    assert_null(mx_trust_new("empty.pem", &err));
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_string_equal(err.msg, "empty.pem: holds no certificates: no certificate or crl found");
    assert_null(mx_trust_new("absent.pem", &err));
    assert_int_equal(err.code, ERR_CRYPTO);
    mx_trust_free(NULL);
}

static void takes_the_roots_of_the_environment(void **state)
{
    struct mx_trust *trust;
    struct err err;

    (void)state;
    assert_int_equal(setenv("SSL_CERT_FILE", "roots.pem", 1), 0);
    trust = mx_trust_new(NULL, &err);
    assert_non_null(trust);
    mx_trust_free(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_roots_from_a_file),
        cmocka_unit_test(says_which_file_holds_no_roots),
        cmocka_unit_test(takes_the_roots_of_the_environment),
    };

    return cmocka_run_group_tests(tests, pki_enter_directory, pki_leave_directory);
}
