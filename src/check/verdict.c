/* SPDX-License-Identifier: MIT */
#include "check/verdict.h"

#include <stdio.h>

static enum verdict verdict_of_hosts(const struct verdict_facts *facts)
{
    if (facts->mode == POLICY_TESTING)
        return facts->n_refused > 0 ? VERDICT_UNREADY : VERDICT_TESTING;
    if (facts->n_refused == 0)
        return VERDICT_ENFORCED;
    return facts->n_refused < facts->n_mx ? VERDICT_PARTLY_LOST : VERDICT_LOST;
}

enum verdict verdict_of(const struct verdict_facts *facts)
{
    if (facts->is_dns_unanswered)
        return VERDICT_UNKNOWN;
    if (!facts->has_record)
        return facts->is_record_absent ? VERDICT_ABSENT : VERDICT_IGNORED;
    if (!facts->has_policy)
        return facts->is_host_untried ? VERDICT_UNKNOWN : VERDICT_IGNORED;
    return facts->mode == POLICY_MODE_NONE ? VERDICT_NONE : verdict_of_hosts(facts);
}

enum verdict verdict_of_dane(const struct verdict_facts *facts)
{
    if (facts->n_dane == 0)
        return VERDICT_ABSENT;
    if (facts->n_dane_untried == facts->n_dane)
        return VERDICT_UNKNOWN;
    if (facts->n_dane_refused == 0)
        return VERDICT_ENFORCED;
    return facts->n_dane_refused < facts->n_mx ? VERDICT_PARTLY_LOST : VERDICT_LOST;
}

const char *verdict_code(enum verdict verdict)
{
    static const char *const codes[VERDICT_COUNT] = {
        [VERDICT_ABSENT] = "absent",     [VERDICT_UNKNOWN] = "unknown",
        [VERDICT_IGNORED] = "ignored",   [VERDICT_NONE] = "none",
        [VERDICT_TESTING] = "testing",   [VERDICT_UNREADY] = "testing-unready",
        [VERDICT_ENFORCED] = "enforced", [VERDICT_PARTLY_LOST] = "partly-lost",
        [VERDICT_LOST] = "lost",
    };

    return codes[verdict];
}

/* "1 of 2 MX hosts", "the only MX host", "none of the 3 MX hosts". */
static const char *verdict_hosts(size_t n, size_t n_all, char *buffer, size_t size)
{
    if (n_all == 1)
        snprintf(buffer, size, "the only MX host");
    else if (n == n_all)
        snprintf(buffer, size, "all %zu MX hosts", n_all);
    else
        snprintf(buffer, size, "%zu of %zu MX hosts", n, n_all);
    return buffer;
}

/* "; senders with DANE refuse 1 of 2 MX hosts"; "" where they do as the others. */
static void verdict_dane_clause(const struct verdict_facts *facts, char *buffer, size_t size)
{
    char hosts[64];

    buffer[0] = '\0';
    if (facts->n_dane_only_refused > 0)
        snprintf(buffer, size, "; senders with DANE refuse %s",
                 verdict_hosts(facts->n_dane_refused, facts->n_mx, hosts, sizeof(hosts)));
    else if (facts->n_dane_only_accepted > 0)
        snprintf(buffer, size, "; senders with DANE deliver to %s",
                 verdict_hosts(facts->n_dane - facts->n_dane_refused - facts->n_dane_untried,
                               facts->n_mx, hosts, sizeof(hosts)));
}

/* What the sentence begins with. */
static const char *verdict_headline(enum verdict verdict, const struct verdict_facts *facts)
{
    switch (verdict) {
    case VERDICT_ENFORCED:
        return facts->n_dane_refused > 0 ? "mail is at risk" : "enforced";
    case VERDICT_PARTLY_LOST:
        return "mail is at risk";
    case VERDICT_LOST:
        return facts->n_dane_only_accepted > 0 ? "mail is at risk" : "mail is lost";
    default:
        return "testing";
    }
}

const char *verdict_text(enum verdict verdict, const struct verdict_facts *facts,
                         char buffer[static VERDICT_TEXT_MAX])
{
    char refused[64], untried[64], dane[96], rest[96] = "";
    const char *headline = verdict_headline(verdict, facts), *senders;

    verdict_hosts(facts->n_refused, facts->n_mx, refused, sizeof(refused));
    verdict_dane_clause(facts, dane, sizeof(dane));
    senders = dane[0] ? "senders with MTA-STS alone" : "senders";
    if (facts->n_untried > 0)
        snprintf(rest, sizeof(rest), "; %s could not be tried from here",
                 verdict_hosts(facts->n_untried, facts->n_mx, untried, sizeof(untried)));
    switch (verdict) {
    case VERDICT_ABSENT:
        snprintf(buffer, VERDICT_TEXT_MAX, "no MTA-STS: %s do not have to verify TLS%s", senders,
                 dane);
        break;
    case VERDICT_UNKNOWN:
        snprintf(buffer, VERDICT_TEXT_MAX, "unknown: MTA-STS could not be tried from here%s", dane);
        break;
    case VERDICT_IGNORED:
        snprintf(buffer, VERDICT_TEXT_MAX, "ignored: senders do not get the policy%s", dane);
        break;
    case VERDICT_NONE:
        snprintf(buffer, VERDICT_TEXT_MAX, "off: the mode is none, %s act as without a policy%s",
                 senders, dane);
        break;
    case VERDICT_TESTING:
        snprintf(buffer, VERDICT_TEXT_MAX, "%s: enforce would work today%s%s", headline, dane,
                 rest);
        break;
    case VERDICT_UNREADY:
        snprintf(buffer, VERDICT_TEXT_MAX, "%s: if the mode were enforce, %s would refuse %s%s%s",
                 headline, senders, refused, dane, rest);
        break;
    case VERDICT_ENFORCED:
        snprintf(buffer, VERDICT_TEXT_MAX, "%s: %s deliver with verified TLS%s%s", headline,
                 senders, dane, rest);
        break;
    case VERDICT_PARTLY_LOST:
    case VERDICT_LOST:
        snprintf(buffer, VERDICT_TEXT_MAX, "%s: %s refuse %s%s%s", headline, senders, refused, dane,
                 rest);
        break;
    case VERDICT_COUNT:
        buffer[0] = '\0';
        break;
    }
    return buffer;
}
