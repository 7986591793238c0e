/* SPDX-License-Identifier: MIT */
#include "check/rua_check.h"

#include <stdio.h>
#include <string.h>

#include "check/check_mx.h"
#include "check/check_tls_rpt.h"
#include "check/dns_source.h"
#include "check/domain_check.h"
#include "check/findings.h"
#include "check/http_fetch.h"
#include "check/rdata.h"
#include "check/special_address.h"
#include "lib/base/arena.h"

/* The questions about each address that reports go to. */
enum rua_ask {
    RUA_ASK_MX,
    RUA_ASK_A,
    RUA_ASK_AAAA,
    RUA_ASK_COUNT,
};

struct rua_ask_slot {
    struct rua_check *check;
    const struct dns_answer *answer;
};

struct rua_fetch_slot {
    struct rua_check *check;
    const struct rua_target *target;
};

typedef void rua_phase(struct rua_check *check);

struct rua_check {
    const struct check_tools *tools;
    const struct rua_target *targets;
    size_t n_targets;
    struct arena *arena;
    struct findings *findings;
    rua_looked_up *callback;
    void *context;
    size_t n_pending;
    rua_phase *next; /* once nothing is pending */
    struct rua_ask_slot asks[RUA_MAX][RUA_ASK_COUNT];
    struct rua_fetch_slot fetches[RUA_MAX];
};

static void rua_settle(struct rua_check *check)
{
    if (--check->n_pending == 0)
        check->next(check);
}

static void rua_end(struct rua_check *check)
{
    check->callback(check->context);
}

static void rua_on_answer(void *context, const struct dns_answer *answer)
{
    struct rua_ask_slot *slot = context;

    slot->answer = dns_answer_copy(answer, slot->check->arena);
    rua_settle(slot->check);
}

static void rua_on_fetched(void *context, const struct http_result *result)
{
    struct rua_fetch_slot *slot = context;

    check_tls_rpt_judge_server(slot->target, result, slot->check->findings);
    rua_settle(slot->check);
}

/* The first address of a server that takes reports, if it may be contacted. */
static bool rua_find_server(const struct rua_check *check, size_t index,
                            struct sockaddr_storage *ret_address)
{
    const struct rua_ask_slot *asks = check->asks[index];
    const struct dns_answer *answer = asks[RUA_ASK_A].answer->status == DNS_OK
                                          ? asks[RUA_ASK_A].answer
                                          : asks[RUA_ASK_AAAA].answer;

    return answer->status == DNS_OK &&
           rdata_address(answer->rdata[0], check->targets[index].port, ret_address) == 0 &&
           (check->tools->allow_private ||
            !special_address_kind((const struct sockaddr *)ret_address));
}

static void rua_fetch_servers(struct rua_check *check)
{
    struct sockaddr_storage address;

    check->next = rua_end;
    check->n_pending = 1;
    for (size_t i = 0; i < check->n_targets; i++) {
        const struct rua_target *target = &check->targets[i];

        if (!target->is_https || !rua_find_server(check, i, &address))
            continue;
        check->fetches[i] = (struct rua_fetch_slot){check, target};
        check->n_pending++;
        http_fetch_start(check->tools->http, target->host, target->path,
                         (const struct sockaddr *)&address, NULL, rua_on_fetched,
                         &check->fetches[i]);
    }
    rua_settle(check);
}

struct rua_check *rua_check_start(const struct check_tools *tools, const struct rua_target *targets,
                                  size_t n_targets, struct arena *arena, struct findings *findings,
                                  rua_looked_up *callback, void *context)
{
    static const enum dns_type rua_types[RUA_ASK_COUNT] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
    struct rua_check *check = arena_alloc(arena, sizeof(*check));

    *check = (struct rua_check){
        .tools = tools,
        .targets = targets,
        .n_targets = n_targets,
        .arena = arena,
        .findings = findings,
        .callback = callback,
        .context = context,
        .n_pending = n_targets * RUA_ASK_COUNT,
        .next = rua_fetch_servers,
    };
    for (size_t i = 0; i < n_targets; i++)
        for (size_t ask = 0; ask < RUA_ASK_COUNT; ask++) {
            check->asks[i][ask].check = check;
            tools->dns->ask(tools->dns, targets[i].host, rua_types[ask], rua_on_answer,
                            &check->asks[i][ask]);
        }
    return check;
}

/* Whether the domain's policy covers a host does not matter to mail for other domains. */
static bool rua_host_is_refused(const char *host, bool is_own, const struct mx_record *mx,
                                size_t n_mx)
{
    for (size_t i = 0; i < n_mx; i++)
        if (strcmp(mx[i].host, host) == 0)
            return mx[i].sts == MX_REFUSES || (is_own && !mx[i].is_covered);
    return false;
}

/* Whether each MX host that a report goes to is one of the domain's that senders refuse. */
static bool rua_fails_too(const struct dns_answer *answer, bool is_own, const struct mx_record *mx,
                          size_t n_mx)
{
    char host[RDATA_NAME_SIZE];
    uint16_t preference;

    for (size_t i = 0; i < answer->n_rdata; i++)
        if (rdata_mx(answer->rdata[i], &preference, host) != 0 ||
            !rua_host_is_refused(host, is_own, mx, n_mx))
            return false;
    return answer->n_rdata > 0;
}

/* Senders have to deliver reports despite all failures of TLS (RFC 8460 3), and not all do: the
 * mail program that carries them knows no report from other mail. */
static void rua_judge_way(const struct rua_check *check, const char *domain,
                          const struct mx_record *mx, size_t n_mx)
{
    size_t n_own = 0, n_failing = 0;

    for (size_t i = 0; i < check->n_targets; i++) {
        const struct rua_target *target = &check->targets[i];
        bool is_own = strcmp(target->host, domain) == 0;

        if (target->is_https)
            return;
        n_own += is_own;
        n_failing += rua_fails_too(check->asks[i][RUA_ASK_MX].answer, is_own, mx, n_mx);
    }
    if (n_failing == check->n_targets)
        findings_add(check->findings, CHECK_RUA_FAILING_WAY, NULL,
                     "all reports are to go by mail to MX hosts that senders refuse");
    else if (n_own == check->n_targets)
        findings_add(check->findings, CHECK_RUA_OWN_DOMAIN, NULL,
                     "all reports on mail for %s go by mail to %s itself", domain, domain);
}

void rua_check_judge(const struct rua_check *check, const char *domain, const struct mx_record *mx,
                     size_t n_mx)
{
    for (size_t i = 0; i < check->n_targets; i++) {
        const struct rua_ask_slot *asks = check->asks[i];

        check_tls_rpt_judge_target(&check->targets[i], asks[RUA_ASK_MX].answer,
                                   asks[RUA_ASK_A].answer, asks[RUA_ASK_AAAA].answer,
                                   check->findings);
    }
    rua_judge_way(check, domain, mx, n_mx);
}
