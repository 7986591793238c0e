/* SPDX-License-Identifier: MIT */
#include "daemon/http/router.h"

#include <string.h>

#include "daemon/http/answer.h"
#include "daemon/http/routes.h"
#include "daemon/tls/certificate.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/host.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/request_head.h"
#include "daemon/worker/snapshot.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    REQUESTS_MAX = 1000, /* of a proxy's connection */
};

struct router_handler {
    h2o_handler_t super;
    struct router_options options;
};

struct router_logger {
    h2o_logger_t super;
    const struct snapshot *snapshot;
};

/* Whether a head that others could read otherwise is refused. */
static const bool is_head_checked[SERVES_COUNT] = {
    [SERVES_POLICIES] = true, [SERVES_CHALLENGES] = true};

/* Whether the Host of a request is checked, and decides on the answer. */
static const bool is_host_checked[SERVES_COUNT] = {[SERVES_POLICIES] = true};

static const bool is_logged[SERVES_COUNT] = {[SERVES_POLICIES] = true, [SERVES_CHALLENGES] = true};

static struct slice slice_of_iovec(h2o_iovec_t bytes)
{
    return (struct slice){bytes.base, bytes.len};
}

/* h2o fills in the catch-all host's own name where the request names none. */
static struct slice router_authority(const h2o_req_t *req)
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
static bool host_is_authorized(const struct connection *connection, const struct config *config,
                               const char *host)
{
    return strcmp(host, connection->server_name) == 0 ||
           certificate_covers(connection->certificate, host) ||
           (config->policy_host_name &&
            strcmp(connection->server_name, config->policy_host_name) == 0);
}

static const char fault_no_host_name[] =
    "the Host is not a host name; a proxy must pass the Host that the sender has sent\n";

/* The host and the path that a request asks for. */
struct request_target {
    char host[DNS_NAME_MAX + 1]; /* stored form; empty: none was named, not even by SNI */
    struct slice authority;      /* of an absolute form */
    struct slice path;
};

/* Returns NULL, or why the request is refused as one whose host is not clear. */
static const char *request_target_read_host(const struct connection *connection,
                                            const h2o_req_t *req, struct request_target *target)
{
    struct slice authority = router_authority(req);
    char target_host[DNS_NAME_MAX + 1];

    strcpy(target->host, connection->server_name);
    if (authority.len > 0 && host_parse(authority, target->host) != 0)
        return fault_no_host_name;
    if (target->authority.len > 0 &&
        (host_parse(target->authority, target_host) != 0 || strcmp(target_host, target->host) != 0))
        return "the request target is for another host\n";
    return NULL;
}

static bool host_is_served(const struct config *config, const char *host)
{
    return config_find_policy_host(config, slice_of(host)) ||
           config_is_own_host(config, slice_of(host));
}

/* Tells the log that a policy was asked for by a Host that the answer `status` refuses. */
static void router_log_unserved_host(const struct connection *connection, const h2o_req_t *req,
                                     const struct request_target *target, uint16_t status)
{
    struct log_record record = {.kind = LOG_RECORD_UNSERVED_HOST, .status = status};

    if (!route_is_of_policy_host(connection->kind->serves, target->path))
        return;
    log_record_set_text(record.server, sizeof(record.server), router_authority(req));
    connections_log(connection->connections, connection->sock, &record);
}

/* Returns whether the host may be asked for; otherwise the request is answered. */
static bool router_check_host(const struct connection *connection, const struct config *config,
                              h2o_req_t *req, struct request_target *target)
{
    const char *fault = request_target_read_host(connection, req, target);

    if (fault) {
        if (fault == fault_no_host_name)
            router_log_unserved_host(connection, req, target, 400);
        req->http1_is_persistent = 0;
        answer_text(req, 400, "Bad Request", fault);
        return false;
    }
    if (connection->certificate && !host_is_authorized(connection, config, target->host)) {
        if (!host_is_served(config, target->host))
            router_log_unserved_host(connection, req, target, 421);
        answer_text(req, 421, "Misdirected Request",
                    "this connection is not for the host that was asked for\n");
        return false;
    }
    return true;
}

/* Returns whether the head is sound; otherwise the request is answered. */
static bool router_check_head(const struct connection *connection, h2o_req_t *req)
{
    const char *fault = request_head_fault(
        (struct slice){connection->sock->input->bytes, connection->sock->input->size});

    if (!fault)
        return true;
    req->http1_is_persistent = 0;
    answer_text(req, 400, "Bad Request", fault);
    return false;
}

static void router_answer_not_found(const struct connection *connection,
                                    const struct config *config, h2o_req_t *req,
                                    const struct request_target *target)
{
    const char *text = "nothing is served here\n";

    if (is_host_checked[connection->kind->serves] && !host_is_served(config, target->host)) {
        router_log_unserved_host(connection, req, target, 404);
        text =
            "this host is not served here; a proxy must pass the Host that the sender has sent\n";
    }
    answer_text(req, 404, "Not Found", text);
}

static void router_answer_not_allowed(h2o_req_t *req, const struct route *route)
{
    char *allow = h2o_mem_alloc_pool(&req->pool, ALLOW_MAX);

    route_print_methods(route, allow);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_ALLOW, NULL, allow, strlen(allow));
    answer_text(req, 405, "Method Not Allowed", "only the methods in Allow are answered here\n");
}

static void router_route(const struct router_options *options, struct connection *connection,
                         h2o_req_t *req)
{
    const struct config *config = options->snapshot->config;
    enum serves serves = connection->kind->serves;
    struct request_target target = {.host = ""};
    struct route_request request = {.req = req,
                                    .host = target.host,
                                    .config = config,
                                    .intake = options->intake,
                                    .challenges = options->challenges,
                                    .print_admin = options->print_admin,
                                    .admin_context = options->admin_context};
    const struct route *route;

    if (is_head_checked[serves] && !router_check_head(connection, req))
        return;
    request_target_split(slice_of_iovec(req->input.path), &target.authority, &target.path);
    if (is_host_checked[serves]) {
        if (!router_check_host(connection, config, req, &target))
            return;
        request.domain = config_find_policy_host(config, slice_of(target.host));
    }
    request.path = target.path;
    route = route_find(serves, &request);
    if (!route)
        router_answer_not_found(connection, config, req, &target);
    else if (!route_allows(route, slice_of_iovec(req->method)))
        router_answer_not_allowed(req, route);
    else
        route->handle(&request);
}

static int router_on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    const struct router_handler *self = (const struct router_handler *)handler;
    struct connection *connection = connection_of_request(req);

    connection->n_requests++;
    connection_enter(connection, PHASE_ANSWER);
    /* h2o reads the chunk size 0x5 as 0: where a body ends is in doubt, and what follows too. */
    if (!connection->kind->keeps_alive || connection->n_requests >= REQUESTS_MAX ||
        connections_is_draining(connection->connections) || req->entity.base)
        req->http1_is_persistent = 0;
    if (!req->http1_is_persistent)
        connection_cork(connection);
    router_route(&self->options, connection, req);
    return 0;
}

static struct slice router_find_agent(const h2o_req_t *req)
{
    ssize_t index = h2o_find_header(&req->headers, H2O_TOKEN_USER_AGENT, -1);

    return index < 0 ? (struct slice){0} : slice_of_iovec(req->headers.entries[index].value);
}

static void router_log_request(struct connection *connection, h2o_req_t *req)
{
    struct slice authority = router_authority(req);
    struct log_record record = {.kind = LOG_RECORD_REQUEST};

    log_record_set_text(record.server, sizeof(record.server),
                        authority.len > 0 ? authority : slice_of(connection->server_name));
    log_record_set_text(record.method, sizeof(record.method), slice_of_iovec(req->input.method));
    log_record_set_text(record.path, sizeof(record.path), slice_of_iovec(req->input.path));
    log_record_set_text(record.agent, sizeof(record.agent), router_find_agent(req));
    record.tls_version = h2o_socket_get_ssl_protocol_version(connection->sock);
    record.status = (uint16_t)req->res.status;
    record.body_len = (uint32_t)req->bytes_sent;
    connections_log(connection->connections, connection->sock, &record);
}

/* h2o calls the logger when a request is over, one way or the other. */
static void router_on_request_end(h2o_logger_t *logger, h2o_req_t *req)
{
    const struct router_logger *self = (const struct router_logger *)logger;
    const struct config *config = self->snapshot->config;
    struct connection *connection = connection_of_request(req);

    connection->n_answered++;
    connection_enter(connection, PHASE_REQUEST);
    metrics_count_request(connections_metrics(connection->connections), (unsigned)req->res.status);
    /* With a state directory, who fetches policies is counted from what the log is told. */
    if (is_logged[connection->kind->serves] && (config->access != ACCESS_OFF || config->state))
        router_log_request(connection, req);
}

static void router_register_path(h2o_pathconf_t *path, const struct router_options *options)
{
    h2o_handler_t *handler = h2o_create_handler(path, sizeof(struct router_handler));
    h2o_logger_t *logger = h2o_create_logger(path, sizeof(struct router_logger));

    handler->on_req = router_on_request;
    ((struct router_handler *)handler)->options = *options;
    logger->log_access = router_on_request_end;
    ((struct router_logger *)logger)->snapshot = options->snapshot;
}

void router_register(h2o_hostconf_t *host, const struct router_options *options)
{
    router_register_path(h2o_config_register_path(host, "/", 0), options);
    router_register_path(&host->fallback_path, options);
}
