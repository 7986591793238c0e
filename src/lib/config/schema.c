/* SPDX-License-Identifier: MIT */
#include "lib/config/schema.h"

#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/config/patterns.h"
#include "lib/dns/name.h"

#define WORDS(array) .words = (array), .n_words = ARRAY_LEN(array)
#define ROWS(array) .rows = (array), .n_rows = ARRAY_LEN(array)
#define STRANGERS(array) .strangers = (array), .n_strangers = ARRAY_LEN(array)

enum {
    PATTERN_MAX = 1024, /* bytes; room for 253 octets of A-labels as U-labels */
    URI_MAX = 512,
    URIS_MAX = 32, /* with {domain} in each, still well within a TXT record */
    RUN_MAX = 16,  /* the program and its arguments */
    DAY_S = 86400,
    TTL_MAX = 604800, /* a week; RFC 8461 8.1 has old ids live for the TTL */
};

static const char *const mode_words[] = {"testing", "enforce", "none"};
static const char *const delegated_words[] = {"mta-sts", "tls-rpt"};
static const char *const serve_words[] = {"policies", "challenges"};
static const char *const level_words[] = {"error", "warning", "info", "debug"};
static const char *const access_words[] = {"off", "text", "json"};
static const char *const digest_words[] = {"daily", "weekly", "off"};
static const char *const auto_words[] = {"auto"};

_Static_assert(ARRAY_LEN(mode_words) == POLICY_MODE_COUNT, "a word a mode");
_Static_assert(ARRAY_LEN(level_words) == LOG_LEVEL_COUNT, "a word a level");
_Static_assert(ARRAY_LEN(access_words) == ACCESS_FORMAT_COUNT, "a word a format");

/* The codes that allow: takes: those of warnings and notes. */
static const char *allowable_code(size_t nth)
{
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        if (finding_row((enum finding)i)->level != LEVEL_ERROR && nth-- == 0)
            return finding_row((enum finding)i)->code;
    return NULL;
}

#define AT_TOP "it belongs to the top of the main file, for all domains"
#define BELOW "it belongs below the name of a policy or a domain, indented"

static const struct field policy_rows[] = {
    {.key = "mode",
     .type = FIELD_WORD,
     .offset = offsetof(struct raw_policy, mode),
     WORDS(mode_words),
     .default_text = "testing",
     .help = "what a sender does when it cannot verify an MX host"},
    {.key = "mx",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_policy, mx),
     .max = PATTERN_MAX,
     .example = "[mail.example.com]",
     .help = "MX hosts of the domain; *. stands for one label, {domain} for the policy domain, "
             "{domain_dashed} for the same with - for each dot"},
    {.key = "max_age",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_policy, max_age),
     .max = POLICY_MAX_AGE_MAX,
     .finding = FINDING_MAX_AGE_LIMIT,
     .default_text = "1w",
     .help = "how long a sender may keep the policy, in mode none by default 1d"},
    {.key = "tls_rpt",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_policy, tls_rpt),
     .max = URI_MAX,
     .max_items = URIS_MAX,
     .pattern = &pattern_rua,
     .example = "[\"mailto:tlsrpt@example.com\"]",
     .help = "where TLS reports go: mailto: and https: URIs; \"https:\" is this server"},
    {.key = "id_salt",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_policy, id_salt),
     .max = 64,
     .help = "gives the same policy another id"},
    {.key = "allow",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_policy, allow),
     .choice = allowable_code,
     .example = "[policy-unused]",
     .help = "codes of warnings and notes that are not to be shown"},
};
static const struct field_stranger policy_strangers[] = {
    {"id", "the id is made from the policy and changes when it does; id_salt gives it another one"},
    {"version", "it is always STSv1 and is not written"},
    {"rua", "where TLS reports go is written tls_rpt: [\"mailto:tlsrpt@example.com\"]"},
    {"ruf", "where TLS reports go is written tls_rpt: [\"mailto:tlsrpt@example.com\"]"},
    {"policies", "a domain names one policy by policy: NAME"},
    {"name", "write the name before its keys, with a ':' after it"},
    {"domain", "write the name before its keys, with a ':' after it"},
    {"enforce", "write mode: enforce"},
    {"testing", "write mode: testing"},
    {"mxs", "MX hosts are written mx: [mail.example.com]"},
    {"hosts", "MX hosts are written mx: [mail.example.com]"},
    {"ttl", AT_TOP},
    {"certificates", AT_TOP},
    {"policy_host", AT_TOP},
    {"report_host", AT_TOP},
    {"delegation_zone", AT_TOP},
    {"listen", AT_TOP},
    {"log", AT_TOP},
    {"limits", AT_TOP},
    {"include", AT_TOP},
};
const struct fields schema_policy = {ROWS(policy_rows), STRANGERS(policy_strangers)};

static const struct field domain_rows[] = {
    {.key = "policy",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_domain, policy),
     .help = "a name under policies:, by default the policy named default, if there is one; the "
             "other keys override its"},
    {.key = "mta_sts",
     .type = FIELD_SWITCH,
     .offset = offsetof(struct raw_domain, mta_sts),
     .default_text = "true",
     .help = "false: no policy, TLS reporting only"},
    {.key = "delegated",
     .type = FIELD_WORDS,
     .offset = offsetof(struct raw_domain, delegated),
     WORDS(delegated_words),
     .help = "records that the customer has as CNAMEs into delegation_zone"},
    {.key = "zone",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_domain, zone),
     .help = "the DNS zone that the records go into; default: the domain"},
    {.key = "aliases",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_domain, aliases),
     .max = PATTERN_MAX,
     .example = "[other.example]",
     .help = "further domains with the same keys; {domain} is the name of each"},
};
const struct fields schema_domain = {ROWS(domain_rows), .base = &schema_policy};

static const struct field proxy_rows[] = {
    {.key = "trusted",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_listen, proxy_protocol.trusted),
     .empty_error = ", so that nobody could connect; name the proxies",
     .example = "[192.0.2.7]",
     .is_required = true,
     .help = "addresses and networks of the proxies; [unix] where address is a unix socket"},
};
static const struct fields proxy_fields = {ROWS(proxy_rows)};

static const struct field listen_rows[] = {
    {.key = "address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_listen, address),
     .pattern = &pattern_listen,
     .is_required = true,
     .help = "\"address:port\", \"[IPv6]:port\" or \"unix:/path\""},
    {.key = "tls",
     .type = FIELD_SWITCH,
     .offset = offsetof(struct raw_listen, tls),
     .default_text = "true",
     .help = "false: behind a proxy that terminates TLS, and where challenges are served"},
    {.key = "serve",
     .type = FIELD_WORD,
     .offset = offsetof(struct raw_listen, serve),
     WORDS(serve_words),
     .default_text = "policies",
     .help = "policies, or the challenges of acme: and nothing else"},
    {.key = "proxy_protocol",
     .type = FIELD_GROUP,
     .fields = &proxy_fields,
     .help = "each connection begins with a PROXY protocol header (version 1 or 2)"},
};
static const struct fields listen_fields = {ROWS(listen_rows)};

static const struct field limits_rows[] = {
    {.key = "connections",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, limits.connections),
     .min = 16,
     .max = 1000000,
     .default_text = "10000",
     .help = "connections in all"},
    {.key = "per_source",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, limits.per_source),
     .min = 1,
     .max = 1000000,
     .default_text = "256",
     .help = "connections from one IPv4 address or IPv6 /64"},
    {.key = "memory",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, limits.memory_mib),
     .min = 16,
     .max = 1024 * 1024,
     .suffix = "M",
     WORDS(auto_words),
     .default_text = "auto",
     .help = "memory that connections may hold, in MiB; auto: half of the machine's or the "
             "container's, at most 1024M"},
    {.key = "removed",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, limits.removed_percent),
     .max = 100,
     .suffix = "%",
     .default_text = "5%",
     .help = "share of the domains that one reload may drop"},
};
static const struct fields limits_fields = {ROWS(limits_rows)};

static const struct field log_rows[] = {
    {.key = "level",
     .type = FIELD_WORD,
     .offset = offsetof(struct raw_settings, log.level),
     WORDS(level_words),
     .default_text = "info",
     .help = "what is logged on standard error"},
    {.key = "access",
     .type = FIELD_WORD,
     .offset = offsetof(struct raw_settings, log.access),
     WORDS(access_words),
     .default_text = "off",
     .help = "a line per request on standard output"},
};
static const struct fields log_fields = {ROWS(log_rows)};

static const struct field source_rows[] = {
    {.key = "chain",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_source, chain),
     .pattern = &pattern_cert_path,
     .is_required = true,
     .help = "PEM file, leaf first; {host} is mta-sts.<domain>, {domain} the domain, and of the "
             "files that a * matches the newest valid one is taken"},
    {.key = "key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_source, key),
     .pattern = &pattern_cert_path,
     .help = "PEM file of the private key; default: the chain's file"},
};
static const struct fields source_fields = {ROWS(source_rows)};

static const struct field policy_host_rows[] = {
    {.key = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, policy_host.name),
     .help = "CNAME target of every mta-sts.<domain>"},
    {.key = "addresses",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_settings, policy_host.addresses),
     .example = "[192.0.2.1, \"2001:db8::1\"]",
     .help = "IPv4 and IPv6 addresses of every mta-sts.<domain>, instead of a name"},
};
static const struct fields policy_host_fields = {ROWS(policy_host_rows)};

static const struct field ttl_rows[] = {
    {.key = "mta_sts",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, ttl.mta_sts),
     .max = TTL_MAX,
     .default_text = "300",
     .help = "of _mta-sts records"},
    {.key = "policy_host",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, ttl.policy_host),
     .max = TTL_MAX,
     .default_text = "3600",
     .help = "of mta-sts records"},
    {.key = "tls_rpt",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, ttl.tls_rpt),
     .max = TTL_MAX,
     .default_text = "3600",
     .help = "of _smtp._tls records"},
};
static const struct fields ttl_fields = {ROWS(ttl_rows)};

static const struct field on_change_rows[] = {
    {.key = "run",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_settings, on_change.run),
     .max_items = RUN_MAX,
     .empty_error = "; give the path of a program, or leave on_change out",
     .example = "[/etc/mta-stsd/publish, example.com]",
     .is_required = true,
     .help = "absolute path of the program, and its arguments"},
    {.key = "timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, on_change.timeout),
     .min = 1,
     .max = 3600,
     .default_text = "60s",
     .help = "how long the program may take before it is killed"},
};
static const struct fields on_change_fields = {ROWS(on_change_rows)};

static const struct field notify_rows[] = {
    {.key = "run",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_settings, notify.run),
     .max_items = RUN_MAX,
     .empty_error = "; give the path of a program, or leave notify out",
     .example = "[/etc/mta-stsd/mail.sh, mta-stsd@example.com, postmaster@example.com]",
     .is_required = true,
     .help = "absolute path of the program, and its arguments"},
    {.key = "digest",
     .type = FIELD_WORD,
     .offset = offsetof(struct raw_settings, notify.digest),
     WORDS(digest_words),
     .default_text = "daily",
     .help = "how often the program is told what is open, and what began and ended"},
    {.key = "cooldown",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, notify.cooldown),
     .max = 30 * 24 * 60 * 60,
     .default_text = "1d",
     .help = "for how long the program is not told again that the same thing has begun"},
};
static const struct fields notify_fields = {ROWS(notify_rows)};

static const struct field check_rows[] = {
    {.key = "every",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, check.every),
     .min = 60 * 60,
     .max = 30 * 24 * 60 * 60,
     .example = "1d",
     .is_required = true,
     .help = "from one check to the next"},
};
static const struct fields check_fields = {ROWS(check_rows)};

static const struct field report_rows[] = {
    {.key = "authserv_id",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, reports.authserv_id),
     .max = DNS_NAME_MAX,
     .help = "the name under which the mail server that receives TLS reports writes its "
             "Authentication-Results; default: no report by mail is verified"},
    {.key = "ready_after",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, reports.ready_after),
     .min = DAY_S,
     .max = 90 * DAY_S,
     .default_text = "2w",
     .help = "how long each mx has to be in the policy before mode enforce is advised"},
    {.key = "late",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, reports.late),
     .max = 30 * DAY_S,
     .default_text = "3d",
     .help = "how long reports of the last days are awaited"},
    {.key = "tolerated",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, reports.tolerated),
     .max = 1000000,
     .default_text = "1000",
     .help = "failed sessions, of a million, with which mode enforce is still advised"},
};
static const struct fields report_fields = {ROWS(report_rows)};

static const struct field acme_rows[] = {
    {.key = "agree_to_terms",
     .type = FIELD_SWITCH,
     .offset = offsetof(struct raw_settings, acme.agree_to_terms),
     .is_required = true,
     .help = "true: you have read the terms of service of the certificate authority and agree; "
             "without that it gives no account"},
    {.key = "directory",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, acme.directory),
     .pattern = &pattern_acme_directory,
     .default_text = "production",
     .help = "URL of the directory of the certificate authority; production and staging are "
             "Let's Encrypt's"},
    {.key = "account_email",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, acme.account_email),
     .max = 254,
     .pattern = &pattern_email,
     .help = "where the certificate authority writes to; default: it gets no address"},
    {.key = "external_account_binding",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, acme.external_account_binding),
     .help = "file with KEYID:KEY on one line, where the certificate authority asks for it"},
    {.key = "renew_before",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, acme.renew_before),
     .min = 60 * 60,
     .max = 365 * 24 * 60 * 60,
     .help = "how long before its end a certificate is ordered anew; default: a third of its "
             "life"},
    {.key = "orders_per_hour",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, acme.orders_per_hour),
     .min = 1,
     .max = 10000,
     .default_text = "90",
     .help = "orders in any hour; Let's Encrypt takes 300 in 3 hours"},
    {.key = "orders",
     .type = FIELD_SWITCH,
     .offset = offsetof(struct raw_settings, acme.orders),
     .default_text = "true",
     .help = "false: another replica orders"},
    {.key = "challenges_at",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, acme.challenges_at),
     .pattern = &pattern_http_url,
     .example = "http://orders.provider.example",
     .help = "URL of the replica that orders, where this one redirects challenges; default: they "
             "are answered here"},
};
static const struct fields acme_fields = {ROWS(acme_rows)};

/* The two mappings of any size, which every file may hold. */
static const struct field stream_rows[] = {
    {.key = "policies",
     .type = FIELD_STREAM,
     .pattern = &pattern_policy_name,
     .fields = &schema_policy,
     .help = "named policies, for any number of domains"},
    {.key = "domains",
     .type = FIELD_STREAM,
     .fields = &schema_domain,
     .has_short_form = true,
     .has_list_form = true,
     .help = "policy domains: a policy's name, a mapping, or nothing for the policy named default; "
             "or a list of names, all of that policy"},
};
const struct fields schema_include = {ROWS(stream_rows)};

static const struct field main_rows[] = {
    {.key = "listen",
     .type = FIELD_GROUPS,
     .offset = offsetof(struct raw_settings, listen),
     .fields = &listen_fields,
     .size = sizeof(struct raw_listen),
     .empty_error = "; leave listen out for [::]:443",
     .help = "where to listen; default: [::]:443, which takes IPv4 too, and [::]:80 for challenges "
             "where there is acme:"},
    {.key = "admin",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, admin),
     .default_text = "127.0.0.1:9847",
     .help = "address of health, metrics and the status site, never public, or off"},
    {.key = "control",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, control),
     .pattern = &pattern_socket,
     .default_text = "/run/mta-stsd/control.sock",
     .help = "socket for --reload and --health"},
    {.key = "state",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, state),
     .help = "directory for what was served when, and for TLS reports; default: nothing is kept"},
    {.key = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, user),
     .max = 64,
     .default_text = CONFIG_DEFAULT_USER,
     .help = "what root becomes after binding"},
    {.key = "sandbox",
     .type = FIELD_SWITCH,
     .offset = offsetof(struct raw_settings, sandbox),
     .default_text = "true",
     .help = "Landlock and seccomp, where the kernel has them"},
    {.key = "workers",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct raw_settings, workers),
     .min = 1,
     .max = 256,
     WORDS(auto_words),
     .default_text = "auto",
     .help = "threads that serve; auto: one per core"},
    {.key = "shutdown_delay",
     .type = FIELD_DURATION,
     .offset = offsetof(struct raw_settings, shutdown_delay),
     .max = 3600,
     .default_text = "0s",
     .help = "how long SIGTERM waits before it stops accepting"},
    {.key = "limits",
     .type = FIELD_GROUP,
     .fields = &limits_fields,
     .help = "bounds of what peers can take up"},
    {.key = "log", .type = FIELD_GROUP, .fields = &log_fields, .help = "logging"},
    {.key = "certificates",
     .type = FIELD_GROUPS,
     .offset = offsetof(struct raw_settings, certificates),
     .fields = &source_fields,
     .size = sizeof(struct raw_source),
     .help = "where certificates are, tried in order; default: where certbot puts them"},
    {.key = "acme",
     .type = FIELD_GROUP,
     .fields = &acme_fields,
     .help = "orders a certificate for each policy host that has none in certificates; needs "
             "state and policy_host"},
    {.key = "policy_host",
     .type = FIELD_GROUP,
     .fields = &policy_host_fields,
     .help = "what mta-sts.<domain> points to"},
    {.key = "report_host",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, report_host),
     .help = "host of \"https:\" report addresses; default: each domain's policy host"},
    {.key = "delegation_zone",
     .type = FIELD_TEXT,
     .offset = offsetof(struct raw_settings, delegation_zone),
     .help = "zone of the TXT records of delegated domains"},
    {.key = "check",
     .type = FIELD_GROUP,
     .fields = &check_fields,
     .help = "looks at all domains as senders do, by mta-stsd-check; needs state"},
    {.key = "on_change",
     .type = FIELD_GROUP,
     .fields = &on_change_fields,
     .help = "the program that publishes records which have changed; needs state"},
    {.key = "notify",
     .type = FIELD_GROUP,
     .fields = &notify_fields,
     .help = "the program that is told when something begins or ends; needs state"},
    {.key = "reports",
     .type = FIELD_GROUP,
     .fields = &report_fields,
     .help = "how TLS reports are judged"},
    {.key = "ttl", .type = FIELD_GROUP, .fields = &ttl_fields, .help = "TTLs of the records"},
    {.key = "include",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct raw_settings, include),
     .example = "[\"domains.d/*.yaml\"]",
     .help = "further files with policies and domains; * and ? match"},
};
static const struct field_stranger main_strangers[] = {
    {"mode", BELOW},    {"mx", BELOW},      {"max_age", BELOW},   {"tls_rpt", BELOW},
    {"id_salt", BELOW}, {"allow", BELOW},   {"policy", BELOW},    {"mta_sts", BELOW},
    {"zone", BELOW},    {"aliases", BELOW}, {"delegated", BELOW},
};
const struct fields schema_main = {ROWS(main_rows), STRANGERS(main_strangers),
                                   .base = &schema_include};
