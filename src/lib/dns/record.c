/* SPDX-License-Identifier: MIT */
#include "lib/dns/record.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

enum {
    N_MTA_STS_MAX = 2, /* the customer's CNAME and the provider's TXT */
    N_TLS_RPT_MAX = 2,
};

/* The records of one domain as they come about. */
struct listing {
    const struct domain_records_spec *spec;
    struct arena *arena;
    struct dns_record *records;
    size_t n_records;
};

static const char *records_join(struct arena *arena, const char *a, const char *b, const char *c)
{
    char *text = arena_alloc(arena, strlen(a) + strlen(b) + strlen(c) + 1);

    stpcpy(stpcpy(stpcpy(text, a), b), c);
    return text;
}

static bool records_are_delegated(const struct domain_records_spec *spec)
{
    return spec->id ? spec->delegates_mta_sts : spec->delegates_tls_rpt;
}

static void records_add(struct listing *listing, struct dns_record record)
{
    record.domain = listing->spec->domain;
    record.policy = listing->spec->policy;
    record.side =
        record.zone || !records_are_delegated(listing->spec) ? SIDE_PROVIDER : SIDE_CUSTOMER;
    if (!record.zone)
        record.zone = listing->spec->zone;
    listing->records[listing->n_records++] = record;
}

/* A TXT in the customer's zone; or, delegated, a CNAME there that never changes again and the TXT
 * in the provider's zone, under the customer's name so that each domain has an id of its own. */
static void records_add_txt(struct listing *listing, struct dns_record txt, bool is_delegated)
{
    const char *zone = listing->spec->delegation_zone;

    txt.type = RECORD_TXT;
    if (is_delegated) {
        const char *target = records_join(listing->arena, txt.name, ".", zone);

        records_add(listing, (struct dns_record){.name = txt.name,
                                                 .type = RECORD_CNAME,
                                                 .ttl_s = txt.ttl_s,
                                                 .value = target});
        txt.name = target;
        txt.zone = zone;
    }
    records_add(listing, txt);
}

static void records_add_mta_sts(struct listing *listing)
{
    const struct domain_records_spec *spec = listing->spec;

    records_add_txt(listing,
                    (struct dns_record){
                        .name = records_join(listing->arena, DNS_PREFIX_MTA_STS, spec->domain, ""),
                        .ttl_s = spec->ttl_mta_sts_s,
                        .value = records_join(listing->arena, "v=STSv1; id=", spec->id, ";"),
                        .id = spec->id,
                        .withheld = spec->withheld,
                    },
                    spec->delegates_mta_sts);
}

static void records_add_addresses(struct listing *listing, struct dns_record record,
                                  enum record_type type)
{
    for (size_t i = 0; i < listing->spec->n_addresses; i++) {
        const char *address = listing->spec->addresses[i];

        if ((strchr(address, ':') ? RECORD_AAAA : RECORD_A) != type)
            continue;
        record.type = type;
        record.value = address;
        records_add(listing, record);
    }
}

static void records_add_policy_host(struct listing *listing)
{
    const struct domain_records_spec *spec = listing->spec;
    struct dns_record record = {
        .name = records_join(listing->arena, DNS_PREFIX_POLICY_HOST, spec->domain, ""),
        .ttl_s = spec->ttl_policy_host_s,
    };

    if (spec->policy_host_name) {
        record.type = RECORD_CNAME;
        record.value = spec->policy_host_name;
        records_add(listing, record);
        return;
    }
    records_add_addresses(listing, record, RECORD_A);
    records_add_addresses(listing, record, RECORD_AAAA);
}

static const char *tls_rpt_value(const struct domain_records_spec *spec, struct arena *arena)
{
    static const char head[] = "v=TLSRPTv1; rua=";
    size_t size = sizeof(head);
    char *value, *end;

    for (size_t i = 0; i < spec->n_rua; i++)
        size += strlen(",") + strlen(spec->rua[i]);
    value = arena_alloc(arena, size);
    end = stpcpy(value, head);
    for (size_t i = 0; i < spec->n_rua; i++)
        end = stpcpy(stpcpy(end, i > 0 ? "," : ""), spec->rua[i]);
    return value;
}

static void records_add_tls_rpt(struct listing *listing)
{
    const struct domain_records_spec *spec = listing->spec;

    records_add_txt(listing,
                    (struct dns_record){
                        .name = records_join(listing->arena, DNS_PREFIX_TLS_RPT, spec->domain, ""),
                        .ttl_s = spec->ttl_tls_rpt_s,
                        .value = tls_rpt_value(spec, listing->arena),
                    },
                    spec->delegates_tls_rpt);
}

size_t dns_records_list(const struct domain_records_spec *spec, struct arena *arena,
                        struct dns_record **ret_records)
{
    size_t n_max = N_MTA_STS_MAX + 1 + spec->n_addresses + N_TLS_RPT_MAX;
    struct listing listing = {
        .spec = spec,
        .arena = arena,
        .records = arena_array(arena, n_max, sizeof(struct dns_record)),
    };

    if (spec->id) {
        records_add_mta_sts(&listing);
        records_add_policy_host(&listing);
    }
    if (spec->n_rua > 0)
        records_add_tls_rpt(&listing);
    *ret_records = listing.records;
    return listing.n_records;
}

bool dns_record_is_delegated(const struct dns_record *record)
{
    /* Its name is the one in the domain's zone and the zone behind it. */
    return strlen(record->name) > strlen(DNS_PREFIX_TLS_RPT) + strlen(record->domain);
}

bool dns_record_is_surely_ours(const struct dns_record *record)
{
    return record->value || dns_record_is_delegated(record);
}

const char *record_type_name(enum record_type type)
{
    static const char *const names[RECORD_TYPE_COUNT] = {"TXT", "CNAME", "A", "AAAA"};

    return names[type];
}

const char *record_side_name(enum record_side side)
{
    static const char *const names[SIDE_COUNT] = {"customer", "provider"};

    return names[side];
}

const char *dns_policy_host_render(const char *domain, char buffer[static POLICY_HOST_SIZE])
{
    snprintf(buffer, POLICY_HOST_SIZE, "%s%s", DNS_PREFIX_POLICY_HOST, domain);
    return buffer;
}
