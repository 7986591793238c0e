/* SPDX-License-Identifier: MIT */
#include "check/mx_host.h"

#include <errno.h>
#include <string.h>

#include <openssl/ssl.h>

#include "check/dns_source.h"
#include "lib/base/arena.h"

bool mx_attempt_is_unrouted(const struct mx_attempt *attempt)
{
    return attempt->end == SMTP_END_UNREACHABLE &&
           (attempt->sys_errno == ENETUNREACH || attempt->sys_errno == EAFNOSUPPORT ||
            attempt->sys_errno == EADDRNOTAVAIL || attempt->sys_errno == EACCES);
}

bool mx_attempt_is_untold(const struct mx_attempt *attempt)
{
    switch (attempt->end) {
    case SMTP_END_UNREACHABLE:
        return true;
    case SMTP_END_TIMEOUT:
    case SMTP_END_CLOSED:
        return attempt->stage <= SMTP_EHLO; /* tarpits and firewalls do that to strangers */
    case SMTP_END_REFUSED:
        /* 500 to 504: the command is not known, which is no matter of who we are */
        return attempt->stage <= SMTP_EHLO && (attempt->code < 500 || attempt->code > 504);
    default:
        return false;
    }
}

enum mx_outcome mx_attempt_sts_outcome(const struct mx_attempt *attempt)
{
    if (attempt == NULL || mx_attempt_is_untold(attempt))
        return MX_UNKNOWN;
    if (attempt->end != SMTP_END_SECURED || attempt->cert == NULL || attempt->cert->faults != 0 ||
        attempt->tls_number < TLS1_2_VERSION || smtp_strength_is_refused(&attempt->strength))
        return MX_REFUSES;
    return MX_ACCEPTS;
}

bool mx_host_is_reached(const struct mx_host *host)
{
    for (size_t i = 0; i < host->n_addresses; i++)
        if (host->addresses[i].named && host->addresses[i].named->stage > SMTP_CONNECT)
            return true;
    return false;
}

bool mx_host_is_down(const struct mx_host *host)
{
    for (size_t i = 0; i < host->n_addresses; i++) {
        const struct mx_attempt *attempt = host->addresses[i].named;
        if (attempt == NULL || attempt->stage > SMTP_CONNECT || mx_attempt_is_unrouted(attempt))
            return false;
    }
    return host->n_addresses > 0;
}

bool mx_host_is_secure(const struct mx_host *host)
{
    return host->a->secure && host->aaaa->secure;
}

bool mx_host_has_dane(const struct mx_host *host)
{
    return host->n_records > 0;
}

bool mx_host_dane_fails(const struct mx_host *host)
{
    return host->a->status == DNS_BOGUS || host->aaaa->status == DNS_BOGUS ||
           (mx_host_is_secure(host) && host->tlsa &&
            (host->tlsa->status == DNS_BOGUS || host->tlsa->status == DNS_FAILED));
}

bool mx_host_follows_dane(const struct mx_host *host)
{
    return mx_host_has_dane(host) || mx_host_dane_fails(host);
}

const struct tlsa_judgement *mx_attempt_tlsa(const struct mx_attempt *attempt, const char *next_hop)
{
    return attempt->tlsa.verdict == TLSA_NOT_NAMED && mx_cert_names(attempt->leaf, next_hop)
               ? attempt->if_named
               : &attempt->tlsa;
}

enum mx_outcome mx_attempt_dane_outcome(const struct mx_host *host,
                                        const struct mx_attempt *attempt, const char *next_hop)
{
    if (!mx_host_has_dane(host))
        return MX_ACCEPTS;
    if (attempt == NULL || mx_attempt_is_untold(attempt))
        return MX_UNKNOWN;
    if (attempt->end != SMTP_END_SECURED || attempt->cert == NULL ||
        smtp_strength_is_refused(&attempt->strength))
        return MX_REFUSES;
    switch (mx_attempt_tlsa(attempt, next_hop)->verdict) {
    case TLSA_ENCRYPTED:
        return MX_ACCEPTS;
    case TLSA_AUTHENTICATED: /* OpenSSL 3 has no older TLS for one who authenticates */
        return attempt->tls_number < TLS1_2_VERSION ? MX_REFUSES : MX_ACCEPTS;
    default:
        return MX_REFUSES;
    }
}

/* A sender tries one address after the other. */
static enum mx_outcome outcome_join(enum mx_outcome a, enum mx_outcome b)
{
    if (a == MX_ACCEPTS || b == MX_ACCEPTS)
        return MX_ACCEPTS;
    return a == MX_REFUSES || b == MX_REFUSES ? MX_REFUSES : MX_UNKNOWN;
}

/* What follows from DNS alone, before any address is tried; MX_ACCEPTS: nothing does. */
static enum mx_outcome host_dns_outcome(const struct mx_host *host)
{
    if (host->a->status == DNS_BOGUS || host->aaaa->status == DNS_BOGUS)
        return MX_REFUSES;
    if (host->n_addresses > 0)
        return MX_ACCEPTS;
    return host->a->status == DNS_FAILED || host->aaaa->status == DNS_FAILED ? MX_UNKNOWN
                                                                             : MX_REFUSES;
}

enum mx_outcome mx_host_sts_outcome(const struct mx_host *host)
{
    enum mx_outcome outcome = host_dns_outcome(host);

    if (outcome != MX_ACCEPTS)
        return outcome;
    outcome = MX_UNKNOWN;
    for (size_t i = 0; i < host->n_addresses; i++)
        outcome = outcome_join(outcome, host->addresses[i].special
                                            ? MX_REFUSES
                                            : mx_attempt_sts_outcome(host->addresses[i].named));
    return outcome;
}

enum mx_outcome mx_host_dane_outcome(const struct mx_host *host, const char *next_hop)
{
    enum mx_outcome outcome = mx_host_dane_fails(host) ? MX_REFUSES : host_dns_outcome(host);

    if (outcome != MX_ACCEPTS || !mx_host_has_dane(host))
        return outcome;
    outcome = MX_UNKNOWN;
    for (size_t i = 0; i < host->n_addresses; i++)
        outcome = outcome_join(
            outcome, host->addresses[i].special
                         ? MX_REFUSES
                         : mx_attempt_dane_outcome(host, host->addresses[i].named, next_hop));
    return outcome;
}

static bool keys_hold(const struct mx_key *keys, size_t n, const unsigned char *sha256)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(keys[i].sha256, sha256, sizeof(keys[i].sha256)) == 0)
            return true;
    return false;
}

size_t mx_host_list_keys(const struct mx_host *host, struct arena *arena,
                         const struct mx_key **ret_keys)
{
    struct mx_key *keys = arena_array(arena, host->n_addresses, sizeof(*keys));
    size_t n = 0;

    for (size_t i = 0; i < host->n_addresses; i++) {
        const struct mx_attempt *attempt = host->addresses[i].named;
        if (attempt && attempt->cert && !keys_hold(keys, n, attempt->cert->key_sha256))
            memcpy(keys[n++].sha256, attempt->cert->key_sha256, sizeof(keys[0].sha256));
    }
    *ret_keys = keys;
    return n;
}
