/* SPDX-License-Identifier: MIT */
#include "check/domain_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check_delegation.h"
#include "check/check_policy.h"
#include "check/check_tls_rpt.h"
#include "check/check_txt.h"
#include "check/check_wildcard.h"
#include "check/dns_source.h"
#include "check/findings.h"
#include "check/host_fetch.h"
#include "check/mx_finding.h"
#include "check/mx_hosts.h"
#include "check/rdata.h"
#include "check/rua_check.h"
#include "check/zone_servers.h"
#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

enum {
    NAME_MAX_LEN = 2 * DNS_NAME_MAX,
    HTTP_STATUS_OK = 200,
};

#define PREFIX_OLD_TLS_RPT "_smtp-tlsrpt." /* in drafts of RFC 8460 */

/* The questions about a domain. Those from ASK_BESIDE on are asked only if there may be a
 * wildcard, and those from ASK_DOUBLED on only if the record in question is missing. */
enum ask {
    ASK_RECORD,
    ASK_WILDCARD,
    ASK_TLS_RPT,
    ASK_HOST_A,
    ASK_HOST_AAAA,
    ASK_MX,
    ASK_BESIDE,
    ASK_BELOW_HOST,
    ASK_BELOW_RECORD,
    ASK_BELOW_TLS_RPT,
    ASK_WILD_MX,
    ASK_WILD_RECORD,
    ASK_DOUBLED,
    ASK_APEX,
    ASK_UNDERSCORE,
    ASK_OLD_TLS_RPT,
    ASK_COUNT,
};

struct ask_slot {
    struct domain_check *check;
    const struct dns_answer *answer; /* NULL: not asked, or not answered yet */
};

struct visit_slot {
    struct domain_check *check;
    struct mx_record *record;
};

typedef void check_phase(struct domain_check *check);

struct domain_check {
    const struct check_tools *tools;
    const char *domain;
    char host[POLICY_HOST_SIZE];
    const struct domain *ours; /* NULL: not ours */
    domain_checked *callback;
    void *context;
    struct arena *arena;
    struct findings *findings;
    size_t n_pending;
    check_phase *next; /* once nothing is pending */
    struct ask_slot asks[ASK_COUNT];
    struct host_address *addresses;
    size_t n_addresses;
    struct rua_check *rua; /* NULL: reports go nowhere */
    struct visit_slot visits[MX_RECORDS_MAX];
    struct mx_record *mx;
    size_t n_mx;
    struct zone_answers servers;
};

static void check_settle_one(struct domain_check *check)
{
    if (--check->n_pending == 0)
        check->next(check);
}

static void check_on_answer(void *context, const struct dns_answer *answer)
{
    struct ask_slot *slot = context;

    slot->answer = dns_answer_copy(answer, slot->check->arena);
    check_settle_one(slot->check);
}

static void check_ask(struct domain_check *check, struct ask_slot *slot, enum dns_type type,
                      const char *prefix, const char *name)
{
    static const struct dns_answer too_long = {.status = DNS_NXDOMAIN, .canonical = "", .why = ""};
    char full[NAME_MAX_LEN];
    size_t len = (size_t)snprintf(full, sizeof(full), "%s%s", prefix, name);

    slot->check = check;
    if (len > DNS_NAME_MAX) {
        slot->answer = &too_long;
        return;
    }
    check->n_pending++;
    check->tools->dns->ask(check->tools->dns, full, type, check_on_answer, slot);
}

static struct host_wanted host_wanted_of(const struct domain_check *check)
{
    const struct config *config = check->tools->config;

    if (!check->ours || !check->ours->document)
        return (struct host_wanted){0};
    return (struct host_wanted){.name = config->policy_host_name,
                                .addresses = config->policy_host_addresses,
                                .n_addresses = config->n_policy_host_addresses};
}

static struct policy_wanted policy_wanted_of(const struct domain_check *check)
{
    if (!check->ours || !check->ours->document)
        return (struct policy_wanted){0};
    return (struct policy_wanted){check->ours->document->body, check->ours->document->id};
}

static struct rua_wanted rua_wanted_of(const struct domain_check *check)
{
    if (!check->ours || !check->ours->reporting)
        return (struct rua_wanted){0};
    return (struct rua_wanted){check->ours->reporting->rua, check->ours->reporting->n_rua};
}

/* Whether nothing stands at _mta-sts itself. */
static bool check_is_record_wild(const struct domain_check *check)
{
    const struct wildcard_answers answers = {.own = check->asks[ASK_RECORD].answer,
                                             .beside = check->asks[ASK_WILDCARD].answer,
                                             .below = check->asks[ASK_BELOW_RECORD].answer};

    return answers.below && check_wildcard_answers(&answers);
}

/* The type of addresses that the policy host has. */
static enum ask check_find_host_ask(const struct domain_check *check)
{
    bool has_ipv6_only = check->asks[ASK_HOST_A].answer->status != DNS_OK &&
                         check->asks[ASK_HOST_AAAA].answer->status == DNS_OK;

    return has_ipv6_only ? ASK_HOST_AAAA : ASK_HOST_A;
}

/* Whether nothing stands at _smtp._tls itself. */
static bool check_is_tls_rpt_wild(const struct domain_check *check)
{
    const struct wildcard_answers answers = {.own = check->asks[ASK_TLS_RPT].answer,
                                             .beside = check->asks[ASK_WILDCARD].answer,
                                             .below = check->asks[ASK_BELOW_TLS_RPT].answer};

    return answers.below && check_wildcard_answers(&answers);
}

/* Whether nothing stands at mta-sts itself. */
static bool check_is_host_wild(const struct domain_check *check)
{
    const struct wildcard_answers answers = {.own = check->asks[check_find_host_ask(check)].answer,
                                             .beside = check->asks[ASK_BESIDE].answer,
                                             .below = check->asks[ASK_BELOW_HOST].answer};

    return answers.below && check_wildcard_answers(&answers);
}

/* The record that senders see, judged with our id. */
static bool check_judge_record(struct domain_check *check, struct sts_record *ret_record)
{
    const struct txt_facts facts = {
        .domain = check->domain,
        .record = check->asks[ASK_RECORD].answer,
        .doubled = check->asks[ASK_DOUBLED].answer,
        .apex = check->asks[ASK_APEX].answer,
        .underscore = check->asks[ASK_UNDERSCORE].answer,
        .is_wildcard = check_is_record_wild(check),
    };
    struct policy_wanted wanted = policy_wanted_of(check);
    char name[NAME_MAX_LEN];

    snprintf(name, sizeof(name), DNS_PREFIX_MTA_STS "%s", check->domain);
    zone_servers_judge(&check->servers, name, check->findings);
    if (!check_txt_judge(&facts, check->arena, check->findings, ret_record))
        return false;
    if (wanted.id && strcmp(wanted.id, ret_record->id) != 0)
        findings_add(check->findings, CHECK_ID_NOT_OURS, NULL,
                     "the id is %s; the policy configured here has %s", ret_record->id, wanted.id);
    return true;
}

/* Returns whether senders take the policy from one address at least. */
static bool check_judge_policy(struct domain_check *check, struct policy *ret_policy,
                               bool *ret_is_parsed)
{
    struct served_body *bodies = arena_array(check->arena, check->n_addresses + 1, sizeof(*bodies));
    struct policy_wanted wanted = policy_wanted_of(check);
    bool is_taken = false;
    size_t n = 0;

    for (size_t i = 0; i < check->n_addresses; i++) {
        const struct host_address *address = &check->addresses[i];
        bool is_good = check_host_judge_address(address, check->tools->now_unix_s, check->findings);

        is_taken |= is_good;
        if (address->is_asked && address->result.end == HTTP_DONE &&
            address->result.status == HTTP_STATUS_OK &&
            address->result.body.len <= POLICY_FETCH_MAX)
            bodies[n++] = (struct served_body){address->text, address->result.body, is_good};
    }
    *ret_is_parsed =
        check_policy_judge(bodies, n, &wanted, check->arena, check->findings, ret_policy);
    return is_taken && *ret_is_parsed;
}

static bool check_is_host_untried(const struct domain_check *check)
{
    for (size_t i = 0; i < check->n_addresses; i++)
        if (check->addresses[i].is_asked && check->addresses[i].result.end != HTTP_NOT_ROUTED)
            return false;
    return check->n_addresses > 0;
}

static bool check_is_refused(const struct mx_record *record)
{
    return !record->is_covered || record->sts == MX_REFUSES;
}

/* What a domain in testing would lose if its policy were enforced today. */
static void check_judge_enforce(struct domain_check *check)
{
    for (size_t i = 0; i < check->n_mx; i++)
        if (check_is_refused(&check->mx[i]))
            findings_add(check->findings, CHECK_ENFORCE_WOULD_LOSE, check->mx[i].host,
                         "the mode is testing, and this MX host would be refused");
}

static void check_count_hosts(const struct mx_record *records, size_t n,
                              struct verdict_facts *facts)
{
    facts->n_mx = n;
    for (size_t i = 0; i < n; i++)
        if (check_is_refused(&records[i]))
            facts->n_refused++;
        else if (records[i].sts == MX_UNKNOWN)
            facts->n_untried++;
}

/* Without a policy that senders heed, one with MTA-STS alone refuses no host. */
static void check_count_dane(const struct mx_record *records, size_t n, bool has_policy,
                             struct verdict_facts *facts)
{
    facts->n_mx = n;
    for (size_t i = 0; i < n; i++) {
        bool is_refused = has_policy && check_is_refused(&records[i]);

        if (!records[i].follows_dane)
            continue;
        facts->n_dane++;
        facts->n_dane_untried += records[i].dane == MX_UNKNOWN;
        facts->n_dane_refused += records[i].dane == MX_REFUSES;
        facts->n_dane_only_refused += records[i].dane == MX_REFUSES && !is_refused;
        facts->n_dane_only_accepted += records[i].dane == MX_ACCEPTS && is_refused;
    }
}

static void check_call_back(struct domain_check *check, struct domain_report *report)
{
    report->domain = check->domain;
    report->is_ours = check->ours != NULL;
    report->findings = check->findings;
    report->addresses = check->addresses;
    report->n_addresses = check->n_addresses;
    report->verdict = verdict_of(&report->facts);
    check->callback(check->context, report);
}

/* A domain of ours that has TLS reporting only publishes no policy, and none is missed. */
static bool check_wants_policy(const struct domain_check *check)
{
    return !check->ours || check->ours->document;
}

static void check_judge_sts(struct domain_check *check, struct domain_report *report,
                            struct sts_record *record, struct policy *policy)
{
    struct verdict_facts *facts = &report->facts;
    enum dns_status status = check->asks[ASK_RECORD].answer->status;
    struct host_wanted wanted = host_wanted_of(check);
    bool is_parsed, is_host_wild = check_is_host_wild(check);

    facts->has_record = check_judge_record(check, record);
    facts->is_record_absent = findings_have(check->findings, CHECK_TXT_MISSING);
    facts->is_dns_unanswered = status == DNS_FAILED;
    report->id = facts->has_record ? record->id : NULL;
    /* Where every name has addresses, those of mta-sts are no sign that a policy is meant. */
    if (facts->is_record_absent && (check->n_addresses == 0 || is_host_wild))
        return;
    if (is_host_wild)
        findings_add(check->findings, CHECK_HOST_WILDCARD, NULL,
                     "%s has no record of its own: a wildcard in DNS answers for every name below "
                     "%s",
                     check->host, check->domain);
    check_host_judge_dns(check->domain, check->asks[ASK_HOST_A].answer,
                         check->asks[ASK_HOST_AAAA].answer, &wanted, check->arena, check->findings);
    if (!check->ours && !findings_have(check->findings, CHECK_TXT_CNAME_BESIDE))
        check_delegation_judge(check->domain, check->asks[ASK_RECORD].answer,
                               check->asks[check_find_host_ask(check)].answer, check->findings);
    facts->has_policy = check_judge_policy(check, policy, &is_parsed);
    facts->is_host_untried = check_is_host_untried(check);
    facts->mode = is_parsed ? policy->mode : POLICY_MODE_NONE;
    report->policy = is_parsed ? policy : NULL;
}

/* Mail for subdomains that nobody has named: a policy is one domain's alone. */
static void check_judge_wild_mx(struct domain_check *check)
{
    const struct dns_answer *mx = check->asks[ASK_WILD_MX].answer;
    const struct dns_answer *record = check->asks[ASK_WILD_RECORD].answer;
    char host[RDATA_NAME_SIZE];
    uint16_t preference;

    if (!mx || mx->status != DNS_OK || !record || record->status == DNS_OK ||
        rdata_mx(mx->rdata[0], &preference, host) != 0 || strcmp(host, ".") == 0)
        return;
    findings_add(check->findings, CHECK_MX_WILDCARD, NULL,
                 "a wildcard in DNS has an MX record for every name below %s, and no policy",
                 check->domain);
}

static void check_judge_tls_rpt(struct domain_check *check, const struct verdict_facts *facts)
{
    bool is_enforced = facts->has_record && facts->has_policy && facts->mode == POLICY_ENFORCE;

    if (check->rua)
        rua_check_judge(check->rua, check->domain, check->mx, is_enforced ? check->n_mx : 0);
    if (check_is_tls_rpt_wild(check) && check->asks[ASK_TLS_RPT].answer->status == DNS_OK)
        findings_add(check->findings, CHECK_TLS_RPT_WILDCARD, NULL,
                     DNS_PREFIX_TLS_RPT "%s has no record of its own: a wildcard in DNS has TXT "
                                        "records for every name below %s",
                     check->domain, check->domain);
    if (check->asks[ASK_OLD_TLS_RPT].answer)
        check_tls_rpt_judge_old(check->domain, check->asks[ASK_OLD_TLS_RPT].answer, check->arena,
                                check->findings);
}

static void check_judge_all(struct domain_check *check)
{
    struct domain_report report = {0};
    struct sts_record record;
    struct policy policy;

    if (check_wants_policy(check))
        check_judge_sts(check, &report, &record, &policy);
    else
        report.facts.is_record_absent = true;
    report.mx = check->mx;
    report.n_mx = check->n_mx;
    if (report.policy) {
        check_mx_judge(check->mx, check->n_mx, report.policy, check->arena, check->findings);
        check_count_hosts(check->mx, check->n_mx, &report.facts);
        check_judge_wild_mx(check);
        if (report.policy->mode == POLICY_TESTING)
            check_judge_enforce(check);
    }
    check_count_dane(check->mx, check->n_mx,
                     report.facts.has_record && report.facts.has_policy &&
                         report.facts.mode != POLICY_MODE_NONE,
                     &report.facts);
    check_mx_judge_down(check->mx, check->n_mx, check->findings);
    check_judge_tls_rpt(check, &report.facts);
    check_call_back(check, &report);
    findings_free(check->findings);
    arena_free(check->arena);
    free(check);
}

static void check_on_address(void *context)
{
    check_settle_one(context);
}

static void check_fetch_policies(struct domain_check *check)
{
    const struct check_tools *tools = check->tools;

    check->addresses =
        check_host_list(check->asks[ASK_HOST_A].answer, check->asks[ASK_HOST_AAAA].answer,
                        check->arena, &check->n_addresses);
    for (size_t i = 0; i < check->n_addresses; i++) {
        const struct host_fetch_order order = {tools->http, tools->hosts, check->arena, check->host,
                                               &check->addresses[i]};

        if (check->addresses[i].special && !tools->allow_private)
            continue;
        check->n_pending++;
        host_fetch_start(&order, check_on_address, check);
    }
}

static void check_on_rua(void *context)
{
    check_settle_one(context);
}

static void check_look_up_rua(struct domain_check *check)
{
    struct rua_wanted wanted = rua_wanted_of(check);
    struct rua_target *targets;
    size_t n = check_tls_rpt_judge(check->domain, check->asks[ASK_TLS_RPT].answer, &wanted,
                                   check->arena, check->findings, &targets);

    if (n == 0)
        return;
    check->n_pending++;
    check->rua = rua_check_start(check->tools, targets, n, check->arena, check->findings,
                                 check_on_rua, check);
}

/* What tells the answers of a wildcard from those of records. */
static void check_ask_wildcard(struct domain_check *check)
{
    const char *label = check->tools->probe_label;
    enum dns_type type = check_find_host_ask(check) == ASK_HOST_A ? DNS_TYPE_A : DNS_TYPE_AAAA;
    char name[NAME_MAX_LEN];

    snprintf(name, sizeof(name), "%s%s", label, check->domain);
    if (!check_wildcard_is_possible(check->asks[ASK_WILDCARD].answer, name))
        return;
    check_ask(check, &check->asks[ASK_BESIDE], type, label, check->domain);
    check_ask(check, &check->asks[ASK_BELOW_HOST], type, label, check->host);
    check_ask(check, &check->asks[ASK_WILD_MX], DNS_TYPE_MX, label, check->domain);
    check_ask(check, &check->asks[ASK_WILD_RECORD], DNS_TYPE_TXT, DNS_PREFIX_MTA_STS, name);
    snprintf(name, sizeof(name), DNS_PREFIX_MTA_STS "%s", check->domain);
    check_ask(check, &check->asks[ASK_BELOW_RECORD], DNS_TYPE_TXT, label, name);
    snprintf(name, sizeof(name), DNS_PREFIX_TLS_RPT "%s", check->domain);
    check_ask(check, &check->asks[ASK_BELOW_TLS_RPT], DNS_TYPE_TXT, label, name);
}

static bool check_is_absent(const struct domain_check *check, enum ask ask)
{
    enum dns_status status = check->asks[ask].answer->status;

    return status == DNS_NODATA || status == DNS_NXDOMAIN;
}

/* Where people put the records by accident. */
static void check_ask_accidents(struct domain_check *check)
{
    char doubled[NAME_MAX_LEN];

    if (check_is_absent(check, ASK_TLS_RPT))
        check_ask(check, &check->asks[ASK_OLD_TLS_RPT], DNS_TYPE_TXT, PREFIX_OLD_TLS_RPT,
                  check->domain);
    if (!check_is_absent(check, ASK_RECORD))
        return;
    snprintf(doubled, sizeof(doubled), "%s.%s", check->domain, check->domain);
    check_ask(check, &check->asks[ASK_DOUBLED], DNS_TYPE_TXT, DNS_PREFIX_MTA_STS, doubled);
    check_ask(check, &check->asks[ASK_APEX], DNS_TYPE_TXT, "", check->domain);
    check_ask(check, &check->asks[ASK_UNDERSCORE], DNS_TYPE_TXT, "", check->host);
}

static void check_on_servers(void *context, const struct zone_answers *answers)
{
    struct domain_check *check = context;

    check->servers = *answers;
    check_settle_one(check);
}

static void check_ask_servers(struct domain_check *check)
{
    char name[NAME_MAX_LEN];

    if (!check->tools->servers || check->asks[ASK_RECORD].answer->status != DNS_OK)
        return;
    snprintf(name, sizeof(name), DNS_PREFIX_MTA_STS "%s", check->domain);
    check->n_pending++;
    zone_servers_ask(check->tools->servers, check->domain, name, check->arena, check_on_servers,
                     check);
}

static void check_on_visited(void *context, const void *seen)
{
    const struct mx_host *host = seen;
    struct visit_slot *slot = context;

    slot->record->sts = mx_host_sts_outcome(host);
    slot->record->dane = mx_host_dane_outcome(host, slot->check->domain);
    slot->record->follows_dane = mx_host_follows_dane(host);
    slot->record->n_keys = mx_host_list_keys(host, slot->check->arena, &slot->record->keys);
    slot->record->is_secure = mx_host_is_secure(host);
    slot->record->is_reached = mx_host_is_reached(host);
    slot->record->is_down = mx_host_is_down(host);
    mx_host_report(host, slot->check->domain, slot->check->tools->now_unix_s,
                   slot->check->findings);
    check_settle_one(slot->check);
}

static void check_visit_hosts(struct domain_check *check)
{
    check->n_mx = check_mx_list(check->domain, check->asks[ASK_MX].answer, check->arena,
                                check->findings, &check->mx);
    for (size_t i = 0; check->tools->mx && i < check->n_mx; i++) {
        if (!check_mx_is_host(&check->mx[i]))
            continue;
        check->visits[i] = (struct visit_slot){check, &check->mx[i]};
        check->n_pending++;
        mx_hosts_ask(check->tools->mx, check->mx[i].host, check_on_visited, &check->visits[i]);
    }
}

static void check_look_further(struct domain_check *check)
{
    check->next = check_judge_all;
    check->n_pending = 1;
    check_fetch_policies(check);
    check_look_up_rua(check);
    check_ask_wildcard(check);
    check_ask_accidents(check);
    check_ask_servers(check);
    check_visit_hosts(check);
    check_settle_one(check);
}

struct domain_check *domain_check_start(const struct check_tools *tools, const char *domain,
                                        domain_checked *callback, void *context)
{
    struct domain_check *check = memory_alloc(sizeof(*check));
    struct arena *arena = arena_new(0);

    *check = (struct domain_check){
        .tools = tools,
        .domain = arena_copy(arena, slice_of(domain)),
        .ours = tools->config ? config_find_domain(tools->config, slice_of(domain)) : NULL,
        .callback = callback,
        .context = context,
        .arena = arena,
        .findings = findings_new(),
        .next = check_look_further,
    };
    dns_policy_host_render(check->domain, check->host);
    check_ask(check, &check->asks[ASK_MX], DNS_TYPE_MX, "", domain);
    check_ask(check, &check->asks[ASK_RECORD], DNS_TYPE_TXT, DNS_PREFIX_MTA_STS, domain);
    check_ask(check, &check->asks[ASK_WILDCARD], DNS_TYPE_TXT, tools->probe_label, domain);
    check_ask(check, &check->asks[ASK_TLS_RPT], DNS_TYPE_TXT, DNS_PREFIX_TLS_RPT, domain);
    check_ask(check, &check->asks[ASK_HOST_A], DNS_TYPE_A, "", check->host);
    check_ask(check, &check->asks[ASK_HOST_AAAA], DNS_TYPE_AAAA, "", check->host);
    return check;
}
