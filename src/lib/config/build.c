/* SPDX-License-Identifier: MIT */
#include "lib/config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/document.h"
#include "lib/config/parse.h"
#include "lib/config/policies.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"

enum {
    DOMAINS_FIRST =
        2048, /* in the array that grows; enough to be mapped, as in arena_new_large() */
};

/** What all domains are built with. */
struct domains_context {
    struct build_context build;
    const struct raw_config *raw;
    struct named_policy *default_policy; /* of domains that name none; NULL: there is none */
    size_t size;                         /* of config->domains */
    size_t n_build_errors;               /* errors that were added here, not by the parser */
};

static void check_name_length(const struct build_context *context, const struct domain *domain,
                              const char *path, const char *prefix, const char *zone)
{
    size_t len = strlen(prefix) + strlen(domain->name) + (zone ? strlen(zone) + 1 : 0);

    if (len > DNS_NAME_MAX)
        diag_add(context->diag, FINDING_NAME_TOO_LONG, domain->place, path,
                 "'%s%s%s%s' would have %zu octets; DNS allows %d", prefix, domain->name,
                 zone ? "." : "", zone ? zone : "", len, DNS_NAME_MAX);
}

/* Checks that the names of the domain's records fit, and that no CNAME points to itself. */
static void check_names(const struct build_context *context, const struct domain *domain,
                        const char *path)
{
    static const size_t prefix_len = sizeof(DNS_PREFIX_POLICY_HOST) - 1;
    const struct config *config = context->config;
    const char *zone = config->delegation_zone, *target = config->policy_host_name;

    if (domain->document)
        check_name_length(context, domain, path, DNS_PREFIX_MTA_STS,
                          domain->delegated & DELEGATED_MTA_STS ? zone : NULL);
    if (domain->reporting)
        check_name_length(context, domain, path, DNS_PREFIX_TLS_RPT,
                          domain->delegated & DELEGATED_TLS_RPT ? zone : NULL);
    if (domain->document && target && slice_starts_with(slice_of(target), DNS_PREFIX_POLICY_HOST) &&
        strcmp(target + prefix_len, domain->name) == 0)
        diag_add(context->diag, FINDING_POLICY_HOST_LOOP, domain->place, path,
                 "'%s' is policy_host.name and would be a CNAME to itself; give policy_host "
                 "another name",
                 target);
}

static void build_zone(const struct build_context *context, const struct raw_domain *raw,
                       struct domain *domain)
{
    const struct field_text *zone = &raw->zone;
    char name[DNS_NAME_MAX + 1], quoted[ERR_QUOTE_MAX], key[YAML_PATH_MAX + 32];
    struct err err;
    size_t len;

    domain->zone = domain->name;
    domain->has_own_zone = false;
    if (zone->text.len == 0)
        return;
    snprintf(key, sizeof(key), "%s.zone", raw->path);
    err_quote(quoted, sizeof(quoted), zone->text);
    if (dns_name_parse(zone->text, name, &len, &err) != 0)
        diag_add(context->diag, FINDING_NAME_SYNTAX, zone->place, key,
                 "%s is no domain name: it %s", quoted, err.msg);
    else if (raw->is_alias &&
             !dns_name_is_within(slice_of(domain->name), (struct slice){name, len}))
        return; /* the zone is that of the entry's own domain */
    else if (!dns_name_is_within(slice_of(domain->name), (struct slice){name, len}))
        diag_add(context->diag, FINDING_BAD_VALUE, zone->place, key,
                 "%s does not contain '%s'; a zone is the domain itself or one above it", quoted,
                 domain->name);
    else
        domain->has_own_zone = true;
    if (domain->has_own_zone && strcmp(name, domain->name) != 0)
        domain->zone = arena_copy(context->config->arena, (struct slice){name, len});
}

static void check_delegated(const struct build_context *context, const struct raw_domain *raw,
                            const struct domain *domain, bool has_delegation_zone)
{
    char key[YAML_PATH_MAX + 32];

    if (domain->delegated == 0)
        return;
    snprintf(key, sizeof(key), "%s.delegated", raw->path);
    if (!has_delegation_zone)
        diag_add(context->diag, FINDING_KEY_MISSING, raw->delegated.place, key,
                 "a delegated domain needs delegation_zone: in the main file, the zone that "
                 "contains the TXT records");
    if ((domain->delegated & DELEGATED_TLS_RPT) && !domain->reporting)
        diag_add(context->diag, FINDING_KEY_CONFLICT, raw->delegated.place, key,
                 "tls-rpt is delegated, and there is no tls_rpt to publish; give one or leave it "
                 "out here");
    if ((domain->delegated & DELEGATED_MTA_STS) && !domain->document)
        diag_add(context->diag, FINDING_KEY_CONFLICT, raw->delegated.place, key,
                 "mta-sts is delegated, and mta_sts is false; leave one of them out");
}

static void check_publication(const struct build_context *context, const struct domain *domain,
                              const char *path)
{
    if (!domain->document && !domain->reporting)
        diag_add(context->diag, FINDING_KEY_MISSING, domain->place, path,
                 "mta_sts is false and there is no tls_rpt: nothing is left to publish; give "
                 "tls_rpt, or leave mta_sts out");
}

/* Returns the named policy's report addresses, unless the domain has its own. */
static const struct reporting *build_reporting(const struct build_context *context,
                                               const struct raw_domain *raw,
                                               const struct named_policy *policy,
                                               const struct merged_policy *merged)
{
    if (policy && policy->reporting && raw->keys.tls_rpt.place.line == 0)
        return policy->reporting;
    return reporting_keep(merged, context->config->arena);
}

static enum intake build_intake(const struct config *config, bool has_policy_host)
{
    if (!config->state)
        return INTAKE_WITHOUT_STATE;
    return config->report_host || has_policy_host ? INTAKE_SERVED : INTAKE_WITHOUT_HOST;
}

/*
 * Builds a policy of the domain's own: overrides, {domain} in an mx, or no named policy at all. If
 * not all keys are known, those that are known are checked and nothing is built.
 */
static int build_own_policy(const struct build_context *context, const struct raw_domain *raw,
                            const struct named_policy *policy, bool is_complete,
                            struct domain *domain)
{
    static const struct raw_policy nothing;
    bool is_served = raw->mta_sts.value;
    struct merged_policy merged = {
        .keys = raw_policy_merge(policy ? &policy->keys : &nothing, &raw->keys),
        .own_keys = raw->is_alias ? &nothing : &raw->keys,
        .domain = domain->name,
        .path = raw->path,
        .place = domain->place,
        .allow = domain->allow | (is_served ? 0 : finding_bit(FINDING_ENFORCE_UNREPORTED)),
        .needs_mx = is_served,
        .intake = build_intake(context->config, is_served),
        .is_complete = is_complete,
    };

    merged_policy_expand(&merged, context->config->report_host, context->scratch);
    if (merged_policy_check(&merged, context->diag) != 0 || !is_complete)
        return -1;
    domain->reporting = build_reporting(context, raw, policy, &merged);
    if (!is_served)
        return 0;
    domain->document =
        documents_intern(context->documents, &merged, context->scratch, context->diag);
    return domain->document ? 0 : -1;
}

/*
 * policy  NULL: the domain names none, or none that can be used
 * Returns 0, or -1 if an error about the policy is reported already.
 */
static int build_policy(const struct build_context *context, const struct raw_domain *raw,
                        const struct named_policy *policy, bool is_complete, struct domain *domain)
{
    bool is_served = raw->mta_sts.value;

    if (!policy || !is_complete || raw_policy_is_given(&raw->keys) ||
        (is_served && !policy->document) ||
        raw_policy_has_domain_rua(&policy->keys, context->config->report_host))
        return build_own_policy(context, raw, policy, is_complete, domain);
    domain->document = is_served ? policy->document : NULL;
    domain->reporting = policy->reporting;
    return 0;
}

static void build_domain(const struct domains_context *domains, const struct raw_domain *raw,
                         struct domain *domain)
{
    const struct build_context *context = &domains->build;
    const struct raw_config *raw_config = domains->raw;
    bool names_policy = raw->policy.place.line != 0, is_complete = !raw->is_broken;
    struct named_policy *policy = names_policy ? NULL : domains->default_policy;

    *domain = (struct domain){
        .name = arena_copy(context->config->arena, slice_of(raw->name)),
        .place = raw->place,
    };
    if (names_policy)
        policy = named_policies_find(&raw_config->policies, raw, raw_config->is_cut, context->diag);
    if (policy)
        named_policy_add_user(policy, raw);
    /* The default policy may be in a file that could not be read. */
    if (!policy && !names_policy && raw_config->is_cut)
        is_complete = false;
    if ((names_policy && !policy) || (policy && !named_policy_is_usable(policy, raw))) {
        policy = NULL;
        is_complete = false;
    }
    domain->allow = raw_policy_allow(&raw->keys) | (policy ? policy->allow : 0);
    if (policy && !raw_policy_is_given(&raw->keys))
        domain->policy_name = policy->name.text.ptr;
    if (!raw->is_alias)
        raw_policy_check_allow(&raw->keys, raw->path, context->diag);
    domain->delegated = raw->delegated.value;
    build_zone(context, raw, domain);
    if (build_policy(context, raw, policy, is_complete, domain) == 0) {
        check_names(context, domain, raw->path);
        check_delegated(context, raw, domain, raw_config->settings.delegation_zone.place.line != 0);
        check_publication(context, domain, raw->path);
    }
}

static void build_add_domain(void *user, const struct raw_domain *raw)
{
    struct domains_context *domains = user;
    struct diag *diag = domains->build.diag;
    size_t n_errors = diag_count(diag, LEVEL_ERROR);
    struct config *config = domains->build.config;

    if (config->n_domains == domains->size) {
        domains->size = domains->size == 0 ? DOMAINS_FIRST : domains->size * 2;
        config->domains = memory_resize(config->domains, domains->size, sizeof(*config->domains));
    }
    build_domain(domains, raw, &config->domains[config->n_domains++]);
    arena_reset(domains->build.scratch);
    domains->n_build_errors += diag_count(diag, LEVEL_ERROR) - n_errors;
}

/* Two entries for one domain keep the order that they have in the files. */
static int compare_by_name(const void *left, const void *right)
{
    const struct domain *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : place_compare(a->place, b->place);
}

static void report_duplicate_domain(const struct build_context *context, const struct domain *first,
                                    const struct domain *second)
{
    char path[YAML_PATH_MAX];

    snprintf(path, sizeof(path), "domains.%s", second->name);
    diag_add(context->diag, FINDING_DOMAIN_DUPLICATE, second->place, path,
             "the domain is given already at %s:%u:%u; keep one of them", first->place.file,
             first->place.line, first->place.column);
}

static const struct domain *find_domain_above(const struct config *config, const char *name)
{
    const struct domain *above = NULL;

    while (!above && (name = strchr(name, '.')))
        above = config_find_domain(config, slice_of(++name));
    return above;
}

/*
 * Most domains below another one are in its zone. Records that are taken for those of a zone which
 * does not exist are refused by some DNS tools, and DNSControl leaves alone the wrong name.
 */
static void check_zone_is_clear(const struct build_context *context, const struct domain *domain)
{
    const struct domain *above;
    char path[YAML_PATH_MAX];

    if (domain->has_own_zone || (domain->allow & finding_bit(FINDING_ZONE_UNCLEAR)))
        return;
    above = find_domain_above(context->config, domain->name);
    if (!above)
        return;
    snprintf(path, sizeof(path), "domains.%s", domain->name);
    diag_add(context->diag, FINDING_ZONE_UNCLEAR, domain->place, path,
             "'%s' above it is a domain here too; say in which DNS zone it is: zone: %s, or zone: "
             "%s if that is a zone of its own, as it is taken to be",
             above->name, above->zone, domain->name);
}

void config_build(struct raw_config *raw, struct arena *scratch, struct config *config,
                  struct diag *diag)
{
    struct domains_context domains = {
        .build = {config, documents_new(config->arena), diag, arena_new(0)},
        .raw = raw,
    };
    const struct build_context *context = &domains.build;
    size_t n_read_errors;

    named_policies_prepare(&raw->policies, context);
    domains.default_policy = named_policies_default(&raw->policies);
    raw_config_parse_domains(raw, scratch, diag, build_add_domain, &domains);
    n_read_errors = diag_count(diag, LEVEL_ERROR) - domains.n_build_errors;
    named_policies_report(&raw->policies, context, n_read_errors == 0);
    if (config->n_domains > 0)
        qsort(config->domains, config->n_domains, sizeof(*config->domains), compare_by_name);
    for (size_t i = 1; i < config->n_domains; i++)
        if (strcmp(config->domains[i - 1].name, config->domains[i].name) == 0)
            report_duplicate_domain(context, &config->domains[i - 1], &config->domains[i]);
    for (size_t i = 0; i < config->n_domains; i++)
        check_zone_is_clear(context, &config->domains[i]);
    documents_free(context->documents);
    arena_free(context->scratch);
}
