/* SPDX-License-Identifier: MIT */
#include "check/mx_visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "check/connection_pace.h"
#include "check/dns_source.h"
#include "check/mx_host.h"
#include "check/mx_trust.h"
#include "check/rdata.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

/* How an address is tried. */
enum visit_try {
    TRY_NAMED,    /* with the host's name asked for in the handshake */
    TRY_NAMELESS, /* without any */
    TRY_NARROW,   /* as TRY_NAMED, with the cipher suites that all senders know */
};

enum {
    TLSA_NAME_MAX = RDATA_NAME_SIZE + 16,
    TEXT_QUOTED_MAX = SMTP_TEXT_MAX + 100, /* most replies are printable */
};

struct mx_visit {
    const struct mx_tools *tools;
    struct arena *arena; /* of the host */
    struct mx_host host;
    struct dns_query *a_query, *aaaa_query, *tlsa_query;
    struct smtp_probe *probe;
    uv_timer_t timer; /* waits for the place in the row of connections */
    uint64_t started_ms;
    size_t at; /* the address that is tried */
    enum visit_try try;
    bool has_compared;
    bool asks_own_name; /* the TLSA records of the host's name, not of what its CNAMEs lead to */
    mx_visited *callback;
    void *context;
};

static void visit_end(struct mx_visit *visit)
{
    visit->callback(visit->context, &visit->host);
}

static const char *attempt_quote(struct mx_visit *visit, const struct smtp_result *result)
{
    char quoted[TEXT_QUOTED_MAX];

    err_quote(quoted, sizeof(quoted), (struct slice){result->text, result->text_len});
    return arena_copy(visit->arena, slice_of(quoted));
}

static struct slice attempt_keep_leaf(struct mx_visit *visit, X509 *leaf)
{
    unsigned char *der = NULL;
    int len = i2d_X509(leaf, &der);
    char *copy = arena_alloc(visit->arena, len > 0 ? (size_t)len : 1);

    if (len > 0)
        memcpy(copy, der, (size_t)len);
    OPENSSL_free(der);
    return (struct slice){copy, len > 0 ? (size_t)len : 0};
}

/* The names that a certificate may have beside usage 2 are the TLSA base domain, the host's name
 * after CNAMEs if the records are there, and the next hop, which differs by domain: RFC 7672 3.2.2.
 * Postfix takes the next hop even where DNSSEC does not secure the MX record. */
static void attempt_judge_tlsa(struct mx_visit *visit, struct mx_attempt *attempt,
                               STACK_OF(X509) * chain)
{
    const struct mx_tools *tools = visit->tools;
    const struct mx_host *host = &visit->host;
    struct tlsa_judgement *if_named;

    tlsa_judge(tools->trust, host->records, host->n_records, chain, host->tlsa_base,
               tools->now_unix_s, &attempt->tlsa);
    if (attempt->tlsa.verdict != TLSA_NOT_NAMED)
        return;
    if_named = arena_alloc(visit->arena, sizeof(*if_named));
    tlsa_judge(tools->trust, host->records, host->n_records, chain, NULL, tools->now_unix_s,
               if_named);
    attempt->if_named = if_named;
    attempt->leaf = attempt_keep_leaf(visit, sk_X509_value(chain, 0));
}

static void attempt_judge(struct mx_visit *visit, struct mx_attempt *attempt,
                          STACK_OF(X509) * chain)
{
    const struct mx_host *host = &visit->host;
    struct mx_cert *cert = arena_alloc(visit->arena, sizeof(*cert));

    mx_cert_judge(visit->tools->trust, chain, host->name, visit->tools->now_unix_s, cert);
    attempt->cert = cert;
    if (host->n_records > 0)
        attempt_judge_tlsa(visit, attempt, chain);
}

static const struct mx_attempt *attempt_keep(struct mx_visit *visit,
                                             const struct smtp_result *result)
{
    struct mx_attempt *attempt = arena_alloc(visit->arena, sizeof(*attempt));

    *attempt = (struct mx_attempt){
        .end = result->end,
        .stage = result->stage,
        .sys_errno = result->sys_errno,
        .code = result->code,
        .text = attempt_quote(visit, result),
        .fault = arena_copy(visit->arena, slice_of(result->fault)),
        .tls_version = result->tls_version,
        .tls_number = result->tls_number,
        .strength = result->strength,
        .took_ms = result->took_ms,
    };
    if (result->chain)
        attempt_judge(visit, attempt, result->chain);
    return attempt;
}

static void visit_go_on(struct mx_visit *visit);

/* Without SNI a server may show another certificate, for better or worse: worth a look where the
 * handshake or its certificate is bad, and on one address in any case. */
static bool visit_is_to_compare(const struct mx_visit *visit)
{
    const struct mx_attempt *named = visit->host.addresses[visit->at].named;

    if (mx_attempt_is_untold(named) || named->stage != SMTP_HANDSHAKE)
        return false;
    return !visit->has_compared || mx_attempt_sts_outcome(named) != MX_ACCEPTS;
}

static bool visit_is_to_narrow(const struct mx_visit *visit)
{
    const struct mx_attempt *named = visit->host.addresses[visit->at].named;

    return named->end == SMTP_END_SECURED && named->tls_number >= TLS1_2_VERSION &&
           named->strength.is_old_suite;
}

static void visit_choose_next(struct mx_visit *visit)
{
    if (visit->try == TRY_NAMED && visit_is_to_compare(visit)) {
        visit->try = TRY_NAMELESS;
        visit->has_compared = true;
    } else if (visit->try != TRY_NARROW && visit_is_to_narrow(visit)) {
        visit->try = TRY_NARROW;
    } else {
        visit->try = TRY_NAMED;
        visit->at++;
    }
}

static void visit_on_probed(void *context, const struct smtp_result *result)
{
    struct mx_visit *visit = context;
    struct mx_address *address = &visit->host.addresses[visit->at];

    visit->probe = NULL;
    *(visit->try == TRY_NAMED      ? &address->named
      : visit->try == TRY_NAMELESS ? &address->nameless
                                   : &address->narrow) = attempt_keep(visit, result);
    visit_choose_next(visit);
    visit_go_on(visit);
}

static void visit_probe(uv_timer_t *timer)
{
    struct mx_visit *visit = timer->data;
    const struct mx_tools *tools = visit->tools;
    const struct smtp_options options = {
        .tls = visit->try == TRY_NARROW ? mx_trust_narrow_context(tools->trust)
                                        : mx_trust_context(tools->trust),
        .helo = tools->helo,
        .sni = visit->try == TRY_NAMELESS ? NULL : visit->host.name,
        .connect_ms = tools->connect_ms,
        .reply_ms = tools->reply_ms,
        .total_ms = tools->probe_ms,
    };

    visit->probe = smtp_probe_start(
        tools->loop, (const struct sockaddr *)&visit->host.addresses[visit->at].socket, &options,
        visit_on_probed, visit);
}

/* Tries the next address, or ends. */
static void visit_go_on(struct mx_visit *visit)
{
    const struct mx_tools *tools = visit->tools;
    const struct sockaddr *socket;
    uint64_t now_ms = uv_now(tools->loop), wait_ms = 0;

    while (visit->at < visit->host.n_addresses && visit->host.addresses[visit->at].special)
        visit->at++;
    if (visit->at == visit->host.n_addresses) {
        visit_end(visit);
        return;
    }
    socket = (const struct sockaddr *)&visit->host.addresses[visit->at].socket;
    if (special_address_kind(socket) == NULL)
        wait_ms = connection_pace_take(tools->pace, socket, now_ms);
    if (now_ms + wait_ms - visit->started_ms > tools->visit_ms) {
        visit->host.has_run_out = true;
        visit_end(visit);
        return;
    }
    uv_timer_start(&visit->timer, visit_probe, wait_ms, 0);
}

/* A stranger's answer may have 64 KiB, and thousands of hosts are kept. */
static const struct dns_answer *visit_keep(struct mx_visit *visit, const struct dns_answer *answer,
                                           size_t n_most, size_t *n_left_out)
{
    struct dns_answer cut = *answer;

    if (cut.n_rdata > n_most) {
        *n_left_out += cut.n_rdata - n_most;
        cut.n_rdata = n_most;
    }
    return dns_answer_copy(&cut, visit->arena);
}

static void visit_read_records(struct mx_visit *visit, const struct dns_answer *answer)
{
    struct mx_host *host = &visit->host;

    host->records = arena_array(visit->arena, answer->n_rdata, sizeof(*host->records));
    for (; host->n_records < answer->n_rdata; host->n_records++)
        host->records[host->n_records] = tlsa_parse(answer->rdata[host->n_records]);
}

static void visit_on_tlsa(void *context, const struct dns_answer *answer);

static void visit_ask_tlsa(struct mx_visit *visit, const char *base)
{
    char name[TLSA_NAME_MAX];

    visit->asks_own_name = strcmp(base, visit->host.name) == 0;
    visit->host.tlsa_base = base;
    snprintf(name, sizeof(name), "_%u._tcp.%s", (unsigned)visit->tools->port, base);
    visit->host.tlsa_name = arena_copy(visit->arena, slice_of(name));
    visit->tlsa_query = visit->tools->dns->ask(visit->tools->dns, visit->host.tlsa_name,
                                               DNS_TYPE_TLSA, visit_on_tlsa, visit);
}

/* The name after CNAMEs comes first, and the MX host's own if there are no records: RFC 7672 2.2.2.
 * What fails is not passed over: a sender must not fall back then. */
static void visit_on_tlsa(void *context, const struct dns_answer *answer)
{
    struct mx_visit *visit = context;
    struct mx_host *host = &visit->host;
    bool is_usable = answer->status == DNS_OK && answer->secure && mx_host_is_secure(host);

    visit->tlsa_query = NULL;
    host->n_records_left_out = 0;
    host->tlsa = visit_keep(visit, answer, TLSA_RECORDS_MAX, &host->n_records_left_out);
    if (!is_usable && answer->status != DNS_BOGUS && answer->status != DNS_FAILED &&
        !visit->asks_own_name) {
        visit_ask_tlsa(visit, host->name);
        return;
    }
    if (is_usable)
        visit_read_records(visit, host->tlsa);
    visit_go_on(visit);
}

static void visit_add_addresses(struct mx_visit *visit, const struct dns_answer *answer)
{
    struct mx_host *host = &visit->host;

    for (size_t i = 0; i < answer->n_rdata; i++) {
        struct mx_address *address = &host->addresses[host->n_addresses];
        const struct sockaddr *socket = (const struct sockaddr *)&address->socket;
        if (host->n_addresses == MX_ADDRESSES_MAX) {
            host->n_left_out++;
            continue;
        }
        if (rdata_address(answer->rdata[i], visit->tools->port, &address->socket) != 0)
            continue;
        special_address_text(socket, address->text);
        address->special = visit->tools->allow_private ? NULL : special_address_kind(socket);
        host->n_addresses++;
    }
}

static void visit_on_addresses(struct mx_visit *visit)
{
    struct mx_host *host = &visit->host;

    if (host->a == NULL || host->aaaa == NULL)
        return;
    host->canonical = host->a->status == DNS_OK      ? host->a->canonical
                      : host->aaaa->status == DNS_OK ? host->aaaa->canonical
                                                     : host->name;
    host->addresses = arena_array(visit->arena, MX_ADDRESSES_MAX, sizeof(*host->addresses));
    visit_add_addresses(visit, host->a);
    visit_add_addresses(visit, host->aaaa);
    if (host->n_addresses > 0)
        visit_ask_tlsa(visit, host->canonical);
    else
        visit_end(visit);
}

static void visit_on_a(void *context, const struct dns_answer *answer)
{
    struct mx_visit *visit = context;

    visit->a_query = NULL;
    visit->host.a = visit_keep(visit, answer, MX_ADDRESSES_MAX, &visit->host.n_left_out);
    visit_on_addresses(visit);
}

static void visit_on_aaaa(void *context, const struct dns_answer *answer)
{
    struct mx_visit *visit = context;

    visit->aaaa_query = NULL;
    visit->host.aaaa = visit_keep(visit, answer, MX_ADDRESSES_MAX, &visit->host.n_left_out);
    visit_on_addresses(visit);
}

struct mx_visit *mx_visit_start(const struct mx_tools *tools, const char *name,
                                mx_visited *callback, void *context)
{
    struct mx_visit *visit = memory_alloc(sizeof(*visit));

    *visit = (struct mx_visit){.tools = tools,
                               .arena = arena_new(0),
                               .try = TRY_NAMED,
                               .callback = callback,
                               .context = context};
    visit->host.name = arena_copy(visit->arena, slice_of(name));
    uv_timer_init(tools->loop, &visit->timer);
    visit->timer.data = visit;
    visit->started_ms = uv_now(tools->loop);
    visit->a_query = tools->dns->ask(tools->dns, name, DNS_TYPE_A, visit_on_a, visit);
    visit->aaaa_query = tools->dns->ask(tools->dns, name, DNS_TYPE_AAAA, visit_on_aaaa, visit);
    return visit;
}

static void visit_on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void mx_visit_free(struct mx_visit *visit)
{
    if (visit == NULL)
        return;
    visit->tools->dns->cancel(visit->a_query);
    visit->tools->dns->cancel(visit->aaaa_query);
    visit->tools->dns->cancel(visit->tlsa_query);
    if (visit->probe)
        smtp_probe_cancel(visit->probe);
    arena_free(visit->arena);
    uv_close((uv_handle_t *)&visit->timer, visit_on_closed);
}
