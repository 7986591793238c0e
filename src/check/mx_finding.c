/* SPDX-License-Identifier: MIT */
#include "check/mx_finding.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/mx_host.h"
#include "check/smtp_reply.h"
#include "lib/base/err.h"
#include "lib/base/when.h"

enum {
    EXPIRING_S = 7 * 24 * 60 * 60, /* any client that renews by itself has done so before */
    SUBJECT_MAX = 1200,            /* a host's name as in zone files, and an address */
    REPLY_MAX = 420,               /* a reply, as mx_attempt has it, and its code */
};

/* One address, while it is reported on. */
struct address_report {
    const struct mx_host *host;
    const struct mx_address *address;
    const struct mx_attempt *attempt;
    const char *at;       /* "mx.example [192.0.2.1]" */
    const char *next_hop; /* the domain that the mail is for */
    int64_t now_unix_s;
    struct findings *findings;
};

static const char *attempt_print_reply(const struct mx_attempt *attempt, char buffer[REPLY_MAX])
{
    snprintf(buffer, REPLY_MAX, "%d %s", attempt->code, attempt->text);
    return buffer;
}

/* Why a connection has not even come to EHLO's end. Servers treat strangers so, and networks that
 * block port 25: whether other senders are treated the same is not known. */
static void report_untold(const struct address_report *report, enum check_finding unreachable)
{
    const struct mx_attempt *attempt = report->attempt;
    char reply[REPLY_MAX];

    if (attempt->end == SMTP_END_REFUSED)
        findings_add(report->findings, CHECK_SMTP_REFUSES_US, report->at, "%s is %s",
                     smtp_stage_text(attempt->stage), attempt_print_reply(attempt, reply));
    else if (attempt->end == SMTP_END_CLOSED)
        findings_add(report->findings, CHECK_SMTP_REFUSES_US, report->at,
                     "the server closes the connection instead of sending %s",
                     smtp_stage_text(attempt->stage));
    else if (attempt->stage != SMTP_CONNECT)
        findings_add(report->findings, CHECK_SMTP_REFUSES_US, report->at,
                     "%s has not come after %.1f seconds", smtp_stage_text(attempt->stage),
                     (double)attempt->took_ms / 1000.0);
    else if (attempt->end == SMTP_END_TIMEOUT)
        findings_add(report->findings, unreachable, report->at,
                     "port 25 takes no connection: no answer in %.1f seconds",
                     (double)attempt->took_ms / 1000.0);
    else
        findings_add(report->findings, unreachable, report->at, "port 25 takes no connection: %s",
                     strerror(attempt->sys_errno));
}

static void report_starttls(const struct address_report *report)
{
    const struct mx_attempt *attempt = report->attempt;
    char reply[REPLY_MAX];

    if (attempt->end == SMTP_END_REFUSED)
        findings_add(report->findings, CHECK_STARTTLS_REFUSED, report->at, "%s is %s",
                     smtp_stage_text(attempt->stage), attempt_print_reply(attempt, reply));
    else if (attempt->end == SMTP_END_TIMEOUT)
        findings_add(report->findings, CHECK_STARTTLS_REFUSED, report->at,
                     "%s has not come to its end after %.1f seconds",
                     smtp_stage_text(attempt->stage), (double)attempt->took_ms / 1000.0);
    else
        findings_add(report->findings, CHECK_STARTTLS_REFUSED, report->at,
                     "the server closes the connection before the end of %s",
                     smtp_stage_text(attempt->stage));
}

static void report_end(const struct address_report *report)
{
    const struct mx_attempt *attempt = report->attempt;
    const char *stage = smtp_stage_text(attempt->stage);

    switch (attempt->end) {
    case SMTP_END_NO_STARTTLS:
        findings_add(report->findings, CHECK_STARTTLS_MISSING, report->at,
                     "the reply to EHLO does not offer STARTTLS");
        break;
    case SMTP_END_BROKEN:
        findings_add(report->findings, CHECK_SMTP_BROKEN, report->at, "%s is no reply of SMTP: %s",
                     stage, attempt->text);
        break;
    case SMTP_END_TOO_LONG:
        if (attempt->stage == SMTP_HANDSHAKE)
            findings_add(report->findings, CHECK_STARTTLS_FAILED, report->at,
                         "the server sends more than %d octets in the TLS handshake",
                         SMTP_HANDSHAKE_MAX);
        else
            findings_add(report->findings, CHECK_SMTP_BROKEN, report->at,
                         "%s has more than %d lines or %d octets", stage, SMTP_LINES_MAX,
                         SMTP_OCTETS_MAX);
        break;
    case SMTP_END_UNASKED:
        findings_add(report->findings,
                     attempt->stage == SMTP_STARTTLS ? CHECK_STARTTLS_PLAINTEXT : CHECK_SMTP_BROKEN,
                     report->at, "the server sends more than %s before it is asked", stage);
        break;
    case SMTP_END_TLS:
        findings_add(report->findings, CHECK_STARTTLS_FAILED, report->at,
                     "the TLS handshake fails: %s", attempt->fault);
        break;
    default:
        report_starttls(report);
        break;
    }
}

static void report_chain(const struct address_report *report)
{
    const struct mx_cert *cert = report->attempt->cert;
    struct findings *findings = report->findings;

    if (cert->faults & MX_CERT_SELF_SIGNED)
        findings_add(findings, CHECK_MX_CERT_SELF_SIGNED, report->at,
                     "the certificate is self-signed");
    if (cert->faults & MX_CERT_INCOMPLETE)
        findings_add(findings, CHECK_MX_CERT_CHAIN, report->at,
                     "the certificate comes without that of its issuer, %s", cert->issuer);
    if (cert->faults & MX_CERT_WEAK)
        findings_add(findings, CHECK_MX_CERT_WEAK, report->at, "the certificate is refused: %s",
                     cert->weakness);
    else if (cert->small_key_bits > 0)
        findings_add(findings, CHECK_MX_CERT_KEY_SMALL, report->at,
                     "a key of the certificate or of its issuers has %d bits",
                     cert->small_key_bits);
    if (cert->must_staple && !report->attempt->strength.has_staple)
        findings_add(findings, CHECK_MX_CERT_STAPLE, report->at,
                     "the certificate demands a stapled OCSP answer, and the server sends none");
    if (cert->faults & (MX_CERT_UNTRUSTED | MX_CERT_OTHER))
        findings_add(findings, CHECK_MX_CERT_UNTRUSTED, report->at,
                     "the certificate is refused: %s; issued by %s", cert->words, cert->issuer);
}

static void report_certificate(const struct address_report *report)
{
    const struct mx_cert *cert = report->attempt->cert;
    struct findings *findings = report->findings;
    char date[WHEN_SIZE];

    when_date(cert->ends_unix_s, date);
    if (cert->is_named_in_subject)
        findings_add(findings, CHECK_MX_CERT_NAME, report->at,
                     "the certificate names the host in its subject alone, not in its SAN");
    else if (cert->faults & MX_CERT_NAME)
        findings_add(findings, CHECK_MX_CERT_NAME, report->at, "the certificate names %s",
                     cert->names[0] ? cert->names : "no host");
    if (cert->faults & MX_CERT_EXPIRED)
        findings_add(findings, CHECK_MX_CERT_EXPIRED, report->at, "the certificate has expired: %s",
                     date);
    else if (cert->ends_unix_s < report->now_unix_s + EXPIRING_S)
        findings_add(findings, CHECK_MX_CERT_EXPIRING, report->at, "the certificate expires: %s",
                     date);
    if (cert->faults & MX_CERT_NOT_YET_VALID)
        findings_add(findings, CHECK_MX_CERT_NOT_YET_VALID, report->at,
                     "the certificate is valid from %s", when_date(cert->starts_unix_s, date));
    report_chain(report);
}

/* What a sender sees that asks for no name in the handshake, beside one that does. */
static void report_sni(const struct address_report *report)
{
    const struct mx_attempt *nameless = report->address->nameless;
    enum mx_outcome named = mx_attempt_sts_outcome(report->attempt),
                    without = mx_attempt_sts_outcome(nameless);

    if (nameless == NULL || named == without || without == MX_UNKNOWN)
        return;
    if (without == MX_ACCEPTS)
        findings_add(report->findings, CHECK_SNI_BREAKS, report->at,
                     "without a server name (SNI) in the handshake, TLS and certificate are good");
    else if (nameless->end != SMTP_END_SECURED)
        findings_add(report->findings, CHECK_SNI_NEEDED, report->at,
                     "without a server name (SNI) in the handshake, there is no TLS: %s",
                     nameless->end == SMTP_END_TLS ? nameless->fault : "the connection ends");
    else if (nameless->cert)
        findings_add(report->findings, CHECK_SNI_CERTIFICATE, report->at,
                     "without a server name (SNI) in the handshake, the certificate names %s%s%s",
                     nameless->cert->names[0] ? nameless->cert->names : "no host",
                     *nameless->cert->words ? ", and is refused: " : "", nameless->cert->words);
}

static void report_tlsa(const struct address_report *report)
{
    const struct mx_attempt *attempt = report->attempt;
    const struct tlsa_judgement *tlsa = mx_attempt_tlsa(attempt, report->next_hop);
    const char *name = report->host->tlsa_name;

    if (attempt->cert == NULL) {
        findings_add(report->findings, CHECK_TLSA_WITHOUT_TLS, report->at,
                     "%s has TLSA records, and the server has no working TLS", name);
        return;
    }
    if (tlsa->verdict == TLSA_AUTHENTICATED && attempt->tls_number < TLS1_2_VERSION)
        findings_add(report->findings, CHECK_TLSA_WITHOUT_TLS, report->at,
                     "%s has TLSA records, and the server speaks %s and nothing newer", name,
                     attempt->tls_version);
    switch (tlsa->verdict) {
    case TLSA_NO_MATCH:
        findings_add(report->findings, CHECK_TLSA_MISMATCH, report->at,
                     "none of the TLSA records at %s matches the certificate", name);
        break;
    case TLSA_NOT_NAMED:
        findings_add(report->findings, CHECK_TLSA_NAME, report->at,
                     "a TLSA record with usage 2 matches, but the certificate names %s",
                     attempt->cert->names[0] ? attempt->cert->names : "no host");
        break;
    case TLSA_NOT_VALID:
        findings_add(report->findings, CHECK_TLSA_CHAIN, report->at,
                     "a TLSA record with usage 2 matches, but the certificate is refused: %s",
                     tlsa->words);
        break;
    case TLSA_AUTHENTICATED:
    case TLSA_ENCRYPTED:
        break;
    }
    for (size_t i = 0; tlsa->verdict == TLSA_AUTHENTICATED && i < report->host->n_records; i++) {
        char text[TLSA_TEXT_MAX];
        if (tlsa->lacking & UINT64_C(1) << i)
            findings_add(report->findings, CHECK_TLSA_COMBINATION, report->at,
                         "the TLSA record '%s' does not match the certificate, nor does any other "
                         "with the same numbers",
                         tlsa_print(&report->host->records[i], text));
    }
}

/* What goes well with OpenSSL at its most lenient, and not with senders that are stricter. */
static void report_strength(const struct address_report *report)
{
    const struct smtp_strength *strength = &report->attempt->strength;
    const struct mx_attempt *narrow = report->address->narrow;

    if (strength->lacks_renegotiation)
        findings_add(report->findings, CHECK_SMTP_TLS_WEAK, report->at,
                     "the server does not know secure renegotiation (RFC 5746)");
    if (strength->signs_sha1)
        findings_add(report->findings, CHECK_SMTP_TLS_WEAK, report->at,
                     "the server signs its key exchange with SHA-1");
    if (strength->dh_bits > 0 && strength->dh_bits < SMTP_DH_BITS_MIN)
        findings_add(report->findings, CHECK_SMTP_DH_SMALL, report->at,
                     "the server takes %s with a Diffie-Hellman group of %d bits", strength->suite,
                     strength->dh_bits);
    if (narrow && narrow->stage == SMTP_HANDSHAKE && narrow->end != SMTP_END_SECURED)
        findings_add(report->findings, CHECK_SMTP_CIPHERS_OLD, report->at,
                     "the server takes %s, and offers no cipher suite with ECDHE and AEAD",
                     strength->suite);
}

static void report_attempt(const struct address_report *report)
{
    const struct mx_attempt *attempt = report->attempt;

    if (attempt->end != SMTP_END_SECURED)
        report_end(report);
    else if (attempt->tls_number < TLS1_2_VERSION)
        findings_add(report->findings, CHECK_SMTP_TLS_OLD, report->at,
                     "the server speaks %s and nothing newer", attempt->tls_version);
    if (attempt->cert)
        report_certificate(report);
    report_strength(report);
    report_sni(report);
    if (mx_host_has_dane(report->host))
        report_tlsa(report);
}

static void report_address(const struct mx_host *host, const struct mx_address *address,
                           const char *next_hop, int64_t now_unix_s, struct findings *findings)
{
    char at[SUBJECT_MAX];
    const struct address_report report = {
        .host = host,
        .address = address,
        .attempt = address->named,
        .at = at,
        .next_hop = next_hop,
        .now_unix_s = now_unix_s,
        .findings = findings,
    };

    snprintf(at, sizeof(at), "%s [%s]", host->name, address->text);
    if (address->special)
        findings_add(findings, CHECK_ADDRESS_SPECIAL, at, "this is %s", address->special);
    else if (address->named == NULL)
        findings_add(findings, CHECK_SMTP_UNTRIED, at,
                     "the address was not tried: the time for the host was over");
    else if (mx_attempt_is_unrouted(address->named))
        findings_add(findings, CHECK_ADDRESS_NOT_ROUTED, at,
                     "this machine has no way to the address: %s",
                     strerror(address->named->sys_errno));
    else if (mx_attempt_is_untold(address->named))
        report_untold(&report,
                      mx_host_is_reached(host) ? CHECK_SMTP_ADDRESS_DOWN : CHECK_SMTP_UNREACHABLE);
    else
        report_attempt(&report);
}

static void report_dns(const struct mx_host *host, struct findings *findings)
{
    const struct dns_answer *bogus = host->a->status == DNS_BOGUS      ? host->a
                                     : host->aaaa->status == DNS_BOGUS ? host->aaaa
                                                                       : NULL;
    const struct dns_answer *failed = host->a->status == DNS_FAILED      ? host->a
                                      : host->aaaa->status == DNS_FAILED ? host->aaaa
                                                                         : NULL;
    char quoted[ERR_QUOTE_MAX];

    if (bogus)
        findings_add(findings, CHECK_MX_HOST_BOGUS, host->name,
                     "DNSSEC refuses the addresses of the host: %s", bogus->why);
    else if (failed)
        findings_add(findings, CHECK_MX_HOST_FAILED, host->name,
                     "no answer for the addresses of the host: %s", failed->why);
    else if (host->n_addresses == 0)
        findings_add(findings, CHECK_MX_HOST_MISSING, host->name, "the host has no address");
    if (strcmp(host->canonical, host->name) != 0)
        findings_add(findings, CHECK_MX_CNAME, host->name, "the host is a CNAME to %s",
                     err_quote(quoted, sizeof(quoted), slice_of(host->canonical)));
    if (host->n_left_out > 0)
        findings_add(findings, CHECK_SMTP_UNTRIED, host->name,
                     "the host has %zu addresses, of which %d are tried",
                     host->n_addresses + host->n_left_out, MX_ADDRESSES_MAX);
}

static void report_records(const struct mx_host *host, struct findings *findings)
{
    char text[TLSA_TEXT_MAX];
    bool is_failed =
        host->tlsa && (host->tlsa->status == DNS_BOGUS || host->tlsa->status == DNS_FAILED);

    if (is_failed && mx_host_dane_fails(host))
        findings_add(findings, CHECK_TLSA_FAILED, host->name,
                     "no answer for TLSA records at %s: %s", host->tlsa_name, host->tlsa->why);
    else if (host->tlsa && host->tlsa->status == DNS_OK && host->n_records == 0)
        findings_add(findings, CHECK_TLSA_INSECURE, host->name,
                     "there are TLSA records at %s, but DNSSEC does not secure %s", host->tlsa_name,
                     host->tlsa->secure ? "the host's addresses" : "them");
    if (host->n_records > 0 && host->n_records_left_out > 0)
        findings_add(findings, CHECK_TOO_MANY_RECORDS, host->name,
                     "there are %zu TLSA records at %s, of which %d are looked at",
                     host->n_records + host->n_records_left_out, host->tlsa_name, TLSA_RECORDS_MAX);
    for (size_t i = 0; i < host->n_records; i++)
        if (host->records[i].use != TLSA_USABLE)
            findings_add(findings, CHECK_TLSA_UNUSABLE, host->name, "the TLSA record '%s' %s",
                         tlsa_print(&host->records[i], text), tlsa_use_text(host->records[i].use));
}

void mx_host_report(const struct mx_host *host, const char *next_hop, int64_t now_unix_s,
                    struct findings *findings)
{
    report_dns(host, findings);
    report_records(host, findings);
    for (size_t i = 0; i < host->n_addresses; i++)
        report_address(host, &host->addresses[i], next_hop, now_unix_s, findings);
}
