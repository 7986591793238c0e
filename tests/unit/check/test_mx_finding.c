/* SPDX-License-Identifier: MIT */
#include "check/mx_finding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/mx_host.h"

enum { NOW_UNIX_S = 1800000000, DAY_S = 24 * 60 * 60 }; /* 2027-01-15 */

static const struct dns_answer found = {.status = DNS_OK, .why = ""},
                               none = {.status = DNS_NODATA, .why = ""},
                               secure = {.status = DNS_OK, .secure = true, .why = ""},
                               secure_none = {.status = DNS_NODATA, .secure = true, .why = ""},
                               bogus = {.status = DNS_BOGUS, .why = "no signature"},
                               failed = {.status = DNS_FAILED, .why = "SERVFAIL"};

#define CERT                                                                                  \
    .words = "", .starts_unix_s = NOW_UNIX_S - DAY_S, .ends_unix_s = NOW_UNIX_S + 60 * DAY_S, \
    .names = "'mx.example'", .issuer = "'CN=authority'"

static const struct mx_cert good_cert = {CERT};
static const struct mx_attempt good = {.end = SMTP_END_SECURED,
                                       .stage = SMTP_HANDSHAKE,
                                       .code = 220,
                                       .text = "'go'",
                                       .fault = "",
                                       .tls_version = "TLSv1.3",
                                       .tls_number = TLS1_3_VERSION,
                                       .cert = &good_cert};

/* "code subject: text" of each finding, a line each. */
static const char *reported(const struct mx_host *host)
{
    static char text[4096];
    struct findings *findings = findings_new();
    size_t len = 0;

    text[0] = '\0';
    mx_host_report(host, "example", NOW_UNIX_S, findings);
    for (size_t i = 0; i < findings_count(findings); i++) {
        const struct seen_finding *seen = findings_at(findings, i);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s: %s", i > 0 ? "\n" : "",
                                check_row_of(seen->finding)->code, seen->subject, seen->text);
    }
    findings_free(findings);
    return text;
}

static struct mx_host host_of(struct mx_address *addresses, size_t n_addresses)
{
    for (size_t i = 0; i < n_addresses; i++)
        snprintf(addresses[i].text, sizeof(addresses[i].text), "192.0.2.%zu", i + 1);
    return (struct mx_host){.name = "mx.example",
                            .canonical = "mx.example",
                            .a = &found,
                            .aaaa = &none,
                            .tlsa = &none,
                            .tlsa_name = "_25._tcp.mx.example",
                            .addresses = addresses,
                            .n_addresses = n_addresses};
}

static const char *reported_attempt(const struct mx_attempt *named,
                                    const struct mx_attempt *nameless)
{
    struct mx_address address = {.named = named, .nameless = nameless};
    struct mx_host host = host_of(&address, 1);

    return reported(&host);
}

static void says_nothing_of_a_good_host(void **state)
{
    (void)state;
    assert_string_equal(reported_attempt(&good, &good), "");
}

static void says_how_a_connection_ended(void **state)
{
    static const struct {
        struct mx_attempt attempt;
        const char *want;
    } rows[] = {
        {{.end = SMTP_END_UNREACHABLE, .stage = SMTP_CONNECT, .sys_errno = ECONNREFUSED},
         "smtp-unreachable mx.example [192.0.2.1]: port 25 takes no connection: Connection "
         "refused"},
        {{.end = SMTP_END_UNREACHABLE, .stage = SMTP_CONNECT, .sys_errno = ENETUNREACH},
         "address-not-routed mx.example [192.0.2.1]: this machine has no way to the address: "
         "Network is unreachable"},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_CONNECT, .took_ms = 10000},
         "smtp-unreachable mx.example [192.0.2.1]: port 25 takes no connection: no answer in 10.0 "
         "seconds"},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_GREETING, .took_ms = 1500},
         "smtp-refuses-us mx.example [192.0.2.1]: the greeting has not come after 1.5 seconds"},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_GREETING, .code = 554, .text = "'no'"},
         "smtp-refuses-us mx.example [192.0.2.1]: the greeting is 554 'no'"},
        {{.end = SMTP_END_CLOSED, .stage = SMTP_EHLO},
         "smtp-refuses-us mx.example [192.0.2.1]: the server closes the connection instead of "
         "sending the reply to EHLO"},
        {{.end = SMTP_END_NO_STARTTLS, .stage = SMTP_EHLO},
         "starttls-missing mx.example [192.0.2.1]: the reply to EHLO does not offer STARTTLS"},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_EHLO, .code = 502, .text = "'no'"},
         "starttls-refused mx.example [192.0.2.1]: the reply to EHLO is 502 'no'"},
        {{.end = SMTP_END_REFUSED, .stage = SMTP_STARTTLS, .code = 454, .text = "'no'"},
         "starttls-refused mx.example [192.0.2.1]: the reply to STARTTLS is 454 'no'"},
        {{.end = SMTP_END_TIMEOUT, .stage = SMTP_HANDSHAKE, .took_ms = 1500},
         "starttls-refused mx.example [192.0.2.1]: the TLS handshake has not come to its end after "
         "1.5 seconds"},
        {{.end = SMTP_END_CLOSED, .stage = SMTP_HANDSHAKE},
         "starttls-refused mx.example [192.0.2.1]: the server closes the connection before the end "
         "of the TLS handshake"},
        {{.end = SMTP_END_BROKEN, .stage = SMTP_GREETING, .text = "'SSH-2.0'"},
         "smtp-broken mx.example [192.0.2.1]: the greeting is no reply of SMTP: 'SSH-2.0'"},
        {{.end = SMTP_END_TOO_LONG, .stage = SMTP_GREETING},
         "smtp-broken mx.example [192.0.2.1]: the greeting has more than 100 lines or 65536 "
         "octets"},
        {{.end = SMTP_END_UNASKED, .stage = SMTP_EHLO},
         "smtp-broken mx.example [192.0.2.1]: the server sends more than the reply to EHLO before "
         "it is asked"},
        {{.end = SMTP_END_UNASKED, .stage = SMTP_STARTTLS},
         "starttls-plaintext mx.example [192.0.2.1]: the server sends more than the reply to "
         "STARTTLS before it is asked"},
        {{.end = SMTP_END_TLS, .stage = SMTP_HANDSHAKE, .fault = "no shared cipher"},
         "starttls-failed mx.example [192.0.2.1]: the TLS handshake fails: no shared cipher"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(reported_attempt(&rows[i].attempt, NULL), rows[i].want) != 0)
            fail_msg("row %zu: expected <%s>, found <%s>", i, rows[i].want,
                     reported_attempt(&rows[i].attempt, NULL));
}

static void says_what_is_wrong_with_a_certificate(void **state)
{
    static const struct {
        struct mx_cert cert;
        const char *want;
    } rows[] = {
        {{CERT, .faults = MX_CERT_NAME},
         "mx-cert-name mx.example [192.0.2.1]: the certificate names 'mx.example'"},
        {{CERT, .faults = MX_CERT_NAME, .is_named_in_subject = true},
         "mx-cert-name mx.example [192.0.2.1]: the certificate names the host in its subject "
         "alone, not in its SAN"},
        {{CERT, .faults = MX_CERT_SELF_SIGNED},
         "mx-cert-self-signed mx.example [192.0.2.1]: the certificate is self-signed"},
        {{CERT, .faults = MX_CERT_INCOMPLETE},
         "mx-cert-chain mx.example [192.0.2.1]: the certificate comes without that of its issuer, "
         "'CN=authority'"},
        {{CERT, .faults = MX_CERT_UNTRUSTED},
         "mx-cert-untrusted mx.example [192.0.2.1]: the certificate is refused: ; issued by "
         "'CN=authority'"},
        {{.words = "", .faults = MX_CERT_EXPIRED, .ends_unix_s = NOW_UNIX_S - DAY_S},
         "mx-cert-expired mx.example [192.0.2.1]: the certificate has expired: 14 January 2027, "
         "08:00 UTC"},
        {{.words = "", .ends_unix_s = NOW_UNIX_S + 7 * DAY_S - 1},
         "mx-cert-expiring mx.example [192.0.2.1]: the certificate expires: 22 January 2027, 08:00 "
         "UTC"},
        {{.words = "", .ends_unix_s = NOW_UNIX_S + 7 * DAY_S}, ""},
        {{CERT, .faults = MX_CERT_NOT_YET_VALID},
         "mx-cert-not-yet-valid mx.example [192.0.2.1]: the certificate is valid from 14 January "
         "2027, 08:00 UTC"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mx_attempt attempt = good;
        attempt.cert = &rows[i].cert;
        if (strcmp(reported_attempt(&attempt, NULL), rows[i].want) != 0)
            fail_msg("row %zu: expected <%s>, found <%s>", i, rows[i].want,
                     reported_attempt(&attempt, NULL));
    }
}

static void says_what_stricter_senders_refuse(void **state)
{
    static const struct mx_cert small = {CERT, .small_key_bits = 1024},
                                weak = {CERT, .faults = MX_CERT_WEAK,
                                        .weakness = "EE certificate key too weak",
                                        .small_key_bits = 512},
                                stapled = {CERT, .must_staple = true};
    static const struct {
        const struct mx_cert *cert;
        struct smtp_strength strength;
        enum smtp_end narrow; /* SMTP_END_UNREACHABLE: not tried */
        const char *want;
    } rows[] = {
        {&small,
         {0},
         SMTP_END_UNREACHABLE,
         "mx-cert-key-small mx.example [192.0.2.1]: a key of the certificate or of its issuers has "
         "1024 bits"},
        {&weak,
         {0},
         SMTP_END_UNREACHABLE,
         "mx-cert-weak mx.example [192.0.2.1]: the certificate is refused: EE certificate key too "
         "weak"},
        {&stapled,
         {0},
         SMTP_END_UNREACHABLE,
         "mx-cert-staple mx.example [192.0.2.1]: the certificate demands a stapled OCSP answer, "
         "and the server sends none"},
        {&stapled, {.has_staple = true}, SMTP_END_UNREACHABLE, ""},
        {&good_cert,
         {.lacks_renegotiation = true},
         SMTP_END_UNREACHABLE,
         "smtp-tls-weak mx.example [192.0.2.1]: the server does not know secure renegotiation (RFC "
         "5746)"},
        {&good_cert,
         {.signs_sha1 = true},
         SMTP_END_UNREACHABLE,
         "smtp-tls-weak mx.example [192.0.2.1]: the server signs its key exchange with SHA-1"},
        {&good_cert,
         {.suite = "DHE", .is_old_suite = true, .dh_bits = 1024},
         SMTP_END_SECURED,
         "smtp-dh-small mx.example [192.0.2.1]: the server takes DHE with a Diffie-Hellman group "
         "of 1024 bits"},
        {&good_cert, {.suite = "DHE", .is_old_suite = true, .dh_bits = 2048}, SMTP_END_SECURED, ""},
        {&good_cert,
         {.suite = "DHE", .is_old_suite = true, .dh_bits = 2048},
         SMTP_END_TLS,
         "smtp-ciphers-old mx.example [192.0.2.1]: the server takes DHE, and offers no cipher "
         "suite with ECDHE and AEAD"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mx_attempt named = good, narrow = {.end = rows[i].narrow, .stage = SMTP_HANDSHAKE};
        struct mx_address address = {.named = &named, .nameless = &named};
        struct mx_host host = host_of(&address, 1);

        named.cert = rows[i].cert;
        named.strength = rows[i].strength;
        address.narrow = rows[i].narrow == SMTP_END_UNREACHABLE ? NULL : &narrow;
        if (strcmp(reported(&host), rows[i].want) != 0)
            fail_msg("row %zu: expected <%s>, found <%s>", i, rows[i].want, reported(&host));
    }
}

/* A server that has enough of us says nothing on its suites. */
static void an_attempt_that_is_turned_away_says_nothing(void **state)
{
    static const struct mx_attempt busy = {
        .end = SMTP_END_REFUSED, .stage = SMTP_GREETING, .code = 421, .text = ""};
    struct mx_attempt named = good;
    struct mx_address address = {.named = &named, .nameless = &named, .narrow = &busy};
    struct mx_host host = host_of(&address, 1);

    (void)state;
    named.strength = (struct smtp_strength){.suite = "DHE", .is_old_suite = true};
    assert_string_equal(reported(&host), "");
}

static void says_what_the_server_name_changes(void **state)
{
    static const struct mx_cert other_cert = {
        .words = "self-signed certificate",
        .faults = MX_CERT_NAME | MX_CERT_SELF_SIGNED,
        .ends_unix_s = NOW_UNIX_S + 60 * DAY_S,
        .names = "'other.example'",
    };
    static const struct mx_attempt refused = {.end = SMTP_END_TLS,
                                              .stage = SMTP_HANDSHAKE,
                                              .fault = "unrecognized name"},
                                   later = {.end = SMTP_END_REFUSED,
                                            .stage = SMTP_GREETING,
                                            .code = 421,
                                            .text = ""};
    struct mx_attempt other = good, old = good;

    (void)state;
    other.cert = &other_cert;
    assert_string_equal(reported_attempt(&good, &refused),
                        "sni-needed mx.example [192.0.2.1]: without a server name (SNI) in the "
                        "handshake, there is no TLS: unrecognized name");
    assert_string_equal(
        reported_attempt(&good, &other),
        "sni-certificate mx.example [192.0.2.1]: without a server name (SNI) in the "
        "handshake, the certificate names 'other.example', and is refused: "
        "self-signed certificate");
    assert_string_equal(reported_attempt(&refused, &good),
                        "starttls-failed mx.example [192.0.2.1]: the TLS handshake fails: "
                        "unrecognized name\n"
                        "sni-breaks mx.example [192.0.2.1]: without a server name (SNI) in the "
                        "handshake, TLS and certificate are good");
    assert_string_equal(reported_attempt(&good, &later), "");
    old.tls_number = TLS1_1_VERSION;
    old.tls_version = "TLSv1.1";
    assert_string_equal(reported_attempt(&old, &old),
                        "smtp-tls-old mx.example [192.0.2.1]: the server speaks TLSv1.1 and "
                        "nothing newer");
}

/* An address that is down matters less where others are up. */
static void looks_at_all_addresses(void **state)
{
    static const struct mx_attempt down = {
        .end = SMTP_END_UNREACHABLE, .stage = SMTP_CONNECT, .sys_errno = ECONNREFUSED};
    struct mx_address addresses[] = {{.named = &good}, {.named = &down}};
    struct mx_host host = host_of(addresses, 2);

    (void)state;
    assert_string_equal(reported(&host), "smtp-address-down mx.example [192.0.2.2]: port 25 takes "
                                         "no connection: Connection refused");
    addresses[1] = (struct mx_address){.special = "a private address"};
    host = host_of(addresses, 2);
    assert_string_equal(reported(&host),
                        "address-special mx.example [192.0.2.2]: this is a private "
                        "address");
    addresses[1] = (struct mx_address){0};
    host = host_of(addresses, 2);
    host.has_run_out = true;
    host.n_left_out = 3;
    assert_string_equal(reported(&host),
                        "smtp-untried mx.example: the host has 5 addresses, of which 16 are tried\n"
                        "smtp-untried mx.example [192.0.2.2]: the address was not tried: the time "
                        "for the host was over");
}

static void says_what_dns_does(void **state)
{
    static const struct {
        const struct dns_answer *a, *aaaa;
        const char *want;
    } rows[] = {
        {&none, &none, "mx-host-missing mx.example: the host has no address"},
        {&bogus, &none,
         "mx-host-bogus mx.example: DNSSEC refuses the addresses of the host: no signature"},
        {&none, &failed,
         "mx-host-failed mx.example: no answer for the addresses of the host: SERVFAIL"},
        {&failed, &bogus,
         "mx-host-bogus mx.example: DNSSEC refuses the addresses of the host: no signature"},
    };
    struct mx_host host = host_of(NULL, 0);
    struct mx_address address = {.named = &good};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        host.a = rows[i].a;
        host.aaaa = rows[i].aaaa;
        assert_string_equal(reported(&host), rows[i].want);
    }
    host = host_of(&address, 1);
    host.canonical = "a\x1b.example";
    assert_string_equal(reported(&host), "mx-cname mx.example: the host is a CNAME to "
                                         "'a\\x1b.example'");
}

static void says_what_dane_senders_find(void **state)
{
    static const struct {
        enum tlsa_verdict verdict;
        uint64_t lacking;
        const char *want;
    } rows[] = {
        {TLSA_AUTHENTICATED, 0, ""},
        {TLSA_ENCRYPTED, 0, ""},
        {TLSA_NO_MATCH, 1,
         "tlsa-mismatch mx.example [192.0.2.1]: none of the TLSA records at _25._tcp.mx.example "
         "matches the certificate"},
        {TLSA_NOT_NAMED, 0,
         "tlsa-name mx.example [192.0.2.1]: a TLSA record with usage 2 matches, but the "
         "certificate names 'mx.example'"},
        {TLSA_NOT_VALID, 0,
         "tlsa-chain mx.example [192.0.2.1]: a TLSA record with usage 2 matches, but the "
         "certificate is refused: expired"},
        {TLSA_AUTHENTICATED, 2,
         "tlsa-combination mx.example [192.0.2.1]: the TLSA record '2 1 1 61' does not match the "
         "certificate, nor does any other with the same numbers"},
    };
    struct tlsa_record records[] = {
        {.usage = 3, .selector = 1, .matching = 1, .data = {"a", 1}},
        {.usage = 2, .selector = 1, .matching = 1, .data = {"a", 1}},
    };
    struct mx_attempt attempt = good;
    struct mx_address address = {.named = &attempt};
    struct mx_host host = host_of(&address, 1);

    (void)state;
    host.a = host.tlsa = &secure;
    host.aaaa = &secure_none;
    host.records = records;
    host.n_records = 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        attempt.tlsa = (struct tlsa_judgement){
            .verdict = rows[i].verdict, .words = "expired", .lacking = rows[i].lacking};
        assert_string_equal(reported(&host), rows[i].want);
    }
    records[1].use = TLSA_BAD_USAGE;
    records[1].usage = 1;
    attempt = (struct mx_attempt){.end = SMTP_END_NO_STARTTLS, .stage = SMTP_EHLO};
    assert_string_equal(reported(&host),
                        "tlsa-unusable mx.example: the TLSA record '1 1 1 61' has a usage that "
                        "SMTP does not have (expected 2 or 3)\n"
                        "starttls-missing mx.example [192.0.2.1]: the reply to EHLO does not offer "
                        "STARTTLS\n"
                        "tlsa-without-tls mx.example [192.0.2.1]: _25._tcp.mx.example has TLSA "
                        "records, and the server has no working TLS");
}

static void says_why_dane_does_not_apply(void **state)
{
    struct mx_address address = {.named = &good};
    struct mx_host host = host_of(&address, 1);

    (void)state;
    host.tlsa = &found;
    assert_string_equal(reported(&host), "tlsa-insecure mx.example: there are TLSA records at "
                                         "_25._tcp.mx.example, but DNSSEC does not secure them");
    host.tlsa = &secure;
    assert_string_equal(reported(&host),
                        "tlsa-insecure mx.example: there are TLSA records at _25._tcp.mx.example, "
                        "but DNSSEC does not secure the host's addresses");
    host.tlsa = &failed;
    assert_string_equal(reported(&host), ""); /* nobody asks, since the addresses are not secure */
    host.a = &secure;
    host.aaaa = &secure_none;
    assert_string_equal(reported(&host), "tlsa-failed mx.example: no answer for TLSA records at "
                                         "_25._tcp.mx.example: SERVFAIL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_of_a_good_host),
        cmocka_unit_test(says_how_a_connection_ended),
        cmocka_unit_test(says_what_is_wrong_with_a_certificate),
        cmocka_unit_test(says_what_stricter_senders_refuse),
        cmocka_unit_test(an_attempt_that_is_turned_away_says_nothing),
        cmocka_unit_test(says_what_the_server_name_changes),
        cmocka_unit_test(looks_at_all_addresses),
        cmocka_unit_test(says_what_dns_does),
        cmocka_unit_test(says_what_dane_senders_find),
        cmocka_unit_test(says_why_dane_does_not_apply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
