/* SPDX-License-Identifier: MIT */
#include "daemon/worker/request.h"

#include <stdint.h>

#include <h2o.h>

#include "daemon/worker/connection.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/first_octets.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/read_stage.h"
#include "daemon/worker/request_head.h"
#include "lib/base/slice.h"

enum {
    HEAD_MAX = 64 * 1024,
};

static void request_on_refused(h2o_socket_t *sock, const char *err)
{
    (void)err;
    h2o_socket_close(sock);
}

/* text  the whole answer, as h2o would send it */
static void request_refuse(struct connection *connection, unsigned status, const char *text,
                           size_t len)
{
    h2o_iovec_t bytes = {(char *)(uintptr_t)text, len};

    metrics_count_request(connections_metrics(connection->connections), status);
    connection_enter(connection, PHASE_ANSWER);
    h2o_socket_write(connection->sock, &bytes, 1, request_on_refused);
}

static void request_refuse_bad_line(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n"
                               "Connection: close\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 36\r\n"
                               "\r\n"
                               "the request line is not of HTTP/1.1\n";

    request_refuse(connection, 400, text, sizeof(text) - 1);
}

static void request_refuse_large_head(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 431 Request Header Fields Too Large\r\n"
                               "Connection: close\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 39\r\n"
                               "\r\n"
                               "the head of the request is above 64 kB\n";

    request_refuse(connection, 431, text, sizeof(text) - 1);
}

static void request_hand_over(struct connection *connection, struct slice head)
{
    const h2o_globalconf_t *globalconf = connection->accept_ctx.ctx->globalconf;
    size_t body_len = request_body_len(head, globalconf->max_request_entity_size);
    /* If a body follows, h2o copies the head, and doubles its buffer whenever the buffer is full.
     */
    size_t body_bytes = body_len > 0 ? head.len + 2 * body_len : 0;

    /* What nobody needs has no more time than a request without a body. */
    if (body_len > 0 && slice_starts_with(head, "POST " REPORT_PATH " "))
        connection_enter(connection, PHASE_BODY);
    connection_hold_request(connection, COST_REQUEST + body_bytes);
    connection_hand_over(connection, body_bytes);
}

static void request_take(struct connection *connection)
{
    h2o_socket_t *sock = connection->sock;
    struct slice bytes = {sock->input->bytes, sock->input->size};
    size_t head_len = request_head_len(bytes, connection->n_searched);

    if (!connection->kind->ssl_ctx && connection->n_searched == 0)
        first_octets_log(connection);
    if (head_len == 0 && bytes.len <= HEAD_MAX && request_may_be_good(bytes)) {
        connection->n_searched = bytes.len;
        connection_hold_request(connection, 0);
        return;
    }
    h2o_socket_read_stop(sock);
    /* An incomplete head is never handed over: h2o would wait for its end without a limit. */
    if (head_len > HEAD_MAX || (head_len == 0 && bytes.len > HEAD_MAX))
        request_refuse_large_head(connection);
    else if (head_len == 0)
        request_refuse_bad_line(connection);
    else
        request_hand_over(connection, slice_range(bytes, 0, head_len));
}

void request_begin(struct connection *connection)
{
    if (connection->sock->input->size == 0)
        connection_hold_request(connection, 0);
    read_stage_begin(connection, request_take);
}
