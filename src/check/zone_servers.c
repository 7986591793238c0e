/* SPDX-License-Identifier: MIT */
#include "check/zone_servers.h"

#include <string.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/rdata.h"
#include "check/special_address.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    DNS_PORT = 53,
};

struct zone_inquiry;

/* A server that is being asked. */
struct server_slot {
    struct zone_inquiry *inquiry;
    struct zone_server *server;
};

struct zone_inquiry {
    const struct zone_servers_options *options;
    const char *zone; /* the candidate: the domain, then its parents */
    const char *name;
    struct arena *arena;
    zone_servers_done *callback;
    void *context;
    struct zone_server servers[ZONE_SERVERS_MAX];
    struct server_slot slots[ZONE_SERVERS_MAX];
    size_t n_servers, n_all, n_pending;
};

static void inquiry_end(struct zone_inquiry *inquiry)
{
    const struct zone_answers answers = {inquiry->servers, inquiry->n_servers, inquiry->n_all};

    inquiry->callback(inquiry->context, &answers);
}

static void inquiry_settle(struct zone_inquiry *inquiry)
{
    if (--inquiry->n_pending == 0)
        inquiry_end(inquiry);
}

static void server_on_answer(void *context, const struct server_answer *answer)
{
    struct server_slot *slot = context;
    struct zone_server *server = slot->server;
    struct arena *arena = slot->inquiry->arena;

    server->end = answer->end;
    server->has_cname = answer->has_cname;
    server->has_txt = answer->has_txt;
    server->n_rdata = answer->n_rdata;
    server->rdata = arena_array(arena, answer->n_rdata + 1, sizeof(*server->rdata));
    for (size_t i = 0; i < answer->n_rdata; i++)
        server->rdata[i] =
            (struct slice){arena_copy(arena, answer->rdata[i]), answer->rdata[i].len};
    inquiry_settle(slot->inquiry);
}

/* Returns whether the server is being asked. */
static bool server_ask(struct server_slot *slot, const struct dns_answer *addresses)
{
    const struct zone_servers_options *options = slot->inquiry->options;
    struct sockaddr_storage address;
    const struct sockaddr *socket = (const struct sockaddr *)&address;

    if (addresses->status != DNS_OK ||
        rdata_address(addresses->rdata[0], DNS_PORT, &address) != 0 ||
        (!options->allow_private && special_address_kind(socket)))
        return false;
    slot->server->is_asked = true;
    server_query_start(options->loop, socket, slot->inquiry->name, server_on_answer, slot);
    return true;
}

static void server_on_address(void *context, const struct dns_answer *addresses)
{
    struct server_slot *slot = context;

    if (!server_ask(slot, addresses))
        inquiry_settle(slot->inquiry);
}

/* Servers without IPv4 are left out: from here, IPv6 may lead nowhere. */
static void inquiry_ask_servers(struct zone_inquiry *inquiry, const struct dns_answer *answer)
{
    struct dns_source *dns = inquiry->options->dns;
    char name[RDATA_NAME_SIZE];
    struct slice rest;

    inquiry->n_pending = 1;
    inquiry->n_all = answer->n_rdata;
    for (size_t i = 0; i < answer->n_rdata && inquiry->n_servers < ZONE_SERVERS_MAX; i++) {
        struct zone_server *server = &inquiry->servers[inquiry->n_servers];
        struct server_slot *slot = &inquiry->slots[inquiry->n_servers];

        if (rdata_name(answer->rdata[i], name, &rest) != 0)
            continue;
        server->name = arena_copy(inquiry->arena, slice_of(name));
        *slot = (struct server_slot){inquiry, server};
        inquiry->n_servers++;
        inquiry->n_pending++;
        dns->ask(dns, server->name, DNS_TYPE_A, server_on_address, slot);
    }
    inquiry_settle(inquiry);
}

/* A zone has NS records at its top, and a name inside it has none. */
static void inquiry_on_servers(void *context, const struct dns_answer *answer)
{
    struct zone_inquiry *inquiry = context;
    struct dns_source *dns = inquiry->options->dns;
    const char *dot = strchr(inquiry->zone, '.');

    if (answer->status != DNS_NODATA && answer->status != DNS_NXDOMAIN) {
        inquiry_ask_servers(inquiry, answer);
        return;
    }
    inquiry->zone = dot ? dot + 1 : ".";
    if (dot && strchr(inquiry->zone, '.'))
        dns->ask(dns, inquiry->zone, DNS_TYPE_NS, inquiry_on_servers, inquiry);
    else
        inquiry_end(inquiry);
}

void zone_servers_ask(const struct zone_servers_options *options, const char *domain,
                      const char *name, struct arena *arena, zone_servers_done *callback,
                      void *context)
{
    struct zone_inquiry *inquiry = arena_alloc(arena, sizeof(*inquiry));

    *inquiry = (struct zone_inquiry){
        .options = options,
        .zone = domain,
        .name = arena_copy(arena, slice_of(name)),
        .arena = arena,
        .callback = callback,
        .context = context,
    };
    options->dns->ask(options->dns, domain, DNS_TYPE_NS, inquiry_on_servers, inquiry);
}

static bool servers_agree(const struct zone_server *a, const struct zone_server *b)
{
    if (a->n_rdata != b->n_rdata)
        return false;
    for (size_t i = 0; i < a->n_rdata; i++)
        if (!slice_eq(a->rdata[i], b->rdata[i]))
            return false;
    return true;
}

void zone_servers_judge(const struct zone_answers *answers, const char *name,
                        struct findings *findings)
{
    const struct zone_server *first = NULL;
    char quoted[ERR_QUOTE_MAX], quoted_first[ERR_QUOTE_MAX];

    if (answers->n_all > ZONE_SERVERS_MAX)
        findings_add(findings, CHECK_TOO_MANY_RECORDS, NULL,
                     "the zone has %zu name servers, of which %d are asked", answers->n_all,
                     ZONE_SERVERS_MAX);
    for (size_t i = 0; i < answers->n; i++) {
        const struct zone_server *server = &answers->servers[i];

        err_quote(quoted, sizeof(quoted), slice_of(server->name));
        if (!server->is_asked)
            continue;
        if (server->has_cname && server->has_txt)
            findings_add(findings, CHECK_TXT_CNAME_BESIDE, NULL,
                         "the name server %s has both a CNAME and a TXT record at %s", quoted,
                         name);
        if (server->end != SERVER_ANSWERED)
            findings_add(findings, CHECK_TXT_SERVER_SILENT, NULL, "the name server %s %s about %s",
                         quoted, server->end == SERVER_SILENT ? "does not answer" : "knows nothing",
                         name);
        else if (!first)
            first = server;
        else if (!servers_agree(first, server))
            findings_add(findings, CHECK_TXT_SERVERS_DIFFER, NULL,
                         "the name servers %s and %s have different records at %s",
                         err_quote(quoted_first, sizeof(quoted_first), slice_of(first->name)),
                         quoted, name);
    }
}
