/* SPDX-License-Identifier: MIT */
#include "daemon/http/router.h"

#include <string.h>

#include "daemon/http/admin_handler.h"
#include "daemon/http/answer.h"
#include "daemon/http/policy_handler.h"
#include "daemon/tls/certificate.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/host.h"
#include "daemon/worker/request_head.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    REQUESTS_MAX = 1000, /* of a proxy's connection */
};

static struct slice slice_of_iovec(h2o_iovec_t bytes)
{
    return (struct slice){bytes.base, bytes.len};
}

/* h2o fills in the catch-all host's own name where the request names none. */
static struct slice requested_authority(const h2o_req_t *req)
{
    if (req->authority.base == req->hostconf->authority.hostport.base)
        return (struct slice){0};
    return slice_trim(slice_of_iovec(req->authority)); /* h2o leaves blanks behind the value */
}

/*
 * A Host beside the SNI is answered for itself where this connection could have been made for it:
 * the certificate covers it, or a customer's reverse proxy came by the policy host's own name
 * (RFC 8461 8.2).
 */
static bool host_is_authorized(const struct connection *connection, const char *host)
{
    const struct config *config = connection->worker->config;

    return strcmp(host, connection->server_name) == 0 ||
           certificate_covers(connection->certificate, host) ||
           (config->policy_host_name &&
            strcmp(connection->server_name, config->policy_host_name) == 0);
}

/* What a request asks for. */
struct request_target {
    char host[DNS_NAME_MAX + 1]; /* stored form; empty: none was named, not even by SNI */
    struct slice path;
};

/* Returns NULL, or why the request is refused as a bad one. */
static const char *request_target_read(const struct connection *connection, const h2o_req_t *req,
                                       struct request_target *ret_target)
{
    struct slice authority = requested_authority(req), in_target;
    char target_host[DNS_NAME_MAX + 1];
    const char *fault = request_head_fault(
        (struct slice){connection->sock->input->bytes, connection->sock->input->size});

    if (fault)
        return fault;
    request_target_split(slice_of_iovec(req->input.path), &in_target, &ret_target->path);
    strcpy(ret_target->host, connection->server_name);
    if (authority.len > 0 && host_parse(authority, ret_target->host) != 0)
        return "the Host is not a host name\n";
    if (in_target.len > 0 &&
        (host_parse(in_target, target_host) != 0 || strcmp(target_host, ret_target->host) != 0))
        return "the request target is for another host\n";
    return NULL;
}

static void route(struct connection *connection, h2o_req_t *req)
{
    const struct domain *domain;
    struct request_target target;
    const char *fault = request_target_read(connection, req, &target);

    if (fault) {
        req->http1_is_persistent = 0;
        answer_text(req, 400, "Bad Request", fault);
        return;
    }
    if (connection->certificate && !host_is_authorized(connection, target.host)) {
        answer_text(req, 421, "Misdirected Request",
                    "this connection is not for the host that was asked for\n");
        return;
    }
    domain = config_find_policy_host(connection->worker->config, slice_of(target.host));
    if (domain && slice_eq_text(target.path, "/.well-known/mta-sts.txt"))
        policy_handler_answer(domain->document, req);
    else
        answer_text(req, 404, "Not Found", "nothing is served here\n");
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct connection *connection = connection_of_request(req);

    (void)handler;
    connection->n_requests++;
    connection_enter(connection, PHASE_ANSWER);
    /* h2o reads the chunk size 0x5 as 0: where a body ends is in doubt, and what follows too. */
    if (!connection->listener->keeps_alive || connection->n_requests >= REQUESTS_MAX ||
        connection->worker->is_draining || req->entity.base)
        req->http1_is_persistent = 0;
    if (!req->http1_is_persistent)
        connection_write_last(connection);
    if (connection->worker->options.admin)
        admin_handler_answer(req);
    else
        route(connection, req);
    return 0;
}

static struct slice find_agent(const h2o_req_t *req)
{
    ssize_t index = h2o_find_header(&req->headers, H2O_TOKEN_USER_AGENT, -1);

    return index < 0 ? (struct slice){0} : slice_of_iovec(req->headers.entries[index].value);
}

static void report_request(struct connection *connection, h2o_req_t *req)
{
    struct log_record record = {.kind = LOG_RECORD_REQUEST};

    connection_print_peer(connection->sock, record.peer, sizeof(record.peer));
    log_record_set_text(record.server, sizeof(record.server),
                        requested_authority(req).len > 0 ? requested_authority(req)
                                                         : slice_of(connection->server_name));
    log_record_set_text(record.method, sizeof(record.method), slice_of_iovec(req->input.method));
    log_record_set_text(record.path, sizeof(record.path), slice_of_iovec(req->input.path));
    log_record_set_text(record.agent, sizeof(record.agent), find_agent(req));
    record.tls_version = h2o_socket_get_ssl_protocol_version(connection->sock);
    record.status = (uint16_t)req->res.status;
    record.body_len = (uint32_t)req->bytes_sent;
    log_ring_push(connection->worker->log, &record);
}

/* h2o calls the logger when a request is over, one way or the other. */
static void on_request_end(h2o_logger_t *self, h2o_req_t *req)
{
    struct connection *connection = connection_of_request(req);

    (void)self;
    connection->n_ended++;
    connection_enter(connection, PHASE_REQUEST);
    metrics_count_request(&connection->worker->metrics, (unsigned)req->res.status);
    if (connection->worker->config->access != ACCESS_OFF && !connection->worker->options.admin)
        report_request(connection, req);
}

static void register_path(h2o_pathconf_t *path)
{
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
    h2o_create_logger(path, sizeof(h2o_logger_t))->log_access = on_request_end;
}

void router_register(h2o_hostconf_t *host)
{
    register_path(h2o_config_register_path(host, "/", 0));
    register_path(&host->fallback_path);
}
