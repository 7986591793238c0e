/* SPDX-License-Identifier: MIT */
#include "reports/checked_failure.h"

#include <string.h>

#include "lib/base/slice.h"
#include "reports/check_results.h"
#include "reports/report_tally.h"

/* Codes of check/check_finding.c; its errors that are not here lead to no failure in a report. */
static const struct {
    const char *code;
    enum result_class class;
} failing_codes[] = {
    {"host-missing", RESULT_POLICY_HOST},
    {"host-bogus", RESULT_POLICY_HOST},
    {"host-cname-doubled", RESULT_POLICY_HOST},
    {"address-special", RESULT_POLICY_HOST},
    {"host-unreachable", RESULT_POLICY_HOST},
    {"tls-refused", RESULT_POLICY_HOST},
    {"tls-old", RESULT_POLICY_HOST},
    {"cert-name", RESULT_POLICY_HOST},
    {"cert-expired", RESULT_POLICY_HOST},
    {"cert-not-yet-valid", RESULT_POLICY_HOST},
    {"cert-self-signed", RESULT_POLICY_HOST},
    {"cert-chain", RESULT_POLICY_HOST},
    {"cert-untrusted", RESULT_POLICY_HOST},
    {"http-broken", RESULT_POLICY_HOST},
    {"http-status", RESULT_POLICY_HOST},
    {"http-redirect", RESULT_POLICY_HOST},
    {"http-type", RESULT_POLICY_HOST},
    {"http-timeout", RESULT_POLICY_HOST},
    {"http-version", RESULT_POLICY_HOST},
    {"http-user-agent", RESULT_POLICY_HOST},
    {"body-too-large", RESULT_POLICY_HOST},
    {"policy-syntax", RESULT_POLICY_HOST},
    {"policy-differs", RESULT_POLICY_HOST},
    {"mx-not-in-policy", RESULT_NEGOTIATION},
    {"mx-all-elsewhere", RESULT_NEGOTIATION},
    {"smtp-broken", RESULT_NEGOTIATION},
    {"starttls-missing", RESULT_NEGOTIATION},
    {"starttls-refused", RESULT_NEGOTIATION},
    {"starttls-plaintext", RESULT_NEGOTIATION},
    {"starttls-failed", RESULT_NEGOTIATION},
    {"smtp-tls-old", RESULT_NEGOTIATION},
    {"smtp-tls-weak", RESULT_NEGOTIATION},
    {"mx-cert-name", RESULT_NEGOTIATION},
    {"mx-cert-expired", RESULT_NEGOTIATION},
    {"mx-cert-not-yet-valid", RESULT_NEGOTIATION},
    {"mx-cert-self-signed", RESULT_NEGOTIATION},
    {"mx-cert-chain", RESULT_NEGOTIATION},
    {"mx-cert-untrusted", RESULT_NEGOTIATION},
    {"mx-cert-weak", RESULT_NEGOTIATION},
    {"sni-breaks", RESULT_NEGOTIATION},
};

enum result_class checked_failure_class(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(failing_codes); i++)
        if (strcmp(code, failing_codes[i].code) == 0)
            return failing_codes[i].class;
    return RESULT_UNKNOWN;
}

/* "mx1.example.com [192.0.2.1]" and "MX1.example.com." are of one host. */
static struct slice subject_host(const char *subject)
{
    struct slice host = slice_of(subject);

    host = slice_range(host, 0, slice_find_byte(host, ' '));
    return slice_ends_with(host, ".") ? slice_range(host, 0, host.len - 1) : host;
}

bool checked_failure_is_same(const struct checked_finding *finding,
                             const struct failure_tally *failure)
{
    enum result_class class = checked_failure_class(finding->kind->code);

    if (class == RESULT_UNKNOWN || class != failure->class)
        return false;
    return class == RESULT_POLICY_HOST || !failure->mx || !finding->subject ||
           slice_eq_nocase(subject_host(finding->subject), subject_host(failure->mx));
}
