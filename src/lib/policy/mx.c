/* SPDX-License-Identifier: MIT */
/*
 * mx-value   = ["*."] Domain                          ; RFC 8461 3.2
 * Domain     = sub-domain *("." sub-domain)           ; RFC 5321 4.1.2
 * sub-domain = Let-dig [Ldh-str]
 * Ldh-str    = *( ALPHA / DIGIT / "-" ) Let-dig
 */
#include "lib/policy/mx.h"

#include <arpa/inet.h>
#include <string.h>

#include <libpsl.h>

#include "lib/base/lookalike.h"
#include "lib/base/slice.h"
#include "lib/policy/policy.h"

enum {
    DOMAIN_MAX = 253, /* octets of a name in text, which are 255 on the wire */
    LABEL_MAX = 63,
};

/* What somebody meant who wrote one of these bytes; the first row that fits counts. */
static const struct {
    const char *bytes;
    const char *why;
} mistakes[] = {
    {"@", "is an e-mail address; an mx is the name of a mail server"},
    {"<>{}$%", "is a placeholder that nobody has filled in; write the name of the mail server "
               "(the YAML knows {domain} and {domain_dashed})"},
    {"[]", "is in brackets, like an address; an mx is the name of a mail server"},
    {" \t,;", "has a space, comma or semicolon; each name needs an mx of its own"},
    {":", "has a colon; an mx is a name without a port"},
    {"\"'", "has a quote; an mx is the bare name of a mail server"},
    {"_", "has an underscore, which no host name has"},
    {"*", "has a '*' that is not the whole first label; write *.example.com"},
};

static const char *mistake_fault(struct slice domain)
{
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++)
        for (const char *byte = mistakes[i].bytes; *byte; byte++)
            if (slice_find_byte(domain, *byte) < domain.len)
                return mistakes[i].why;
    return NULL;
}

/* As in a zone file: "10 mx1.example.com". */
static bool has_priority(struct slice pattern)
{
    size_t i = 0;

    while (i < pattern.len && ascii_is_digit(pattern.ptr[i]))
        i++;
    return i > 0 && i < pattern.len && (pattern.ptr[i] == ' ' || pattern.ptr[i] == '\t');
}

static const char *byte_fault(char byte)
{
    if (ascii_is_alnum(byte) || byte == '-')
        return NULL;
    if ((unsigned char)byte >= 0x80)
        return "has a character that is not ASCII; write the A-label (xn--...)";
    return "has a character other than letters, digits, hyphens and dots";
}

static const char *label_fault(struct slice label)
{
    if (label.len == 0)
        return "has an empty label";
    for (size_t i = 0; i < label.len; i++) {
        const char *why = byte_fault(label.ptr[i]);

        if (why)
            return why;
    }
    if (label.len > LABEL_MAX)
        return "has a label of more than 63 octets";
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return "has a label that begins or ends with a hyphen";
    return NULL;
}

static struct slice first_label(struct slice domain)
{
    return slice_range(domain, 0, slice_find_byte(domain, '.'));
}

static struct slice without_first_label(struct slice domain)
{
    return slice_range(domain, first_label(domain).len + 1, domain.len);
}

/* RFC 1123 2.1 tells names from addresses by this: no top-level domain is a number. */
static bool has_numeric_end(struct slice domain)
{
    size_t i = domain.len;

    while (i > 0 && ascii_is_digit(domain.ptr[i - 1]))
        i--;
    return i == 0 || domain.ptr[i - 1] == '.';
}

static const char *domain_fault(struct slice domain)
{
    struct slice rest = domain;

    while (true) {
        struct slice label = first_label(rest);
        const char *why = label_fault(label);

        if (why)
            return why;
        if (label.len == rest.len)
            break;
        rest = without_first_label(rest);
    }
    if (domain.len > DOMAIN_MAX)
        return "is longer than 253 octets";
    if (has_numeric_end(domain))
        return "ends in a number, like an address; an mx is the name of a mail server";
    return NULL;
}

static bool is_address(struct slice pattern)
{
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];

    if (pattern.len >= sizeof(text) || slice_find_byte(pattern, '\0') < pattern.len)
        return false;
    memcpy(text, pattern.ptr, pattern.len);
    text[pattern.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool has_wildcard(struct slice pattern)
{
    return slice_starts_with(pattern, "*.");
}

static struct slice without_wildcard(struct slice pattern)
{
    return has_wildcard(pattern) ? without_first_label(pattern) : pattern;
}

const char *mx_pattern_fault(struct slice pattern)
{
    const char *why;

    if (pattern.len == 0)
        return "is empty; an mx is the name of a mail server";
    if (is_address(pattern))
        return "is an address; an mx is the name of a mail server";
    if (memmem(pattern.ptr, pattern.len, "://", 3))
        return "is a URL; an mx is the name of a mail server";
    if (slice_eq_text(pattern, "*") || slice_eq_text(pattern, "*."))
        return "has no domain after the wildcard; write *.example.com";
    if (has_priority(pattern))
        return "begins with the priority of an MX record; write the host's name alone";
    if (lookalike_find(pattern, NULL))
        return "has a typographic quote, dash or space in it; type it anew in plain ASCII";
    why = mistake_fault(without_wildcard(pattern));
    if (why)
        return why;
    if (slice_starts_with(pattern, "."))
        return "begins with a dot; write *.example.com for the hosts of a domain";
    if (slice_ends_with(pattern, ".") && !slice_ends_with(pattern, ".."))
        return "ends with a dot; leave it out";
    return domain_fault(without_wildcard(pattern));
}

struct known_pattern {
    const char *pattern;
    const char *why;
};

#define WRITE_OUTLOOK "write *.mail.protection.outlook.com"
#define SUBMITS "takes mail from its users only, and is no MX host; write what the MX records name"

/* Patterns that look right and cover no tenant's MX host; several stand in published guides. */
static const struct known_pattern never_matches[] = {
    {"*.mx.microsoft", "covers no MX host there; write the tenant's own name, such as "
                       "<name>.a-v1.mx.microsoft, or *.a-v1.mx.microsoft"},
    {"mx.microsoft", "is no tenant's MX host; write the tenant's own name, such as "
                     "<name>.a-v1.mx.microsoft, or *.a-v1.mx.microsoft"},
    {"mail.protection.outlook.com", "is no tenant's MX host; " WRITE_OUTLOOK},
    {"*.protection.outlook.com",
     "covers no tenant's MX host, which has one label more; " WRITE_OUTLOOK},
    {"protection.outlook.com", "is no tenant's MX host; " WRITE_OUTLOOK},
    {"*.outlook.com", "covers no tenant's MX host, which has more labels; " WRITE_OUTLOOK},
    {"outlook.com", "is no tenant's MX host; " WRITE_OUTLOOK},
    {"*.office365.com", "covers no MX host there; " WRITE_OUTLOOK},
    {"l.google.com", "is no MX host; write aspmx.l.google.com and *.aspmx.l.google.com"},
    {"google.com", "is no MX host; write smtp.google.com, or aspmx.l.google.com and "
                   "*.aspmx.l.google.com"},
};

/* Wildcards a label short, and hosts that a person knows from the settings of a mail program. */
static const struct known_pattern unlikely_patterns[] = {
    {"*.icloud.com", "covers no MX host there, as they have a label more; write *.mail.icloud.com"},
    {"*.amazonaws.com", "covers no MX host there, as they have a label more; write "
                        "inbound-smtp.<region>.amazonaws.com"},
    {"*.messagelabs.com", "covers no MX host there, as they have a label more; write "
                          "*.<region>.messagelabs.com"},
    {"*.iphmx.com",
     "covers no MX host there, as they have a label more; write *.<tenant>.iphmx.com"},
    {"*.barracudanetworks.com",
     "covers no MX host there, as they have a label more; write what the "
     "MX records name"},
    {"smtp.office365.com", SUBMITS},
    {"outlook.office365.com", SUBMITS},
    {"smtp-mail.outlook.com", SUBMITS},
    {"smtp.gmail.com", SUBMITS},
    {"smtp-relay.gmail.com", SUBMITS},
    {"smtp.googlemail.com", SUBMITS},
    {"smtp.zoho.com", SUBMITS},
    {"smtp.zoho.eu", SUBMITS},
    {"smtp.zoho.in", SUBMITS},
    {"smtppro.zoho.com", SUBMITS},
    {"smtppro.zoho.eu", SUBMITS},
    {"smtp.fastmail.com", SUBMITS},
    {"smtp.mail.yahoo.com", SUBMITS},
    {"smtp.mail.me.com", SUBMITS},
    {"smtp.aol.com", SUBMITS},
    {"smtp.migadu.com", SUBMITS},
    {"smtp.mailbox.org", SUBMITS},
    {"smtp.yandex.com", SUBMITS},
    {"smtp.sendgrid.net", SUBMITS},
    {"smtp.mailgun.org", SUBMITS},
    {"smtp.ionos.com", SUBMITS},
    {"smtp.ionos.de", SUBMITS},
    {"smtp.strato.de", SUBMITS},
    {"smtp.hostinger.com", SUBMITS},
    {"smtpout.secureserver.net", SUBMITS},
    {"smtp.protonmail.ch", SUBMITS},
    {"smtp.titan.email", SUBMITS},
    {"mail.gandi.net", SUBMITS},
};

/* First labels of hosts that mail programs ask. */
static const struct known_pattern unlikely_labels[] = {
    {"autoconfig", "configures mail programs and takes no mail; write what the MX records name"},
    {"autodiscover", "configures mail programs and takes no mail; write what the MX records name"},
    {"submission", SUBMITS},
};

static const char *known_pattern_why(const struct known_pattern *rows, size_t n_rows,
                                     struct slice pattern)
{
    for (size_t i = 0; i < n_rows; i++)
        if (slice_eq_nocase(pattern, slice_of(rows[i].pattern)))
            return rows[i].why;
    return NULL;
}

static const char *unlikely_why(struct slice pattern)
{
    const char *why = known_pattern_why(unlikely_patterns, ARRAY_LEN(unlikely_patterns), pattern);

    return why ? why
               : known_pattern_why(unlikely_labels, ARRAY_LEN(unlikely_labels),
                                   first_label(pattern));
}

static const char *never_matches_why(struct slice pattern)
{
    const char *why = known_pattern_why(never_matches, ARRAY_LEN(never_matches), pattern);

    if (why)
        return why;
    if (slice_find_byte(pattern, '.') == pattern.len)
        return "has no dot; MX records hold full names, so write one, such as mail.example.com";
    return NULL;
}

/*
 * Whether the well-formed `domain` stands in this section of the list. Without
 * PSL_TYPE_NO_STAR_RULE every top-level domain that the list lacks, such as a company's own, would
 * be a suffix too.
 */
static bool is_suffix(struct slice domain, int section)
{
    const psl_ctx_t *list = psl_builtin(); /* NULL in a libpsl built without one */
    char name[DOMAIN_MAX + 1];

    for (size_t i = 0; i < domain.len; i++)
        name[i] = ascii_to_lower(domain.ptr[i]); /* the list is; the look-up is by bytes */
    name[domain.len] = '\0';
    return list && psl_is_public_suffix2(list, name, section | PSL_TYPE_NO_STAR_RULE);
}

struct mx_lint mx_pattern_lint(struct slice pattern)
{
    const char *why = mx_pattern_fault(pattern);
    struct slice domain = without_wildcard(pattern);

    if (why)
        return (struct mx_lint){FINDING_MX_SYNTAX, why};
    if (slice_eq_nocase(first_label(domain), slice_of("mta-sts")))
        return (struct mx_lint){FINDING_MX_POLICY_HOST,
                                "is a policy host; an mx names a mail server"};
    why = never_matches_why(pattern);
    if (why)
        return (struct mx_lint){FINDING_MX_NEVER_MATCHES, why};
    if (has_wildcard(pattern) && is_suffix(domain, PSL_TYPE_ICANN))
        return (struct mx_lint){FINDING_MX_PUBLIC_SUFFIX,
                                "covers every domain below a public suffix, strangers' too; write "
                                "the domain of the MX hosts, as in *.example.com"};
    if (has_wildcard(pattern) && is_suffix(domain, PSL_TYPE_PRIVATE))
        return (struct mx_lint){
            FINDING_MX_PRIVATE_SUFFIX,
            "covers names that several organisations share; write the full name of each MX host"};
    why = unlikely_why(pattern);
    if (why)
        return (struct mx_lint){FINDING_MX_UNLIKELY, why};
    return (struct mx_lint){FINDING_NONE, NULL};
}

bool mx_pattern_matches(struct slice pattern, struct slice host)
{
    if (slice_ends_with(host, "."))
        host.len--;
    if (mx_pattern_fault(pattern))
        return false;
    if (slice_eq_nocase(pattern, host))
        return true;
    return has_wildcard(pattern) && first_label(host).len > 0 &&
           slice_eq_nocase(without_first_label(pattern), without_first_label(host));
}

bool policy_covers(const struct policy *policy, struct slice host)
{
    for (size_t i = 0; i < policy->n_mx; i++)
        if (mx_pattern_matches(policy->mx[i], host))
            return true;
    return false;
}
