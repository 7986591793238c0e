/* SPDX-License-Identifier: MIT */
#include "check/server_query.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"

enum {
    TRIES = 3,
    TRY_MS = 1000,
    PACKET_MAX = 4096,
    HEADER_BYTES = 12,
};

struct server_query {
    uv_udp_t socket;
    uv_timer_t timer;
    char name[DNS_NAME_MAX + 1];
    server_answered *callback;
    void *context;
    unsigned char question[512];
    int question_len;
    unsigned n_tries, n_handles;
    bool has_ended;
    char packet[PACKET_MAX];
};

static void query_on_closed(uv_handle_t *handle)
{
    struct server_query *query = handle->data;

    if (--query->n_handles == 0)
        free(query);
}

static void query_end(struct server_query *query, const struct server_answer *answer)
{
    query->has_ended = true;
    query->callback(query->context, answer);
    uv_close((uv_handle_t *)&query->socket, query_on_closed);
    uv_close((uv_handle_t *)&query->timer, query_on_closed);
}

static int rdata_compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* The records at the name itself: of TXT, or the CNAME that stands there. */
static size_t packet_list(ns_msg *message, const char *name, struct slice *rdata)
{
    size_t n = 0;
    ns_rr record;

    for (int i = 0; i < ns_msg_count(*message, ns_s_an) && n < SERVER_RDATA_MAX; i++) {
        if (ns_parserr(message, ns_s_an, i, &record) != 0)
            break;
        if (strcasecmp(ns_rr_name(record), name) == 0 &&
            (ns_rr_type(record) == ns_t_txt || ns_rr_type(record) == ns_t_cname))
            rdata[n++] = (struct slice){(const char *)ns_rr_rdata(record), ns_rr_rdlen(record)};
    }
    qsort(rdata, n, sizeof(*rdata), rdata_compare);
    return n;
}

static bool packet_answers(const struct server_query *query, ssize_t len)
{
    return len >= HEADER_BYTES && memcmp(query->packet, query->question, 2) == 0;
}

static void query_on_packet(uv_udp_t *socket, ssize_t len, const uv_buf_t *buffer,
                            const struct sockaddr *from, unsigned flags)
{
    struct server_query *query = socket->data;
    struct server_answer answer = {.end = SERVER_REFUSED};
    struct slice rdata[SERVER_RDATA_MAX];
    ns_msg message;

    (void)buffer;
    (void)from;
    (void)flags;
    if (query->has_ended || !packet_answers(query, len) ||
        ns_initparse((const unsigned char *)query->packet, (int)len, &message) != 0)
        return;
    if ((ns_msg_getflag(message, ns_f_rcode) == ns_r_noerror ||
         ns_msg_getflag(message, ns_f_rcode) == ns_r_nxdomain) &&
        ns_msg_getflag(message, ns_f_aa)) {
        answer.end = SERVER_ANSWERED;
        answer.rdata = rdata;
        answer.n_rdata = packet_list(&message, query->name, rdata);
    }
    query_end(query, &answer);
}

static void query_on_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct server_query *query = handle->data;

    (void)size;
    *buffer = uv_buf_init(query->packet, sizeof(query->packet));
}

static void query_send(uv_timer_t *timer)
{
    struct server_query *query = timer->data;
    uv_buf_t buffer = uv_buf_init((char *)query->question, (unsigned)query->question_len);

    if (query->n_tries++ == TRIES)
        query_end(query, &(struct server_answer){.end = SERVER_SILENT});
    else
        uv_udp_try_send(&query->socket, &buffer, 1, NULL);
}

void server_query_start(uv_loop_t *loop, const struct sockaddr *address, const char *name,
                        server_answered *callback, void *context)
{
    struct server_query *query = memory_alloc(sizeof(*query));

    *query = (struct server_query){.callback = callback, .context = context, .n_handles = 2};
    strncpy(query->name, name, sizeof(query->name) - 1);
    query->question_len = res_mkquery(ns_o_query, name, ns_c_in, ns_t_txt, NULL, 0, NULL,
                                      query->question, sizeof(query->question));
    if (query->question_len < HEADER_BYTES)
        query->question_len = 0;
    /* The id must not be guessed, and no recursion is asked for. */
    if (getrandom(query->question, 2, 0) == 2)
        query->question[2] &= 0xfe;
    uv_udp_init(loop, &query->socket);
    uv_timer_init(loop, &query->timer);
    query->socket.data = query->timer.data = query;
    /* Connected: the kernel drops what others send. */
    if (uv_udp_connect(&query->socket, address) != 0)
        query->n_tries = TRIES;
    else
        uv_udp_recv_start(&query->socket, query_on_buffer, query_on_packet);
    uv_timer_start(&query->timer, query_send, 0, TRY_MS);
}
