/* SPDX-License-Identifier: MIT */
/**
 * Zone servers: what each authoritative server of a domain's zone says of one name.
 *
 * A sender asks one of them, whichever its resolver takes: a secondary that lags behind is seen by
 * some senders only. One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "check/server_query.h"
#include "lib/base/slice.h"

struct arena;
struct dns_source;
struct findings;

enum {
    ZONE_SERVERS_MAX = 8, /* that are asked */
};

/** A server and its answer. */
struct zone_server {
    const char *name;
    bool is_asked; /* it has an address that may be contacted */
    enum server_end end;
    struct slice *rdata; /* as in struct server_answer */
    size_t n_rdata;
    bool has_cname, has_txt;
};

/** The servers of a zone. */
struct zone_answers {
    const struct zone_server *servers; /* in the arena */
    size_t n;                          /* at most ZONE_SERVERS_MAX */
    size_t n_all;                      /* that the zone has */
};

typedef void zone_servers_done(void *context, const struct zone_answers *answers);

struct zone_servers_options {
    uv_loop_t *loop;
    struct dns_source *dns;
    bool allow_private; /* servers with special addresses are asked too */
};

/**
 * Finds the zone of the domain, asks each of its servers for TXT at `name`, and calls back once,
 * never from inside this call.
 *
 * options, arena  live until the callback; the arena owns the answers, and is uncapped
 */
void zone_servers_ask(const struct zone_servers_options *options, const char *domain,
                      const char *name, struct arena *arena, zone_servers_done *callback,
                      void *context);

/** Says which servers have another answer than the first, which give none, and which a broken one.
 */
void zone_servers_judge(const struct zone_answers *answers, const char *name,
                        struct findings *findings);
