/* SPDX-License-Identifier: MIT */
#include "reports/result_type.h"

#include "lib/base/slice.h"

static const struct result_type result_types[] = {
    {"starttls-not-supported", RESULT_NEGOTIATION, "found no STARTTLS at the MX host",
     "Enable STARTTLS on the MX host, and look for a firewall that removes it"},
    {"certificate-host-mismatch", RESULT_NEGOTIATION,
     "found a certificate that does not name the MX host",
     "Give the MX host a certificate with the name that stands in the MX record"},
    {"certificate-expired", RESULT_NEGOTIATION, "found a certificate that has expired",
     "Renew the certificate of the MX host, and reload the mail server after each renewal"},
    {"certificate-not-trusted", RESULT_NEGOTIATION,
     "found a certificate that no trusted authority has issued",
     "Use a certificate of a public authority, and send the intermediate certificates with it"},
    {"validation-failure", RESULT_NEGOTIATION,
     "found that an MX host does not follow the policy, often because no mx covers it",
     "Compare the MX records of the domain with the mx of its policy, and check the certificates "
     "of "
     "the MX hosts"},
    {"sts-policy-fetch-error", RESULT_POLICY_HOST, "could not fetch the policy",
     "Check that the policy host answers on port 443, on IPv4 and IPv6, from everywhere"},
    {"sts-policy-invalid", RESULT_POLICY_HOST, "fetched a policy that it could not read",
     "Check that nothing between senders and mta-stsd changes the policy"},
    {"sts-webpki-invalid", RESULT_POLICY_HOST, "did not accept the certificate of the policy host",
     "Check the certificate of the policy host: its names, dates and intermediate certificates"},
    {"tlsa-invalid", RESULT_DANE, "found TLSA records that it could not use",
     "Correct the TLSA records of the MX host; MTA-STS is not concerned"},
    {"dnssec-invalid", RESULT_DANE, "could not validate the DNSSEC of the MX host",
     "Correct the DNSSEC of the zone; MTA-STS is not concerned"},
    {"dane-required", RESULT_DANE, "demands DANE, and found none for the MX host",
     "That sender was told to demand DANE; MTA-STS is not concerned"},
};

static const struct result_type other_type = {
    NULL, RESULT_UNKNOWN, "reported a failure of a type that no RFC knows",
    "Ask the sender what it means; until then expect that mode enforce stops such mail"};

const struct result_type *result_type_find(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(result_types); i++)
        if (slice_eq_nocase(slice_of(name), slice_of(result_types[i].name)))
            return &result_types[i];
    return &other_type;
}
