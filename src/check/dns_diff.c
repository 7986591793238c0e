/* SPDX-License-Identifier: MIT */
#include "check/dns_diff.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "check/check_session.h"
#include "check/check_txt.h"
#include "check/dns_source.h"
#include "check/domain_check.h"
#include "check/findings.h"
#include "check/rdata.h"
#include "lib/base/arena.h"
#include "lib/base/prefix.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/format.h"
#include "lib/dns/record.h"

struct diff_domain;

/* The records of one name and type, and what DNS has there. */
struct diff_set {
    struct diff_domain *domain;
    const struct dns_record *records;
    size_t n_records;
    enum {
        DIFF_SAME,
        DIFF_OTHER,
        DIFF_UNKNOWN,
    } state;
};

struct diff_run {
    const struct dns_diff *diff;
    const struct check_tools *tools;
    struct diff_domain *domains;
    size_t n_begun, n_done;
};

struct diff_domain {
    struct diff_run *run;
    const struct domain *domain;
    struct arena *arena;
    struct dns_record *records;
    size_t n_records;
    struct diff_set *sets;
    size_t n_sets, n_pending;
    bool is_served; /* senders get the policy as it is configured */
};

static bool rdata_is_value(struct slice rdata, const struct dns_record *record, struct arena *arena)
{
    unsigned char bytes[PREFIX_BYTES];
    char name[RDATA_NAME_SIZE];
    struct slice text, rest;

    switch (record->type) {
    case RECORD_TXT:
        return rdata_txt(rdata, arena, &text) == 0 && slice_eq_text(text, record->value);
    case RECORD_CNAME:
        return rdata_name(rdata, name, &rest) == 0 && strcmp(name, record->value) == 0;
    case RECORD_A:
        return rdata.len == sizeof(struct in_addr) &&
               prefix_address_parse(AF_INET, slice_of(record->value), bytes) == 0 &&
               memcmp(rdata.ptr, bytes, rdata.len) == 0;
    case RECORD_AAAA:
        return rdata.len == sizeof(struct in6_addr) &&
               prefix_address_parse(AF_INET6, slice_of(record->value), bytes) == 0 &&
               memcmp(rdata.ptr, bytes, rdata.len) == 0;
    case RECORD_TYPE_COUNT:
        break;
    }
    return false;
}

/* As many records as there are to be, each of them wanted, at the name itself. */
static bool set_is_published(const struct diff_set *set, const struct dns_answer *answer)
{
    size_t n_found = 0;

    if (answer->status != DNS_OK || answer->n_rdata != set->n_records ||
        (set->records[0].type != RECORD_CNAME &&
         strcmp(answer->canonical, set->records[0].name) != 0))
        return false;
    for (size_t i = 0; i < set->n_records; i++)
        for (size_t k = 0; k < answer->n_rdata; k++)
            n_found += rdata_is_value(answer->rdata[k], &set->records[i], set->domain->arena);
    return n_found == set->n_records;
}

static void diff_fill(struct diff_run *run);

static void diff_end(struct diff_domain *domain)
{
    domain->run->n_done++;
    diff_fill(domain->run);
}

/* Senders get the policy, and nowhere another one. */
static void diff_on_checked(void *context, const struct domain_report *report)
{
    struct diff_domain *domain = context;

    domain->is_served = report->facts.has_policy &&
                        !findings_have(report->findings, CHECK_POLICY_NOT_OURS) &&
                        !findings_have(report->findings, CHECK_POLICY_DIFFERS);
    diff_end(domain);
}

static bool diff_has_other_id(const struct diff_domain *domain)
{
    for (size_t i = 0; i < domain->n_sets; i++)
        if (domain->sets[i].state == DIFF_OTHER && domain->sets[i].records[0].id &&
            domain->sets[i].records[0].type == RECORD_TXT)
            return true;
    return false;
}

static void diff_settle(struct diff_domain *domain)
{
    if (--domain->n_pending > 0)
        return;
    if (diff_has_other_id(domain))
        domain_check_start(domain->run->tools, domain->domain->name, diff_on_checked, domain);
    else
        diff_end(domain);
}

static void diff_on_answer(void *context, const struct dns_answer *answer)
{
    struct diff_set *set = context;

    if (answer->status == DNS_FAILED || answer->status == DNS_BOGUS)
        set->state = DIFF_UNKNOWN;
    else
        set->state = set_is_published(set, answer) ? DIFF_SAME : DIFF_OTHER;
    diff_settle(set->domain);
}

static void diff_ask_sets(struct diff_domain *domain)
{
    static const enum dns_type types[RECORD_TYPE_COUNT] = {
        [RECORD_TXT] = DNS_TYPE_TXT,
        [RECORD_CNAME] = DNS_TYPE_CNAME,
        [RECORD_A] = DNS_TYPE_A,
        [RECORD_AAAA] = DNS_TYPE_AAAA,
    };
    struct dns_source *dns = domain->run->tools->dns;

    domain->n_pending = domain->n_sets;
    for (size_t i = 0; i < domain->n_sets; i++) {
        const struct dns_record *first = domain->sets[i].records;

        dns->ask(dns, first->name, types[first->type], diff_on_answer, &domain->sets[i]);
    }
}

static void diff_make_sets(struct diff_domain *domain)
{
    const struct dns_record *records = domain->records;

    domain->sets = arena_array(domain->arena, domain->n_records + 1, sizeof(*domain->sets));
    for (size_t i = 0; i < domain->n_records; i++) {
        struct diff_set *last = &domain->sets[domain->n_sets];

        if (i > 0 && records[i].type == records[i - 1].type &&
            strcmp(records[i].name, records[i - 1].name) == 0)
            last[-1].n_records++;
        else
            domain->sets[domain->n_sets++] =
                (struct diff_set){.domain = domain, .records = &records[i], .n_records = 1};
    }
}

static void diff_begin(struct diff_run *run, struct diff_domain *domain, const char *name)
{
    const struct config *config = run->tools->config;
    struct domain_records_spec spec;

    domain->run = run;
    domain->domain = config_find_domain(config, slice_of(name));
    domain->arena = arena_new(0);
    spec = domain_records_spec_make(config, domain->domain, NULL);
    domain->n_records = dns_records_list(&spec, domain->arena, &domain->records);
    diff_make_sets(domain);
    if (domain->n_sets > 0)
        diff_ask_sets(domain);
    else
        run->n_done++;
}

static void diff_fill(struct diff_run *run)
{
    while (run->n_begun < run->diff->n_domains && run->n_begun - run->n_done < run->diff->n_jobs) {
        size_t i = run->n_begun++;

        diff_begin(run, &run->domains[i], run->diff->domains[i]);
    }
}

static void diff_count_set(const struct diff_set *set, struct dns_diff_counts *counts)
{
    if (set->state == DIFF_OTHER)
        counts->n_different += set->n_records;
    if (set->state == DIFF_UNKNOWN)
        counts->n_unknown += set->n_records;
}

/* Those that differ, to the end of `records`; their texts stay in the domain's arena. */
static size_t diff_take(const struct diff_domain *domain, struct dns_record *records,
                        struct dns_diff_counts *counts)
{
    size_t n = 0;

    for (size_t i = 0; i < domain->n_sets; i++) {
        const struct diff_set *set = &domain->sets[i];

        diff_count_set(set, counts);
        for (size_t k = 0; set->state == DIFF_OTHER && k < set->n_records; k++) {
            records[n] = set->records[k];
            if (records[n].id && records[n].type == RECORD_TXT && !domain->is_served) {
                records[n].withheld = "publish this once the policy is served";
                counts->n_withheld++;
            }
            n++;
        }
    }
    return n;
}

void dns_diff_run(const struct dns_diff *diff, struct check_session *session,
                  struct dns_diff_counts *ret_counts)
{
    struct diff_run run = {.diff = diff, .tools = check_session_tools(session)};
    struct dns_record *records;
    size_t n_all = 0, n = 0;

    *ret_counts = (struct dns_diff_counts){0};
    run.domains = memory_alloc((diff->n_domains + 1) * sizeof(*run.domains));
    memset(run.domains, 0, diff->n_domains * sizeof(*run.domains));
    diff_fill(&run);
    check_session_run(session);
    for (size_t i = 0; i < diff->n_domains; i++)
        n_all += run.domains[i].n_records;
    records = memory_alloc((n_all + 1) * sizeof(*records));
    for (size_t i = 0; i < diff->n_domains; i++)
        n += diff_take(&run.domains[i], records + n, ret_counts);
    dns_format_group(records, n);
    dns_format_print(diff->format, records, n, diff->out);
    for (size_t i = 0; i < diff->n_domains; i++)
        arena_free(run.domains[i].arena);
    free(records);
    free(run.domains);
}
