/* SPDX-License-Identifier: MIT */
#include "check/mx_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "check/dns_source.h"
#include "lib/base/arena.h"
#include "support/pki.h"

static const struct mx_cert good = {.words = ""}, bad = {.words = "", .faults = MX_CERT_NAME};

/* Attempts by how they ended. */
static const struct mx_attempt accepted = {.end = SMTP_END_SECURED,
                                           .stage = SMTP_HANDSHAKE,
                                           .cert = &good,
                                           .tls_number = TLS1_2_VERSION},
                               misnamed = {.end = SMTP_END_SECURED,
                                           .stage = SMTP_HANDSHAKE,
                                           .cert = &bad,
                                           .tls_number = TLS1_3_VERSION},
                               old = {.end = SMTP_END_SECURED,
                                      .stage = SMTP_HANDSHAKE,
                                      .cert = &good,
                                      .tls_number = TLS1_1_VERSION},
                               unreachable = {.end = SMTP_END_UNREACHABLE, .stage = SMTP_CONNECT};

static void tells_what_an_attempt_says(void **state)
{
    static const struct {
        struct mx_attempt attempt;
        enum mx_outcome outcome;
    } rows[] = {
        {{.end = SMTP_END_UNREACHABLE, .stage = SMTP_CONNECT}, MX_UNKNOWN},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_CONNECT}, MX_UNKNOWN},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_GREETING}, MX_UNKNOWN},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_EHLO}, MX_UNKNOWN},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_STARTTLS}, MX_REFUSES},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_HANDSHAKE}, MX_REFUSES},
        {{.end = SMTP_END_CLOSED, .stage = SMTP_GREETING}, MX_UNKNOWN},
        {{.end = SMTP_END_CLOSED, .stage = SMTP_HANDSHAKE}, MX_REFUSES},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_GREETING, .code = 554}, MX_UNKNOWN},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_GREETING, .code = 421}, MX_UNKNOWN},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 550}, MX_UNKNOWN},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 499}, MX_UNKNOWN},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 500}, MX_REFUSES},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 504}, MX_REFUSES},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 505}, MX_UNKNOWN},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_STARTTLS, .code = 454}, MX_REFUSES},
        {{.end = SMTP_END_NO_STARTTLS, .stage = SMTP_EHLO}, MX_REFUSES},
        {{.end = SMTP_END_BROKEN, .stage = SMTP_GREETING}, MX_REFUSES},
        {{.end = SMTP_END_TOO_LONG, .stage = SMTP_GREETING}, MX_REFUSES},
        {{.end = SMTP_END_UNASKED, .stage = SMTP_STARTTLS}, MX_REFUSES},
        {{.end = SMTP_END_TLS, .stage = SMTP_HANDSHAKE}, MX_REFUSES},
        {{.end = SMTP_END_SECURED, .stage = SMTP_HANDSHAKE, .tls_number = TLS1_3_VERSION},
         MX_REFUSES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (mx_attempt_sts_outcome(&rows[i].attempt) != rows[i].outcome)
            fail_msg("row %zu: expected %d, found %d", i, rows[i].outcome,
                     mx_attempt_sts_outcome(&rows[i].attempt));
    assert_int_equal(mx_attempt_sts_outcome(&accepted), MX_ACCEPTS);
    assert_int_equal(mx_attempt_sts_outcome(&misnamed), MX_REFUSES);
    assert_int_equal(mx_attempt_sts_outcome(&old), MX_REFUSES);
    assert_int_equal(mx_attempt_sts_outcome(NULL), MX_UNKNOWN);
}

/* A host with these addresses' attempts; NULL: untried. */
static enum mx_outcome outcome_of_two(const struct mx_attempt *a, const struct mx_attempt *b)
{
    static const struct dns_answer found = {.status = DNS_OK}, none = {.status = DNS_NODATA};
    struct mx_address addresses[] = {{.named = a}, {.named = b}};
    struct mx_host host = {.a = &found, .aaaa = &none, .addresses = addresses, .n_addresses = 2};

    return mx_host_sts_outcome(&host);
}

static void one_good_address_is_enough(void **state)
{
    (void)state;
    assert_int_equal(outcome_of_two(&accepted, &accepted), MX_ACCEPTS);
    assert_int_equal(outcome_of_two(&accepted, &misnamed), MX_ACCEPTS);
    assert_int_equal(outcome_of_two(&unreachable, &accepted), MX_ACCEPTS);
    assert_int_equal(outcome_of_two(&misnamed, &old), MX_REFUSES);
    assert_int_equal(outcome_of_two(&misnamed, &unreachable), MX_REFUSES);
    assert_int_equal(outcome_of_two(&unreachable, NULL), MX_UNKNOWN);
}

static void tells_who_is_down(void **state)
{
    static const struct mx_attempt greeted = {.end = SMTP_END_REFUSED, .stage = SMTP_GREETING},
                                   unrouted = {.end = SMTP_END_UNREACHABLE,
                                               .stage = SMTP_CONNECT,
                                               .sys_errno = ENETUNREACH};
    static const struct {
        const struct mx_attempt *a, *b;
        bool is_reached, is_down;
    } rows[] = {
        {&accepted, &accepted, true, false},     {&accepted, &unreachable, true, false},
        {&unreachable, &greeted, true, false},   {&unreachable, &unreachable, false, true},
        {&unreachable, &unrouted, false, false}, {&unreachable, NULL, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mx_address addresses[] = {{.named = rows[i].a}, {.named = rows[i].b}};
        struct mx_host host = {.addresses = addresses, .n_addresses = 2};
        if (mx_host_is_reached(&host) != rows[i].is_reached ||
            mx_host_is_down(&host) != rows[i].is_down)
            fail_msg("row %zu: reached %d, down %d", i, mx_host_is_reached(&host),
                     mx_host_is_down(&host));
        host.n_addresses = 0;
        assert_false(mx_host_is_down(&host));
    }
}

static void strength_decides_too(void **state)
{
    struct mx_attempt attempt = accepted;

    (void)state;
    attempt.strength.dh_bits = 1024;
    assert_int_equal(mx_attempt_sts_outcome(&attempt), MX_ACCEPTS);
    attempt.strength.lacks_renegotiation = true;
    assert_int_equal(mx_attempt_sts_outcome(&attempt), MX_REFUSES);
}

static void a_special_address_is_none(void **state)
{
    static const struct dns_answer found = {.status = DNS_OK}, none = {.status = DNS_NODATA};
    struct mx_address address = {.special = "a private address"};
    struct mx_host host = {.a = &found, .aaaa = &none, .addresses = &address, .n_addresses = 1};

    (void)state;
    assert_int_equal(mx_host_sts_outcome(&host), MX_REFUSES);
}

static void dns_decides_first(void **state)
{
    static const struct {
        enum dns_status a, aaaa;
        size_t n_addresses;
        enum mx_outcome outcome;
    } rows[] = {
        {DNS_NXDOMAIN, DNS_NXDOMAIN, 0, MX_REFUSES}, {DNS_NODATA, DNS_NODATA, 0, MX_REFUSES},
        {DNS_FAILED, DNS_NODATA, 0, MX_UNKNOWN},     {DNS_NODATA, DNS_FAILED, 0, MX_UNKNOWN},
        {DNS_BOGUS, DNS_NODATA, 0, MX_REFUSES},      {DNS_OK, DNS_BOGUS, 1, MX_REFUSES},
        {DNS_OK, DNS_FAILED, 1, MX_ACCEPTS},         {DNS_OK, DNS_NODATA, 1, MX_ACCEPTS},
    };
    struct mx_address address = {.named = &accepted};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dns_answer a = {.status = rows[i].a}, aaaa = {.status = rows[i].aaaa};
        struct mx_host host = {
            .a = &a, .aaaa = &aaaa, .addresses = &address, .n_addresses = rows[i].n_addresses};
        if (mx_host_sts_outcome(&host) != rows[i].outcome ||
            mx_host_dane_outcome(&host, "example") != rows[i].outcome)
            fail_msg("row %zu: expected %d, found %d and %d", i, rows[i].outcome,
                     mx_host_sts_outcome(&host), mx_host_dane_outcome(&host, "example"));
    }
}

static void dane_is_judged_apart(void **state)
{
    static const struct {
        enum tlsa_verdict verdict;
        enum mx_outcome outcome;
    } rows[] = {{TLSA_AUTHENTICATED, MX_ACCEPTS},
                {TLSA_ENCRYPTED, MX_ACCEPTS},
                {TLSA_NO_MATCH, MX_REFUSES},
                {TLSA_NOT_NAMED, MX_REFUSES},
                {TLSA_NOT_VALID, MX_REFUSES}};
    static const struct dns_answer found = {.status = DNS_OK, .secure = true},
                                   none = {.status = DNS_NODATA, .secure = true};
    struct tlsa_record record = {.usage = 3};
    struct mx_attempt attempt = misnamed;
    struct mx_address address = {.named = &attempt};
    struct mx_host host = {.a = &found,
                           .aaaa = &none,
                           .tlsa = &found,
                           .addresses = &address,
                           .n_addresses = 1,
                           .records = &record,
                           .n_records = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        attempt.tlsa.verdict = rows[i].verdict;
        assert_int_equal(mx_host_dane_outcome(&host, "example"), rows[i].outcome);
        assert_int_equal(mx_host_sts_outcome(&host), MX_REFUSES);
    }
    attempt.tlsa.verdict = TLSA_AUTHENTICATED;
    attempt.tls_number = TLS1_1_VERSION;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_REFUSES);
    attempt.tlsa.verdict = TLSA_ENCRYPTED;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_ACCEPTS);
    attempt.strength.lacks_renegotiation = true;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_REFUSES);
    address.named = &unreachable;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_UNKNOWN);
    address.named = NULL;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_UNKNOWN);
    attempt = (struct mx_attempt){.end = SMTP_END_NO_STARTTLS, .stage = SMTP_EHLO};
    address.named = &attempt;
    assert_int_equal(mx_host_dane_outcome(&host, "example"), MX_REFUSES);
}

/* With usage 2 the certificate may name the domain that the mail is for. */
static void dane_takes_the_next_hop_for_a_name(void **state)
{
    static const struct tlsa_judgement good_chain = {.verdict = TLSA_AUTHENTICATED},
                                       bad_chain = {.verdict = TLSA_NOT_VALID};
    const struct pki_request request = {.common_name = "leaf", .names = "DNS:customer.example"};
    struct pki_identity *leaf = pki_issue(&request, "P-256", NULL);
    struct mx_attempt attempt = {.tlsa.verdict = TLSA_NOT_NAMED, .if_named = &good_chain};
    unsigned char *der = NULL;
    int len = i2d_X509(leaf->certificate, &der);

    (void)state;
    attempt.leaf = (struct slice){(char *)der, (size_t)len};
    assert_ptr_equal(mx_attempt_tlsa(&attempt, "customer.example"), &good_chain);
    assert_ptr_equal(mx_attempt_tlsa(&attempt, "other.example"), &attempt.tlsa);
    attempt.if_named = &bad_chain;
    assert_ptr_equal(mx_attempt_tlsa(&attempt, "customer.example"), &bad_chain);
    attempt.leaf.len = 0;
    assert_ptr_equal(mx_attempt_tlsa(&attempt, "customer.example"), &attempt.tlsa);
    OPENSSL_free(der);
    pki_free(leaf);
}

static void dane_keeps_mail_back_when_its_question_fails(void **state)
{
    static const struct {
        bool is_secure;
        enum dns_status tlsa;
        bool fails;
    } rows[] = {{true, DNS_BOGUS, true},
                {true, DNS_FAILED, true},
                {true, DNS_NODATA, false},
                {false, DNS_BOGUS, false},
                {false, DNS_FAILED, false}};
    struct mx_address address = {.named = &accepted};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dns_answer a = {.status = DNS_OK, .secure = rows[i].is_secure},
                          aaaa = {.status = DNS_NODATA, .secure = rows[i].is_secure},
                          tlsa = {.status = rows[i].tlsa};
        struct mx_host host = {
            .a = &a, .aaaa = &aaaa, .tlsa = &tlsa, .addresses = &address, .n_addresses = 1};
        assert_int_equal(mx_host_dane_fails(&host), rows[i].fails);
        assert_int_equal(mx_host_dane_outcome(&host, "example"),
                         rows[i].fails ? MX_REFUSES : MX_ACCEPTS);
        assert_int_equal(mx_host_sts_outcome(&host), MX_ACCEPTS);
    }
}

static void lists_each_key_once(void **state)
{
    static const struct mx_cert a_cert = {.key_sha256 = {1}}, b_cert = {.key_sha256 = {2}};
    static const struct mx_attempt a = {.cert = &a_cert}, b = {.cert = &b_cert};
    struct mx_address addresses[] = {
        {.named = &a}, {.named = &b}, {.named = &a}, {.named = &unreachable}, {.nameless = &b}};
    struct mx_host host = {.addresses = addresses};
    struct arena *arena = arena_new(0);
    const struct mx_key *keys;

    (void)state;
    assert_int_equal(mx_host_list_keys(&host, arena, &keys), 0);
    host.n_addresses = 5;
    assert_int_equal(mx_host_list_keys(&host, arena, &keys), 2);
    assert_memory_equal(keys[0].sha256, a_cert.key_sha256, 32);
    assert_memory_equal(keys[1].sha256, b_cert.key_sha256, 32);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_an_attempt_says),
        cmocka_unit_test(one_good_address_is_enough),
        cmocka_unit_test(tells_who_is_down),
        cmocka_unit_test(strength_decides_too),
        cmocka_unit_test(a_special_address_is_none),
        cmocka_unit_test(dns_decides_first),
        cmocka_unit_test(dane_is_judged_apart),
        cmocka_unit_test(dane_takes_the_next_hop_for_a_name),
        cmocka_unit_test(dane_keeps_mail_back_when_its_question_fails),
        cmocka_unit_test(lists_each_key_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
