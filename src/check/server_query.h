/* SPDX-License-Identifier: MIT */
/**
 * Server queries: one question to one name server, to compare what each server of a zone has.
 *
 * The question and the answer are made and read by the C library's functions. Whether an answer is
 * true is not asked here: that is what the resolver is for. One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

struct server_query;
struct slice;
struct sockaddr;

enum server_end {
    SERVER_ANSWERED,
    SERVER_REFUSED, /* an error, or an answer without authority */
    SERVER_SILENT,
};

enum {
    SERVER_RDATA_MAX = 16, /* records of an answer that are looked at */
};

/** What a server said; valid in the callback only. */
struct server_answer {
    enum server_end end;
    const struct slice *rdata; /* the TXT records at the name, or its CNAME; sorted */
    size_t n_rdata;            /* 0: it has none */
    bool has_cname, has_txt;   /* both: the server is broken */
};

typedef void server_answered(void *context, const struct server_answer *answer);

/**
 * Asks for the TXT records at a name, three times at most within three seconds; then over TCP,
 * three seconds more, if the answer does not fit a datagram (RFC 1035 4.2.1). The callback comes
 * once, never from inside this call.
 *
 * address  with the port
 */
void server_query_start(uv_loop_t *loop, const struct sockaddr *address, const char *name,
                        server_answered *callback, void *context);
