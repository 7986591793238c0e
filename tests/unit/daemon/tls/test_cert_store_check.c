/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_store_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/pki.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"
#define BIT(name) (UINT64_C(1) << FINDING_CERTIFICATE_##name)

/* The certificate of each host in a file of its own; then one for all. */
static const struct cert_source pem_sources[] = {{"{host}.pem", "{host}.pem"},
                                                 {"wild.pem", "wild.pem"}};

static int64_t check_unix_s(const struct clock *clock)
{
    (void)clock;
    return PKI_NOW_UNIX_S;
}

static const struct clock check_clock = {.unix_s = check_unix_s};

static void write_pem(const char *path, const char *names, int days)
{
    pki_write_pair(path, path, names, days);
}

static struct cert_store *open_sources(const struct cert_source *sources, size_t n_sources)
{
    return cert_store_new(sources, n_sources, CERT_STORE_HOSTS, &check_clock, NULL);
}

/* Whether the host is remembered with a certificate from now on. */
static bool remember(struct cert_store *store, const char *host)
{
    struct certificate *certificate = cert_store_find(store, host);

    certificate_unref(certificate);
    return certificate;
}

/* What is judged is what is served; the mark tells of each change of either. */
static void test_state_in_use(void **state)
{
    struct cert_store *store = open_sources(pem_sources, 1);
    struct cert_state seen;
    uint32_t mark = cert_store_mark(store, A), mark_before;

    (void)state;
    cert_store_check_in_use(store, A, &seen);
    assert_false(seen.is_remembered || cert_state_is_accepted(&seen));
    assert_int_equal(seen.findings, finding_bit(FINDING_CERTIFICATE_MISSING));
    write_pem(A ".pem", A, 60);
    mark_before = mark;
    mark = cert_store_mark(store, A);
    assert_int_not_equal(mark, mark_before);
    assert_int_equal(cert_store_mark(store, A), mark);
    cert_store_check_in_use(store, A, &seen);
    assert_true(!seen.is_remembered && cert_state_is_accepted(&seen));
    certificate_unref(seen.certificate);

    assert_true(remember(store, A));
    mark = cert_store_mark(store, A);
    write_pem(A ".pem", A, -1); /* which does not come into use */
    assert_int_not_equal(cert_store_mark(store, A), mark);
    cert_store_check_in_use(store, A, &seen);
    assert_true(seen.is_remembered && cert_state_is_accepted(&seen));
    certificate_unref(seen.certificate);
    cert_store_check(store, A, &seen);
    assert_false(cert_state_is_accepted(&seen));
    assert_int_equal(seen.findings, finding_bit(FINDING_CERTIFICATE_EXPIRED));
    certificate_unref(seen.certificate);
    cert_store_unref(store);
}

static void test_check(void **state)
{
    static const struct {
        const char *host;
        size_t n_sources;
        finding_set want;
        const char *message;
    } rows[] = {
        {"good", 1, 0, ""},
        {"none", 1, BIT(MISSING), "none.pem: cannot be read: No such file or directory"},
        {"old", 1, BIT(EXPIRING),
         "old.pem: in the last sixth of its life, expires on 2027-01-15T08:00:00Z"},
        {"half", 1, BIT(UNREADABLE),
         "half.pem: has a certificate, but no private key; name the key's file in 'key'"},
        {"empty", 1, BIT(UNREADABLE), "empty.pem: is empty"},
        {"folder", 1, BIT(UNREADABLE), "folder.pem: cannot be read: Is a directory"},
        {"other", 1, BIT(NAME),
         "other.pem: is a certificate for 'a.example', 'b.example', 'c.example' and 1 more"},
        {"a.wild.example", 2, 0, ""},
        {"empty", 2, 0, ""}, /* the second source serves it */
        {"none", 2, BIT(NAME),
         "none.pem: cannot be read: No such file or directory; wild.pem: is a certificate for "
         "'*.wild.example', 'empty'"},
        {"folder", 2, BIT(NAME) | BIT(UNREADABLE),
         "folder.pem: cannot be read: Is a directory; wild.pem: is a certificate for "
         "'*.wild.example', 'empty'"},
    };

    (void)state;
    write_pem("good.pem", "good", 60);
    write_pem("old.pem", "old", 0);
    pki_write_pair("half.pem", "unused", "half", 60);
    pki_write("empty.pem", "", NULL);
    mkdir("folder.pem", 0755);
    write_pem("other.pem", "a.example,DNS:b.example,DNS:c.example,DNS:d.example", 60);
    write_pem("wild.pem", "*.wild.example,DNS:empty", 60);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_store *store = open_sources(pem_sources, rows[i].n_sources);
        struct cert_state seen;

        cert_store_check(store, rows[i].host, &seen);
        if (seen.findings != rows[i].want || strcmp(seen.message, rows[i].message) != 0 ||
            (seen.certificate != NULL) != !(rows[i].want & ~BIT(EXPIRING)))
            fail_msg("row %zu: wanted %#llx '%s', saw %#llx '%s', served %d", i,
                     (unsigned long long)rows[i].want, rows[i].message,
                     (unsigned long long)seen.findings, seen.message, seen.certificate != NULL);
        certificate_unref(seen.certificate);
        cert_store_unref(store);
    }
}

/* What a certificate is worth: whether a sender could fetch the policy. */
static void test_accepted(void **state)
{
    const struct pki_request authority = {.common_name = "R1", .role = PKI_AUTHORITY};
    struct pki_identity *root = pki_issue(&authority, "P-256", NULL);
    struct pki_identity *intermediate = pki_issue(&authority, "P-256", root);
    const struct {
        const char *what, *names, *kind;
        int from_days, to_days; /* of its life, from now */
        bool is_self_signed, is_alone;
        finding_set want; /* 0 or EXPIRING: accepted */
    } rows[] = {
        {"good", A, "P-256", -30, 60, false, false, 0},
        {"late", A, "P-256", -80, 10, false, false, BIT(EXPIRING)},
        {"expired", A, "P-256", -90, -1, false, false, BIT(EXPIRED)},
        {"early", A, "P-256", 1, 90, false, false, BIT(NOT_YET_VALID)},
        {"self-signed", A, "P-256", -30, 60, true, false, BIT(SELF_SIGNED)},
        {"alone", A, "P-256", -30, 60, false, true, BIT(CHAIN)},
        {"unusable", A, "ED448", -30, 60, false, false, BIT(UNUSABLE)},
        {"other", B, "P-256", -30, 60, false, false, BIT(NAME)},
        {"early and alone", A, "P-256", 1, 90, false, true, BIT(NOT_YET_VALID) | BIT(CHAIN)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char names[64];
        const struct pki_request leaf = {
            .common_name = A,
            .names = names,
            .names_issuer = true,
            .not_before_unix_s = PKI_NOW_UNIX_S + rows[i].from_days * PKI_DAY_S,
            .not_after_unix_s = PKI_NOW_UNIX_S + rows[i].to_days * PKI_DAY_S,
        };
        struct cert_store *store = open_sources(pem_sources, 1);
        struct pki_identity *made;
        struct cert_state seen;

        snprintf(names, sizeof(names), "DNS:%s", rows[i].names);
        made = pki_issue(&leaf, rows[i].kind, rows[i].is_self_signed ? NULL : intermediate);
        pki_write(A ".pem", made->key_pem, made->certificate_pem,
                  rows[i].is_alone ? NULL : intermediate->certificate_pem, NULL);
        cert_store_check(store, A, &seen);
        if (seen.findings != rows[i].want ||
            cert_state_is_accepted(&seen) != !(rows[i].want & ~BIT(EXPIRING)))
            fail_msg("%s: %#llx '%s', accepted %d", rows[i].what, (unsigned long long)seen.findings,
                     seen.message, cert_state_is_accepted(&seen));
        certificate_unref(seen.certificate);
        cert_store_unref(store);
        pki_free(made);
    }
    assert_false(cert_state_is_accepted(&(struct cert_state){.findings = BIT(MISSING)}));
    pki_free(intermediate);
    pki_free(root);
}

/* cert_store_check() neither asks the memory of cert_store_find() nor fills it. */
static void test_check_reads_now(void **state)
{
    struct cert_store *store = open_sources(pem_sources, ARRAY_LEN(pem_sources));
    struct cert_state seen;

    (void)state;
    write_pem("wild.pem", B, 60);
    cert_store_check(store, B, &seen);
    certificate_unref(seen.certificate);
    unlink("wild.pem"); /* a shared source is read once */
    cert_store_check(store, B, &seen);
    assert_non_null(seen.certificate);
    certificate_unref(seen.certificate);

    cert_store_check(store, A, &seen);
    assert_null(seen.certificate);
    write_pem(A ".pem", A, 60);
    cert_store_check(store, A, &seen);
    assert_non_null(seen.certificate);
    certificate_unref(seen.certificate);
    assert_true(remember(store, A));
    unlink(A ".pem");
    cert_store_check(store, A, &seen);
    assert_null(seen.certificate);
    assert_true(remember(store, A));
    cert_store_unref(store);
}

#define IN_DIRECTORY(test) \
    cmocka_unit_test_setup_teardown(test, pki_enter_directory, pki_leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_state_in_use),
        IN_DIRECTORY(test_check),
        IN_DIRECTORY(test_accepted),
        IN_DIRECTORY(test_check_reads_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
