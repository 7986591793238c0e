/* SPDX-License-Identifier: MIT */
#include "support/fake_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dns_query {
    struct fake_dns *dns;
    char *name;
    enum dns_type type;
    dns_answered *callback;
    void *context;
    uv_timer_t timer;
};

static void query_on_closed(uv_handle_t *timer)
{
    struct dns_query *query = timer->data;

    free(query->name);
    free(query);
}

static void query_close(struct dns_query *query)
{
    query->dns->n_open--;
    uv_close((uv_handle_t *)&query->timer, query_on_closed);
}

static void query_on_timer(uv_timer_t *timer)
{
    struct dns_query *query = timer->data;
    const struct fake_dns *dns = query->dns;
    struct dns_answer answer = {.status = DNS_NXDOMAIN, .canonical = query->name, .why = ""};

    for (size_t i = 0; i < dns->n_rows; i++) {
        const struct fake_dns_row *row = &dns->rows[i];
        bool is_bad = row->status == DNS_BOGUS || row->status == DNS_FAILED;
        if (row->type != query->type || strcmp(row->name, query->name) != 0)
            continue;
        answer = (struct dns_answer){.status = row->status,
                                     .secure = row->secure,
                                     .canonical = row->canonical ? row->canonical : query->name,
                                     .rdata = row->rdata,
                                     .n_rdata = row->n_rdata,
                                     .why = is_bad ? "is broken" : ""};
    }
    query_close(query);
    query->callback(query->context, &answer);
}

static struct dns_query *fake_ask(struct dns_source *source, const char *name, enum dns_type type,
                                  dns_answered *callback, void *context)
{
    struct fake_dns *dns = (struct fake_dns *)source;
    struct dns_query *query = calloc(1, sizeof(*query));
    const char *type_name = type == DNS_TYPE_A      ? "A"
                            : type == DNS_TYPE_AAAA ? "AAAA"
                            : type == DNS_TYPE_TLSA ? "TLSA"
                                                    : "?";
    size_t len = strlen(dns->asked);

    if (query == NULL)
        abort();
    snprintf(dns->asked + len, sizeof(dns->asked) - len, "%s%s %s", len ? ", " : "", type_name,
             name);
    query->dns = dns;
    query->name = strdup(name);
    query->type = type;
    query->callback = callback;
    query->context = context;
    dns->n_open++;
    dns->n_most = dns->n_open > dns->n_most ? dns->n_open : dns->n_most;
    uv_timer_init(dns->loop, &query->timer);
    query->timer.data = query;
    uv_timer_start(&query->timer, query_on_timer, 0, 0);
    return query;
}

static void fake_cancel(struct dns_query *query)
{
    if (query)
        query_close(query);
}

struct fake_dns fake_dns_of(uv_loop_t *loop, const struct fake_dns_row *rows, size_t n_rows)
{
    return (struct fake_dns){.source = {.ask = fake_ask, .cancel = fake_cancel},
                             .loop = loop,
                             .rows = rows,
                             .n_rows = n_rows};
}
