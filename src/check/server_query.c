/* SPDX-License-Identifier: MIT */
#include "check/server_query.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdint.h>
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
    STREAM_MS = 3000,
    LENGTH_BYTES = 2, /* before each message of a stream, RFC 1035 4.2.2 */
    STREAM_MAX = LENGTH_BYTES + UINT16_MAX,
    HEADER_BYTES = 12,
};

/* The same question over TCP, for an answer that a datagram was too small for. */
struct query_stream {
    uv_tcp_t socket;
    uv_connect_t connecting;
    uv_write_t writing;
    unsigned char length[LENGTH_BYTES]; /* of the question */
    size_t n_read;
    char bytes[STREAM_MAX];
};

struct server_query {
    uv_loop_t *loop;
    struct sockaddr_storage address;
    uv_udp_t socket;
    uv_timer_t timer;
    struct query_stream *stream; /* NULL: over UDP so far */
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

    if (--query->n_handles > 0)
        return;
    free(query->stream);
    free(query);
}

static void query_end(struct server_query *query, const struct server_answer *answer)
{
    query->has_ended = true;
    query->callback(query->context, answer);
    uv_close((uv_handle_t *)&query->socket, query_on_closed);
    uv_close((uv_handle_t *)&query->timer, query_on_closed);
    if (query->stream)
        uv_close((uv_handle_t *)&query->stream->socket, query_on_closed);
}

static int rdata_compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* The records at the name itself: of TXT, or the CNAME that stands there; broken servers have both.
 */
static size_t packet_list(ns_msg *message, const char *name, struct slice *rdata,
                          struct server_answer *answer)
{
    size_t n = 0;
    ns_rr record;

    for (int i = 0; i < ns_msg_count(*message, ns_s_an) && n < SERVER_RDATA_MAX; i++) {
        if (ns_parserr(message, ns_s_an, i, &record) != 0)
            break;
        if (strcasecmp(ns_rr_name(record), name) != 0 ||
            (ns_rr_type(record) != ns_t_txt && ns_rr_type(record) != ns_t_cname))
            continue;
        answer->has_cname |= ns_rr_type(record) == ns_t_cname;
        answer->has_txt |= ns_rr_type(record) == ns_t_txt;
        rdata[n++] = (struct slice){(const char *)ns_rr_rdata(record), ns_rr_rdlen(record)};
    }
    qsort(rdata, n, sizeof(*rdata), rdata_compare);
    return n;
}

/* Returns whether the bytes are a message that answers the question. */
static bool query_parse(const struct server_query *query, const char *bytes, size_t len,
                        ns_msg *message)
{
    return len >= HEADER_BYTES && memcmp(bytes, query->question, 2) == 0 &&
           ns_initparse((const unsigned char *)bytes, (int)len, message) == 0;
}

static void query_take(struct server_query *query, ns_msg *message)
{
    struct server_answer answer = {.end = SERVER_REFUSED};
    struct slice rdata[SERVER_RDATA_MAX];

    if ((ns_msg_getflag(*message, ns_f_rcode) == ns_r_noerror ||
         ns_msg_getflag(*message, ns_f_rcode) == ns_r_nxdomain) &&
        ns_msg_getflag(*message, ns_f_aa)) {
        answer.end = SERVER_ANSWERED;
        answer.rdata = rdata;
        answer.n_rdata = packet_list(message, query->name, rdata, &answer);
    }
    query_end(query, &answer);
}

static void query_fall_silent(struct server_query *query)
{
    query_end(query, &(struct server_answer){.end = SERVER_SILENT});
}

static void stream_on_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct query_stream *stream = ((struct server_query *)handle->data)->stream;

    (void)size;
    *buffer = uv_buf_init(stream->bytes + stream->n_read, (unsigned)(STREAM_MAX - stream->n_read));
}

static void stream_on_bytes(uv_stream_t *socket, ssize_t len, const uv_buf_t *buffer)
{
    struct server_query *query = socket->data;
    struct query_stream *stream = query->stream;
    ns_msg message;
    size_t size;

    (void)buffer;
    if (query->has_ended)
        return;
    if (len < 0) {
        query_fall_silent(query);
        return;
    }
    stream->n_read += (size_t)len;
    if (stream->n_read < LENGTH_BYTES)
        return;
    size = ns_get16((const unsigned char *)stream->bytes);
    if (stream->n_read < LENGTH_BYTES + size)
        return;
    if (query_parse(query, stream->bytes + LENGTH_BYTES, size, &message))
        query_take(query, &message);
    else
        query_end(query, &(struct server_answer){.end = SERVER_REFUSED});
}

static void stream_on_written(uv_write_t *writing, int status)
{
    struct server_query *query = writing->data;

    if (status != 0 && !query->has_ended)
        query_fall_silent(query);
}

static void stream_on_connected(uv_connect_t *connecting, int status)
{
    struct server_query *query = connecting->data;
    struct query_stream *stream = query->stream;
    const uv_buf_t buffers[] = {
        uv_buf_init((char *)stream->length, LENGTH_BYTES),
        uv_buf_init((char *)query->question, (unsigned)query->question_len),
    };

    if (query->has_ended)
        return;
    if (status != 0) {
        query_fall_silent(query);
        return;
    }
    uv_write(&stream->writing, (uv_stream_t *)&stream->socket, buffers, 2, stream_on_written);
    uv_read_start((uv_stream_t *)&stream->socket, stream_on_buffer, stream_on_bytes);
}

static void query_on_stream_timeout(uv_timer_t *timer)
{
    query_fall_silent(timer->data);
}

static void query_ask_by_stream(struct server_query *query)
{
    struct query_stream *stream = query->stream = memory_alloc(sizeof(*stream));

    stream->n_read = 0;
    ns_put16((unsigned)query->question_len, stream->length);
    uv_udp_recv_stop(&query->socket);
    uv_timer_start(&query->timer, query_on_stream_timeout, STREAM_MS, 0);
    uv_tcp_init(query->loop, &stream->socket);
    query->n_handles++;
    stream->socket.data = stream->connecting.data = stream->writing.data = query;
    if (uv_tcp_connect(&stream->connecting, &stream->socket,
                       (const struct sockaddr *)&query->address, stream_on_connected) != 0)
        query_fall_silent(query);
}

static void query_on_packet(uv_udp_t *socket, ssize_t len, const uv_buf_t *buffer,
                            const struct sockaddr *from, unsigned flags)
{
    struct server_query *query = socket->data;
    ns_msg message;

    (void)buffer;
    (void)from;
    (void)flags;
    if (query->has_ended || len < 0 || !query_parse(query, query->packet, (size_t)len, &message))
        return;
    if (ns_msg_getflag(message, ns_f_tc))
        query_ask_by_stream(query);
    else
        query_take(query, &message);
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
        query_fall_silent(query);
    else
        uv_udp_try_send(&query->socket, &buffer, 1, NULL);
}

void server_query_start(uv_loop_t *loop, const struct sockaddr *address, const char *name,
                        server_answered *callback, void *context)
{
    struct server_query *query = memory_alloc(sizeof(*query));

    *query = (struct server_query){
        .loop = loop, .callback = callback, .context = context, .n_handles = 2};
    memcpy(&query->address, address,
           address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in));
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
