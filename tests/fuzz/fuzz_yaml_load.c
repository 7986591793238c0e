/* SPDX-License-Identifier: MIT */
/*
 * A configuration of any bytes: either errors say why it is refused, or all that is served and
 * published from it is what strict readers take, within the bounds that DNS and senders have. What
 * is said is fit for a terminal and says where.
 */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/config/records_spec.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"
#include "lib/dns/record_parse.h"
#include "lib/policy/id.h"
#include "lib/policy/mx.h"
#include "lib/policy/parse.h"
#include "lib/policy/policy.h"

#include "require.h"

enum {
    PATH_SIZE = 32,
    TXT_MAX = 60000, /* what 65535 octets of RDATA hold, each string's length set aside */
};

/* Stands before the C library's: what an input includes is not looked for on this machine. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs are reserved */
int glob(const char *pattern, int flags, int (*on_error)(const char *path, int reason),
         glob_t *ret_matches)
{
    (void)pattern;
    (void)flags;
    (void)on_error;
    (void)ret_matches;
    return GLOB_NOMATCH;
}

static void require_name(const char *name)
{
    char again[DNS_NAME_MAX + 1];
    struct err err;

    require(dns_name_parse(slice_of(name), again, NULL, &err) == 0, "a name is one");
    require(strcmp(name, again) == 0, "a name is in stored form");
}

static void require_policy(const struct policy *policy, struct slice body)
{
    struct arena *arena = arena_new(0);
    struct policy parsed;
    struct err err;

    require(body.len <= POLICY_BODY_MAX, "a body is within its bound");
    require(policy_parse(body, arena, &parsed, &err) == 0, "a body is a policy");
    require(parsed.mode == policy->mode && parsed.max_age_s == policy->max_age_s &&
                parsed.n_mx == policy->n_mx,
            "a body is the policy");
    for (size_t i = 0; i < parsed.n_mx; i++) {
        require(slice_eq(parsed.mx[i], policy->mx[i]), "a body has the policy's mx");
        require(finding_row(mx_pattern_lint(policy->mx[i]).finding)->level != LEVEL_ERROR,
                "an mx is none that is refused");
    }
    arena_free(arena);
}

static void require_id(const struct policy_document *document, bool has_salt)
{
    char id[POLICY_ID_LEN + 1];

    require(strlen(document->id) == POLICY_ID_LEN, "an id has its length");
    policy_id_compute(document->body, (struct slice){0}, id);
    require(has_salt || strcmp(id, document->id) == 0, "an id is that of its body");
}

static void require_txt(const struct domain *domain, const struct dns_record *record,
                        struct arena *arena)
{
    struct slice text = slice_of(record->value);
    struct sts_record sts;
    struct tls_rpt_record tls_rpt;
    struct err err;

    require(text.len <= TXT_MAX, "a record fits into an answer");
    if (record->id) {
        require(sts_record_parse(&text, 1, &sts, &err) == 0, "an _mta-sts record is one");
        require(strcmp(sts.id, domain->document->id) == 0, "an _mta-sts record has the id");
        return;
    }
    require(tls_rpt_record_parse(&text, 1, arena, &tls_rpt, &err) == 0, "a TLS-RPT record is one");
    require(tls_rpt.n_rua == domain->reporting->n_rua, "a TLS-RPT record has all addresses");
    for (size_t i = 0; i < tls_rpt.n_rua; i++)
        require(slice_eq_text(tls_rpt.rua[i], domain->reporting->rua[i]),
                "a TLS-RPT record has each address");
}

static void require_records(const struct config *config, const struct domain *domain)
{
    struct domain_records_spec spec = domain_records_spec_make(config, domain, NULL);
    struct arena *arena = arena_new(0);
    struct dns_record *records;
    size_t n_records = dns_records_list(&spec, arena, &records);

    for (size_t i = 0; i < n_records; i++) {
        require(strlen(records[i].name) <= DNS_NAME_MAX, "a record's name is within its bound");
        if (records[i].type == RECORD_TXT)
            require_txt(domain, &records[i], arena);
        if (records[i].type == RECORD_CNAME)
            require(strcmp(records[i].name, records[i].value) != 0, "no CNAME is to itself");
    }
    arena_free(arena);
}

static void require_domain(const struct config *config, const struct domain *domain, bool has_salt)
{
    require_name(domain->name);
    require_name(domain->zone);
    require(strlen(domain->name) + strlen(DNS_PREFIX_POLICY_HOST) <= DNS_NAME_MAX,
            "a policy host's name is within its bound");
    require(dns_name_is_within(slice_of(domain->name), slice_of(domain->zone)),
            "a domain is in its zone");
    require(domain->document || domain->reporting, "a domain publishes something");
    require(domain->delegated == 0 || config->delegation_zone, "who delegates has where to");
    require(config_find_domain(config, slice_of(domain->name)) == domain, "a domain is found");
    if (domain->document) {
        require_policy(&domain->document->policy, domain->document->body);
        require_id(domain->document, has_salt);
    }
    require_records(config, domain);
}

/* Findings are lines of printable ASCII that begin with a place and end with a code. */
static void require_findings(struct diag *diag, const char *path)
{
    char *text = NULL, *line, *rest;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    diag_print(diag, LEVEL_NOTE, out);
    fclose(out);
    require(strlen(text) == len, "findings have no NUL");
    for (rest = text; (line = strsep(&rest, "\n")) && rest;) {
        struct slice slice = slice_of(line);

        for (size_t i = 0; i < slice.len; i++)
            require(slice.ptr[i] >= ' ' && slice.ptr[i] <= '~', "findings are printable ASCII");
        require((slice_starts_with(slice, path) && slice.ptr[strlen(path)] == ':' &&
                 slice_ends_with(slice, "]")) ||
                    slice_starts_with(slice, "... and "),
                "a finding has a place and a code");
    }
    free(text);
}

static void require_config(const struct config *config, bool has_salt)
{
    require(config->n_domains > 0, "there is a domain");
    for (size_t i = 0; i < config->n_domains; i++) {
        require_domain(config, &config->domains[i], has_salt);
        require(i == 0 || strcmp(config->domains[i - 1].name, config->domains[i].name) < 0,
                "domains are sorted and each is there once");
    }
    if (config->policy_host_name)
        require_name(config->policy_host_name);
    if (config->report_host)
        require_name(config->report_host);
    if (config->delegation_zone)
        require_name(config->delegation_zone);
}

/* A key can be written with escapes; then nothing is known of the salt. */
static bool may_have_salt(struct slice input)
{
    return slice_find_byte(input, '\\') < input.len ||
           memmem(input.ptr, input.len, "id_salt", strlen("id_salt"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {(const char *)data, size};
    int fd = memfd_create("input", MFD_CLOEXEC);
    struct diag *diag = diag_new(&config_findings);
    struct config *config;
    char path[PATH_SIZE];

    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "there is room for the input");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    config = config_load(path, diag);
    require((config == NULL) == (diag_count(diag, LEVEL_ERROR) > 0), "errors refuse, nothing else");
    if (config)
        require_config(config, size > 0 && may_have_salt(input));
    require_findings(diag, path);
    config_unref(config);
    diag_free(diag);
    close(fd);
    return 0;
}
