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

const char *verdict_text(enum verdict verdict, const struct verdict_facts *facts,
                         char buffer[static VERDICT_TEXT_MAX])
{
    char refused[64], untried[64], rest[96] = "";

    verdict_hosts(facts->n_refused, facts->n_mx, refused, sizeof(refused));
    if (facts->n_untried > 0)
        snprintf(rest, sizeof(rest), "; %s could not be tried from here",
                 verdict_hosts(facts->n_untried, facts->n_mx, untried, sizeof(untried)));
    switch (verdict) {
    case VERDICT_ABSENT:
        snprintf(buffer, VERDICT_TEXT_MAX, "no MTA-STS: senders do not have to verify TLS");
        break;
    case VERDICT_UNKNOWN:
        snprintf(buffer, VERDICT_TEXT_MAX, "unknown: it could not be tried from here");
        break;
    case VERDICT_IGNORED:
        snprintf(buffer, VERDICT_TEXT_MAX, "ignored: senders do not get the policy");
        break;
    case VERDICT_NONE:
        snprintf(buffer, VERDICT_TEXT_MAX,
                 "off: the mode is none, senders act as without a policy");
        break;
    case VERDICT_TESTING:
        snprintf(buffer, VERDICT_TEXT_MAX, "testing: enforce would work today%s", rest);
        break;
    case VERDICT_UNREADY:
        snprintf(buffer, VERDICT_TEXT_MAX,
                 "testing: if the mode were enforce, senders would refuse %s%s", refused, rest);
        break;
    case VERDICT_ENFORCED:
        snprintf(buffer, VERDICT_TEXT_MAX, "enforced: senders deliver with verified TLS%s", rest);
        break;
    case VERDICT_PARTLY_LOST:
    case VERDICT_LOST:
        snprintf(buffer, VERDICT_TEXT_MAX, "%s: senders refuse %s%s",
                 verdict == VERDICT_LOST ? "mail is lost" : "mail is at risk", refused, rest);
        break;
    case VERDICT_COUNT:
        buffer[0] = '\0';
        break;
    }
    return buffer;
}
