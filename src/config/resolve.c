/* SPDX-License-Identifier: MIT */
#include "config/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/nearest.h"
#include "config/config.h"
#include "config/document.h"
#include "config/effective.h"
#include "config/read.h"
#include "dns/name.h"
#include "dns/record.h"

/* A named policy and what the domains that use it unchanged share. */
struct named {
    const char *name; /* of the snapshot */
    const struct raw_named_policy *raw;
    finding_set allow;                      /* the policy's own */
    finding_set users_allow;                /* what every user allows */
    size_t n_users;                         /* domains that name it */
    size_t n_plain;                         /* those that serve it unchanged */
    bool is_broken;                         /* its error is reported; its users are not looked at */
    const struct policy_document *document; /* NULL: another one for each domain */
    const struct reporting *reporting;
};

struct resolving {
    struct config *config;
    struct diag *diag;
    struct arena *scratch; /* reset after each domain */
    struct named *named;   /* sorted by name */
    size_t n_named;
    struct documents *documents;
};

static finding_set allow_set(const struct field_texts *allow)
{
    finding_set set = 0;

    for (size_t i = 0; i < allow->n_items; i++)
        set |= finding_bit(finding_find(allow->items[i].text));
    return set;
}

static void check_allow(struct resolving *resolving, const struct field_texts *allow,
                        const char *path)
{
    for (size_t i = 0; i < allow->n_items; i++) {
        const struct field_text *code = &allow->items[i];
        enum finding finding = finding_find(code->text);
        char quoted[ERR_QUOTE_MAX], key[FIELD_PATH_MAX + 32];

        err_quote(quoted, sizeof(quoted), code->text);
        snprintf(key, sizeof(key), "%s.allow[%zu]", path, i);
        if (finding == FINDING_NONE)
            diag_add(resolving->diag, FINDING_BAD_VALUE, code->place, key,
                     "%s is not the code of a finding; codes stand in [] after a message", quoted);
        else if (finding_row(finding)->level == LEVEL_ERROR)
            diag_add(resolving->diag, FINDING_BAD_VALUE, code->place, key,
                     "%s is an error; only warnings and notes can be allowed", quoted);
    }
}

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static void sort_policies(struct resolving *resolving, const struct raw_config *raw)
{
    struct named *named = memory_alloc((raw->n_policies + 1) * sizeof(*named));

    for (size_t i = 0; i < raw->n_policies; i++) {
        const struct raw_named_policy *policy = &raw->policies[i];

        named[i] = (struct named){
            .name = arena_copy(resolving->config->arena, policy->name.text),
            .raw = policy,
            .users_allow = ~(finding_set)0,
        };
    }
    qsort(named, raw->n_policies, sizeof(*named), compare_named);
    for (size_t i = 1; i < raw->n_policies; i++)
        if (strcmp(named[i - 1].name, named[i].name) == 0)
            diag_add(resolving->diag, FINDING_KEY_DUPLICATE, named[i].raw->name.place, "policies",
                     "the policy '%s' is given twice", named[i].name);
    resolving->named = named;
    resolving->n_named = raw->n_policies;
}

static struct named *find_named(struct resolving *resolving, struct slice name)
{
    const struct named key = {.name = name.ptr};

    return bsearch(&key, resolving->named, resolving->n_named, sizeof(key), compare_named);
}

static void report_unknown(struct resolving *resolving, const struct raw_entry *entry,
                           const char *path)
{
    char quoted[ERR_QUOTE_MAX];
    const char *names[64], *nearest;
    size_t n_names = 0;

    for (size_t i = 0; i < resolving->n_named && n_names < ARRAY_LEN(names); i++)
        names[n_names++] = resolving->named[i].name;
    nearest = nearest_word(entry->policy.text, names, n_names);
    diag_add(resolving->diag, FINDING_POLICY_UNKNOWN, entry->policy.place, path,
             "there is no policy %s under policies:%s%s%s",
             err_quote(quoted, sizeof(quoted), entry->policy.text),
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static bool has_mta_sts(const struct raw_entry *entry)
{
    const struct raw_domain *raw = entry->long_form;

    return !raw || raw->mta_sts.place.line == 0 || raw->mta_sts.value == 1;
}

/* Before anything is checked: who uses which policy, and how. */
static void count_user(struct resolving *resolving, const struct raw_entry *entry)
{
    const struct raw_domain *raw = entry->long_form;
    struct named *named = NULL;

    if (entry->policy.place.line != 0)
        named = find_named(resolving, entry->policy.text);
    if (!named)
        return;
    named->n_users++;
    named->users_allow &= raw ? allow_set(&raw->own.allow) : 0;
    if (has_mta_sts(entry) && !(raw && raw_policy_is_given(&raw->own)))
        named->n_plain++;
}

/* A named policy is checked once, for all who use it unchanged, with any domain for {domain}. */
static void resolve_named(struct resolving *resolving, struct named *named)
{
    const struct config *config = resolving->config;
    const struct raw_policy *keys = &named->raw->keys;
    char path[FIELD_PATH_MAX];
    struct effective effective;

    snprintf(path, sizeof(path), "policies.%s", named->name);
    check_allow(resolving, &keys->allow, path);
    named->allow = allow_set(&keys->allow);
    effective = (struct effective){
        .keys = *keys,
        .own = keys,
        .domain = EFFECTIVE_ANY_DOMAIN,
        .path = path,
        .place = named->raw->name.place,
        .allow = named->allow | (named->n_users > 0 ? named->users_allow : 0),
        .needs_mx = named->n_plain > 0,
    };
    if (named->n_users == 0 && !(named->allow & finding_bit(FINDING_POLICY_UNUSED)))
        diag_add(resolving->diag, FINDING_POLICY_UNUSED, effective.place, path,
                 "no domain uses this policy");
    effective_expand(&effective, config->report_host, resolving->scratch);
    if (effective_check(&effective, resolving->diag) != 0) {
        named->is_broken = true;
    } else {
        if (named->n_plain > 0 && !raw_policy_has_domain_mx(keys)) {
            named->document = documents_intern(resolving->documents, &effective, resolving->scratch,
                                               resolving->diag);
            named->is_broken = !named->document;
        }
        if (!raw_policy_has_domain_rua(keys, config->report_host))
            named->reporting = reporting_keep(&effective, config->arena);
    }
    arena_reset(resolving->scratch);
}

static void check_length(struct resolving *resolving, const struct domain *domain, const char *path,
                         const char *prefix, const char *zone)
{
    size_t len = strlen(prefix) + strlen(domain->name) + (zone ? strlen(zone) + 1 : 0);

    if (len > DNS_NAME_MAX)
        diag_add(resolving->diag, FINDING_NAME_TOO_LONG, domain->place, path,
                 "'%s%s%s%s' would have %zu octets; DNS allows %d", prefix, domain->name,
                 zone ? "." : "", zone ? zone : "", len, DNS_NAME_MAX);
}

/* What the domain's records need: names that fit, a zone that holds them, a target elsewhere. */
static void check_names(struct resolving *resolving, const struct domain *domain, const char *path)
{
    static const size_t prefix_len = sizeof(DNS_PREFIX_POLICY_HOST) - 1;
    const struct config *config = resolving->config;
    const char *zone = config->delegation_zone, *target = config->policy_host_name;

    if (domain->document)
        check_length(resolving, domain, path, DNS_PREFIX_MTA_STS,
                     domain->delegated & DELEGATED_MTA_STS ? zone : NULL);
    if (domain->reporting)
        check_length(resolving, domain, path, DNS_PREFIX_TLS_RPT,
                     domain->delegated & DELEGATED_TLS_RPT ? zone : NULL);
    if (domain->document && target && slice_starts_with(slice_of(target), DNS_PREFIX_POLICY_HOST) &&
        strcmp(target + prefix_len, domain->name) == 0)
        diag_add(resolving->diag, FINDING_POLICY_HOST_LOOP, domain->place, path,
                 "'%s' is policy_host.name and would be a CNAME to itself; give policy_host "
                 "another name",
                 target);
}

static void resolve_zone(struct resolving *resolving, const struct field_text *zone,
                         const char *path, struct domain *domain)
{
    char name[DNS_NAME_MAX + 1], quoted[ERR_QUOTE_MAX], key[FIELD_PATH_MAX + 32];
    struct err err;
    size_t len;

    domain->zone = domain->name;
    if (zone->place.line == 0)
        return;
    snprintf(key, sizeof(key), "%s.zone", path);
    err_quote(quoted, sizeof(quoted), zone->text);
    if (dns_name_parse(zone->text, name, &len, &err) != 0)
        diag_add(resolving->diag, FINDING_NAME_SYNTAX, zone->place, key, "%s %s", quoted, err.msg);
    else if (!dns_name_is_within(slice_of(domain->name), (struct slice){name, len}))
        diag_add(resolving->diag, FINDING_BAD_VALUE, zone->place, key,
                 "%s does not hold '%s'; a zone is the domain itself or one above it", quoted,
                 domain->name);
    else if (strcmp(name, domain->name) != 0)
        domain->zone = arena_copy(resolving->config->arena, (struct slice){name, len});
}

static void check_long_form(struct resolving *resolving, const struct raw_domain *raw,
                            const struct domain *domain, const char *path)
{
    if (domain->delegated != 0 && !resolving->config->delegation_zone)
        diag_add(resolving->diag, FINDING_KEY_MISSING, raw->delegated.place, path,
                 "a delegated domain needs delegation_zone: in the main file, the zone that holds "
                 "the TXT records");
    if ((domain->delegated & DELEGATED_TLS_RPT) && !domain->reporting)
        diag_add(resolving->diag, FINDING_KEY_CONFLICT, raw->delegated.place, path,
                 "tls-rpt is delegated, but the domain has no tls_rpt to publish");
    if ((domain->delegated & DELEGATED_MTA_STS) && !domain->document)
        diag_add(resolving->diag, FINDING_KEY_CONFLICT, raw->delegated.place, path,
                 "mta-sts is delegated, but mta_sts is false");
    if (!domain->document && !domain->reporting)
        diag_add(resolving->diag, FINDING_KEY_MISSING, domain->place, path,
                 "mta_sts is false and there is no tls_rpt: nothing is left to publish");
}

/* A policy of the domain's own: overrides, {domain} in an mx, or no named policy at all. */
static int build_own(struct resolving *resolving, const struct raw_entry *entry,
                     const struct named *named, const char *path, struct domain *domain)
{
    static const struct raw_policy nothing;
    const struct raw_policy *own = entry->long_form ? &entry->long_form->own : &nothing;
    const struct config *config = resolving->config;
    struct effective effective = {
        .keys = raw_policy_merge(named ? &named->raw->keys : &nothing, own),
        .own = own,
        .domain = domain->name,
        .path = path,
        .place = entry->place,
        .allow = domain->allow | (named ? named->allow : 0),
        .needs_mx = has_mta_sts(entry),
    };

    effective_expand(&effective, config->report_host, resolving->scratch);
    if (effective_check(&effective, resolving->diag) != 0)
        return -1;
    if (has_mta_sts(entry)) {
        domain->document =
            documents_intern(resolving->documents, &effective, resolving->scratch, resolving->diag);
        if (!domain->document)
            return -1;
    }
    domain->reporting = reporting_keep(&effective, config->arena);
    return 0;
}

/* Returns 0, or -1 if an error about the policy is reported already. */
static int build_policy(struct resolving *resolving, const struct raw_entry *entry,
                        const struct named *named, const char *path, struct domain *domain)
{
    const struct raw_domain *raw = entry->long_form;
    bool is_served = has_mta_sts(entry);
    bool has_own = raw && raw_policy_is_given(&raw->own);

    if (named && !has_own && (named->document || !is_served) &&
        !raw_policy_has_domain_rua(&named->raw->keys, resolving->config->report_host)) {
        domain->document = is_served ? named->document : NULL;
        domain->reporting = named->reporting;
        return 0;
    }
    return build_own(resolving, entry, named, path, domain);
}

static void resolve_domain(struct resolving *resolving, const struct raw_entry *entry,
                           struct domain *domain)
{
    const struct raw_domain *raw = entry->long_form;
    struct named *named = NULL;
    char path[FIELD_PATH_MAX];

    snprintf(path, sizeof(path), "domains.%s", entry->name);
    *domain = (struct domain){.name = entry->name, .place = entry->place, .zone = entry->name};
    if (entry->policy.place.line != 0) {
        named = find_named(resolving, entry->policy.text);
        if (!named)
            report_unknown(resolving, entry, path);
        if (!named || named->is_broken)
            return;
        domain->policy_name = named->name;
        domain->allow = named->allow;
    }
    if (raw) {
        check_allow(resolving, &raw->own.allow, path);
        domain->allow |= allow_set(&raw->own.allow);
        domain->delegated = raw->delegated.value;
        if (raw_policy_is_given(&raw->own))
            domain->policy_name = NULL;
        resolve_zone(resolving, &raw->zone, path, domain);
    }
    if (build_policy(resolving, entry, named, path, domain) == 0) {
        check_names(resolving, domain, path);
        if (raw)
            check_long_form(resolving, raw, domain, path);
    }
    arena_reset(resolving->scratch);
}

static int compare_domains(const void *left, const void *right)
{
    const struct domain *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    /* Of two entries for one domain, the one given first comes first. */
    return order != 0 ? order : (a->place.line > b->place.line) - (a->place.line < b->place.line);
}

static void report_duplicate(struct resolving *resolving, const struct domain *first,
                             const struct domain *second)
{
    char path[FIELD_PATH_MAX];

    snprintf(path, sizeof(path), "domains.%s", second->name);
    diag_add(resolving->diag, FINDING_DOMAIN_DUPLICATE, second->place, path,
             "the domain is given already at %s:%u:%u", first->place.file, first->place.line,
             first->place.column);
}

void domains_resolve(const struct raw_config *raw, struct config *config, struct diag *diag)
{
    struct resolving resolving = {
        .config = config,
        .diag = diag,
        .scratch = arena_new(0),
        .documents = documents_new(config->arena),
    };
    struct domain *domains = arena_array(config->arena, raw->n_entries, sizeof(*domains));

    sort_policies(&resolving, raw);
    for (size_t i = 0; i < raw->n_entries; i++)
        count_user(&resolving, &raw->entries[i]);
    for (size_t i = 0; i < resolving.n_named; i++)
        resolve_named(&resolving, &resolving.named[i]);
    for (size_t i = 0; i < raw->n_entries; i++)
        resolve_domain(&resolving, &raw->entries[i], &domains[i]);
    qsort(domains, raw->n_entries, sizeof(*domains), compare_domains);
    for (size_t i = 1; i < raw->n_entries; i++)
        if (strcmp(domains[i - 1].name, domains[i].name) == 0)
            report_duplicate(&resolving, &domains[i - 1], &domains[i]);
    config->domains = domains;
    config->n_domains = raw->n_entries;
    documents_free(resolving.documents);
    free(resolving.named);
    arena_free(resolving.scratch);
}
