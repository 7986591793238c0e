/* SPDX-License-Identifier: MIT */
#include "lib/config/build.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/document.h"
#include "lib/config/parse.h"
#include "lib/config/policies.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"

struct resolving {
    struct named_context context;
    struct named_list policies;
    struct config *config;
    struct diag *diag;
    struct arena *scratch; /* reset after each domain */
    struct documents *documents;
};

/* One entry on its way to a domain. */
struct subject {
    const struct raw_entry *entry;
    struct raw_domain raw;
    const struct named *named; /* NULL: names no policy, or none that can be used */
    bool is_whole;             /* false: of its keys, or its policy's, some are not known */
    char path[YAML_PATH_MAX];
    struct domain *domain;
};

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
    char name[DNS_NAME_MAX + 1], quoted[ERR_QUOTE_MAX], key[YAML_PATH_MAX + 32];
    struct err err;
    size_t len;

    domain->zone = domain->name;
    if (zone->text.len == 0)
        return;
    snprintf(key, sizeof(key), "%s.zone", path);
    err_quote(quoted, sizeof(quoted), zone->text);
    if (dns_name_parse(zone->text, name, &len, &err) != 0)
        diag_add(resolving->diag, FINDING_NAME_SYNTAX, zone->place, key,
                 "%s is no domain name: it %s", quoted, err.msg);
    else if (!dns_name_is_within(slice_of(domain->name), (struct slice){name, len}))
        diag_add(resolving->diag, FINDING_BAD_VALUE, zone->place, key,
                 "%s does not hold '%s'; a zone is the domain itself or one above it", quoted,
                 domain->name);
    else if (strcmp(name, domain->name) != 0)
        domain->zone = arena_copy(resolving->config->arena, (struct slice){name, len});
}

static void check_delegated(struct resolving *resolving, const struct raw_domain *raw,
                            const struct domain *domain, const char *path)
{
    bool has_zone = resolving->context.raw->settings.delegation_zone.place.line != 0;
    char key[YAML_PATH_MAX + 32];

    if (domain->delegated == 0)
        return;
    snprintf(key, sizeof(key), "%s.delegated", path);
    if (!has_zone)
        diag_add(resolving->diag, FINDING_KEY_MISSING, raw->delegated.place, key,
                 "a delegated domain needs delegation_zone: in the main file, the zone that holds "
                 "the TXT records");
    if ((domain->delegated & DELEGATED_TLS_RPT) && !domain->reporting)
        diag_add(resolving->diag, FINDING_KEY_CONFLICT, raw->delegated.place, key,
                 "tls-rpt is delegated, and there is no tls_rpt to publish; give one or leave it "
                 "out here");
    if ((domain->delegated & DELEGATED_MTA_STS) && !domain->document)
        diag_add(resolving->diag, FINDING_KEY_CONFLICT, raw->delegated.place, key,
                 "mta-sts is delegated, and mta_sts is false; leave one of them out");
}

static void check_publication(struct resolving *resolving, const struct domain *domain,
                              const char *path)
{
    if (!domain->document && !domain->reporting)
        diag_add(resolving->diag, FINDING_KEY_MISSING, domain->place, path,
                 "mta_sts is false and there is no tls_rpt: nothing is left to publish; give "
                 "tls_rpt, or leave mta_sts out");
}

/* What is kept of the report addresses: the named policy's, unless they are the domain's own. */
static const struct reporting *resolve_reporting(const struct resolving *resolving,
                                                 const struct subject *subject,
                                                 const struct effective *effective)
{
    if (subject->named && subject->named->reporting && subject->raw.own.tls_rpt.place.line == 0)
        return subject->named->reporting;
    return reporting_keep(effective, resolving->config->arena);
}

/*
 * A policy of the domain's own: overrides, {domain} in an mx, or no named policy at all. Of a
 * subject that is not whole, what is there is checked and nothing is made.
 */
static int build_own(struct resolving *resolving, const struct subject *subject)
{
    static const struct raw_policy nothing;
    const struct raw_policy *base = subject->named ? &subject->named->raw->keys : &nothing;
    const struct raw_policy *own = &subject->raw.own;
    bool is_served = subject->raw.mta_sts.value;
    struct domain *domain = subject->domain;
    struct effective effective = {
        .keys = raw_policy_merge(base, own),
        .own = own,
        .domain = domain->name,
        .path = subject->path,
        .place = domain->place,
        .allow = domain->allow | (is_served ? 0 : finding_bit(FINDING_ENFORCE_UNREPORTED)),
        .needs_mx = is_served,
        .is_whole = subject->is_whole,
    };

    effective_expand(&effective, resolving->config->report_host, resolving->scratch);
    if (effective_check(&effective, resolving->diag) != 0 || !subject->is_whole)
        return -1;
    domain->reporting = resolve_reporting(resolving, subject, &effective);
    if (!is_served)
        return 0;
    domain->document =
        documents_intern(resolving->documents, &effective, resolving->scratch, resolving->diag);
    return domain->document ? 0 : -1;
}

/* Returns 0, or -1 if an error about the policy is reported already. */
static int build_policy(struct resolving *resolving, const struct subject *subject)
{
    const struct named *named = subject->named;
    bool is_served = subject->raw.mta_sts.value;

    if (named && subject->is_whole && !raw_policy_is_given(&subject->raw.own) &&
        (named->document || !is_served) &&
        !raw_policy_has_domain_rua(&named->raw->keys, resolving->config->report_host)) {
        subject->domain->document = is_served ? named->document : NULL;
        subject->domain->reporting = named->reporting;
        return 0;
    }
    return build_own(resolving, subject);
}

static void resolve_policy_name(struct resolving *resolving, struct subject *subject)
{
    struct domain *domain = subject->domain;
    const struct named *named;

    if (subject->entry->policy.place.line == 0)
        return;
    named =
        named_list_find(&resolving->policies, &resolving->context, subject->entry, subject->path);
    if (!named || named->is_broken) {
        subject->is_whole = false;
        return;
    }
    subject->named = named;
    domain->allow = named->allow;
    if (!raw_policy_is_given(&subject->raw.own))
        domain->policy_name = named->name;
}

static void resolve_domain(struct resolving *resolving, const struct raw_entry *entry,
                           struct domain *domain)
{
    struct subject subject = {.entry = entry, .is_whole = !entry->is_broken, .domain = domain};
    const struct raw_domain *raw = &subject.raw;

    raw_entry_unpack(resolving->context.raw, entry, resolving->scratch, &subject.raw);
    snprintf(subject.path, sizeof(subject.path), "domains.%s", entry->name);
    *domain = (struct domain){.name = entry->name, .place = entry->place, .zone = entry->name};
    resolve_policy_name(resolving, &subject);
    raw_policy_check_allow(&raw->own, subject.path, resolving->diag);
    domain->allow |= raw_policy_allow(&raw->own);
    domain->delegated = raw->delegated.value;
    resolve_zone(resolving, &raw->zone, subject.path, domain);
    if (build_policy(resolving, &subject) == 0) {
        check_names(resolving, domain, subject.path);
        check_delegated(resolving, raw, domain, subject.path);
        check_publication(resolving, domain, subject.path);
    }
    arena_reset(resolving->scratch);
}

static int compare_domains(const void *left, const void *right)
{
    const struct domain *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    /* Of two entries for one domain, the one that stands first comes first. */
    if (order == 0)
        order = strcmp(a->place.file, b->place.file);
    if (order == 0)
        order = (a->place.line > b->place.line) - (a->place.line < b->place.line);
    return order != 0 ? order
                      : (a->place.column > b->place.column) - (a->place.column < b->place.column);
}

static void report_duplicate(struct resolving *resolving, const struct domain *first,
                             const struct domain *second)
{
    char path[YAML_PATH_MAX];

    snprintf(path, sizeof(path), "domains.%s", second->name);
    diag_add(resolving->diag, FINDING_DOMAIN_DUPLICATE, second->place, path,
             "the domain is given already at %s:%u:%u; keep one of them", first->place.file,
             first->place.line, first->place.column);
}

/* The entries become the domains, which the configuration owns. */
static struct domain *resolve_in_place(struct resolving *resolving, struct raw_config *raw)
{
    union raw_slot *slots = raw->entries;

    static_assert(sizeof(*slots) == sizeof(struct domain),
                  "an array of the one is one of the other");
    for (size_t i = 0; i < raw->n_entries; i++) {
        const struct raw_entry entry = slots[i].entry;

        resolve_domain(resolving, &entry, &slots[i].domain);
    }
    raw->entries = NULL;
    return (struct domain *)slots;
}

void domains_resolve(struct raw_config *raw, struct config *config, struct diag *diag)
{
    struct documents *documents = documents_new(config->arena);
    struct resolving resolving = {
        .context = {raw, config, documents, diag},
        .config = config,
        .diag = diag,
        .scratch = arena_new(0),
        .documents = documents,
    };
    struct domain *domains;

    named_list_init(&resolving.policies, &resolving.context);
    domains = resolve_in_place(&resolving, raw);
    qsort(domains, raw->n_entries, sizeof(*domains), compare_domains);
    for (size_t i = 1; i < raw->n_entries; i++)
        if (strcmp(domains[i - 1].name, domains[i].name) == 0)
            report_duplicate(&resolving, &domains[i - 1], &domains[i]);
    config->domains = domains;
    config->n_domains = raw->n_entries;
    named_list_done(&resolving.policies);
    documents_free(documents);
    arena_free(resolving.scratch);
}
