/* SPDX-License-Identifier: MIT */
#include "lib/diag/config_finding.h"

#include <assert.h>

#include "lib/base/slice.h"

static_assert(FINDING_COUNT <= 64, "a finding_set has 64 bits");

static const struct finding_row config_rows[FINDING_COUNT] = {
    [FINDING_NONE] = {"none", LEVEL_NOTE, "nothing was found"},
    [FINDING_SYNTAX] = {"syntax", LEVEL_ERROR, "the file is not well-formed YAML"},
    [FINDING_YAML_FEATURE] = {"yaml-feature", LEVEL_ERROR,
                              "anchors, aliases, merge keys, tags and several documents are not "
                              "supported; use named policies instead"},
    [FINDING_TOO_LARGE] = {"too-large", LEVEL_ERROR, "a file, its nesting or a list is too large"},
    [FINDING_FILE_UNREADABLE] = {"file-unreadable", LEVEL_ERROR,
                                 "a configuration file cannot be read, or was written meanwhile"},
    [FINDING_INCLUDE_EMPTY] = {"include-empty", LEVEL_ERROR, "an include matches no file"},
    [FINDING_KEY_UNKNOWN] = {"unknown-key", LEVEL_ERROR, "there is no such key here"},
    [FINDING_KEY_DUPLICATE] = {"duplicate-key", LEVEL_ERROR, "a key is given twice"},
    [FINDING_KEY_MISSING] = {"missing-key", LEVEL_ERROR, "a key that is needed is not given"},
    [FINDING_KEY_CONFLICT] = {"key-conflict", LEVEL_ERROR, "two keys exclude each other"},
    [FINDING_WRONG_TYPE] =
        {"wrong-type", LEVEL_ERROR,
         "the value is of the wrong type: a string, a list or a mapping is expected"},
    [FINDING_BAD_VALUE] = {"bad-value", LEVEL_ERROR, "a value is not one of those allowed"},
    [FINDING_NAME_SYNTAX] = {"bad-name", LEVEL_ERROR, "not a domain name"},
    [FINDING_NAME_TOO_LONG] = {"name-too-long", LEVEL_ERROR,
                               "a record's name would be longer than DNS allows (253 octets)"},
    [FINDING_DOMAIN_DUPLICATE] = {"duplicate-domain", LEVEL_ERROR, "a domain is given twice"},
    [FINDING_POLICY_UNKNOWN] = {"unknown-policy", LEVEL_ERROR, "no policy has this name"},
    [FINDING_MX_MISSING] = {"mx-missing", LEVEL_ERROR,
                            "a policy needs an mx unless its mode is none (RFC 8461 3.2)"},
    [FINDING_MX_SYNTAX] = {"mx-syntax", LEVEL_ERROR,
                           "an mx is a host name or *. and a domain name (RFC 8461 3.2)"},
    [FINDING_MX_POLICY_HOST] = {"mx-is-policy-host", LEVEL_ERROR,
                                "an mx names a policy host, which takes no mail"},
    [FINDING_MX_NEVER_MATCHES] = {"mx-never-matches", LEVEL_ERROR,
                                  "no MX host of that provider is covered by this pattern"},
    [FINDING_MX_PUBLIC_SUFFIX] = {"mx-public-suffix", LEVEL_ERROR,
                                  "a wildcard right above a public suffix covers strangers' hosts"},
    [FINDING_MAX_AGE_LIMIT] = {"max-age-limit", LEVEL_ERROR,
                               "max_age is above 31557600 s (RFC 8461 3.2)"},
    [FINDING_BODY_LIMIT] = {"body-too-large", LEVEL_ERROR,
                            "the policy is above 10 KiB, where senders cut it off"},
    [FINDING_RUA_SYNTAX] = {"rua-syntax", LEVEL_ERROR,
                            "a report address is not a usable mailto: or https: URI (RFC 8460 3)"},
    [FINDING_POLICY_HOST_LOOP] = {"policy-host-loop", LEVEL_ERROR,
                                  "a policy host would be a CNAME to itself"},
    [FINDING_USER_UNKNOWN] = {"user-unknown", LEVEL_ERROR,
                              "the user that root becomes does not exist on this machine"},
    [FINDING_MX_PRIVATE_SUFFIX] = {"mx-private-suffix", LEVEL_WARNING,
                                   "a wildcard covers names that several organisations share"},
    [FINDING_MX_UNLIKELY] = {"mx-unlikely", LEVEL_WARNING,
                             "an mx names a host that is known for something else than taking "
                             "mail"},
    [FINDING_MX_INCOMPLETE] = {"mx-incomplete", LEVEL_WARNING,
                               "the mx cover only some of a provider's MX hosts"},
    [FINDING_MAX_AGE_SHORT] = {"max-age-short", LEVEL_WARNING,
                               "max_age is below 1 day; Google and others ignore such a policy"},
    [FINDING_MAX_AGE_LONG] = {"max-age-long", LEVEL_WARNING,
                              "max_age is above 31536000 s; some senders fall back to a day"},
    [FINDING_ENFORCE_UNREPORTED] = {"enforce-without-tls-rpt", LEVEL_WARNING,
                                    "mode enforce without TLS reports: lost mail goes unnoticed"},
    [FINDING_BODY_LONG] = {"body-long", LEVEL_WARNING, "the policy is above 4 KiB"},
    [FINDING_RUA_NOT_SERVED] =
        {"rua-not-served", LEVEL_WARNING,
         "https: in tls_rpt stands for an address where nothing is taken in"},
    [FINDING_RELOAD_UNREADABLE] = {"reload-unreadable", LEVEL_WARNING,
                                   "the daemon's user cannot read a configuration file again"},
    [FINDING_PROGRAM_UNUSABLE] = {"program-unusable", LEVEL_WARNING,
                                  "the program of on_change or notify cannot be run"},
    [FINDING_ACME_RATE] = {"acme-rate", LEVEL_WARNING,
                           "orders_per_hour is too small to renew the certificates of all hosts"},
    [FINDING_ACME_UNANSWERED] = {"acme-unanswered", LEVEL_WARNING,
                                 "no listener answers the challenges of the certificate authority"},
    [FINDING_RUA_DOUBTFUL] = {"rua-doubtful", LEVEL_WARNING,
                              "a report address follows the grammar, but hardly gets any report"},
    [FINDING_ZONE_UNCLEAR] = {"zone-unclear", LEVEL_WARNING,
                              "a domain is below another one, and no zone says whose zone it is "
                              "in"},
    [FINDING_CERTIFICATE_UNREADABLE] = {"certificate-unreadable", LEVEL_WARNING,
                                        "a certificate or key file cannot be read or used"},
    [FINDING_CERTIFICATE_UNUSABLE] = {"certificate-unusable", LEVEL_WARNING,
                                      "no sender can complete a handshake with a certificate"},
    [FINDING_CERTIFICATE_MISSING] = {"certificate-missing", LEVEL_WARNING,
                                     "there is no certificate for a policy host"},
    [FINDING_CERTIFICATE_NAME] = {"certificate-name", LEVEL_WARNING,
                                  "a certificate does not name the policy host in its SAN"},
    [FINDING_CERTIFICATE_SELF_SIGNED] = {"certificate-self-signed", LEVEL_WARNING,
                                         "a certificate is self-signed, and no sender trusts it"},
    [FINDING_CERTIFICATE_UNTRUSTED] =
        {"certificate-untrusted", LEVEL_WARNING,
         "a certificate's chain leads to no root that this system trusts"},
    [FINDING_CERTIFICATE_EXPIRED] = {"certificate-expired", LEVEL_WARNING,
                                     "a certificate has expired"},
    [FINDING_CERTIFICATE_EXPIRING] = {"certificate-expiring", LEVEL_WARNING,
                                      "a certificate is in the last sixth of its life"},
    [FINDING_CERTIFICATE_NOT_YET_VALID] = {"certificate-not-yet-valid", LEVEL_WARNING,
                                           "a certificate is not valid yet"},
    [FINDING_CERTIFICATE_CHAIN] = {"certificate-chain", LEVEL_WARNING,
                                   "a certificate comes without its intermediate"},
    [FINDING_MAX_AGE_BELOW_TWO_WEEKS] = {"max-age-below-two-weeks", LEVEL_NOTE,
                                         "in mode enforce a max_age of 2 weeks or more protects "
                                         "better"},
    [FINDING_NONE_WITHOUT_MX] = {"none-without-mx", LEVEL_NOTE,
                                 "mode none without mx: some senders refuse such a policy"},
    [FINDING_MX_DUPLICATE] = {"mx-duplicate", LEVEL_NOTE, "an mx is listed twice"},
    [FINDING_ALLOW_IDLE] = {"allow-idle", LEVEL_NOTE, "a code under allow: silences nothing there"},
    [FINDING_POLICY_UNUSED] = {"policy-unused", LEVEL_NOTE, "no domain uses this policy"},
    [FINDING_POLICY_HOST_UNSET] = {"policy-host-unset", LEVEL_NOTE,
                                   "without policy_host the records of mta-sts.<domain> are not "
                                   "printed"},
    [FINDING_KEY_IDLE] = {"key-idle", LEVEL_NOTE, "the key does nothing without another one"},
};

const struct finding_table config_findings = {config_rows, FINDING_COUNT};

const struct finding_row *finding_row(enum finding finding)
{
    return &config_rows[finding];
}

enum finding finding_find(struct slice code)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        if (slice_eq_text(code, config_rows[i].code))
            return (enum finding)i;
    return FINDING_NONE;
}

finding_set finding_bit(enum finding finding)
{
    return UINT64_C(1) << finding;
}
