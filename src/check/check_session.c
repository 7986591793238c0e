/* SPDX-License-Identifier: MIT */
#include "check/check_session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "check/connection_pace.h"
#include "check/domain_check.h"
#include "check/host_visits.h"
#include "check/http_fetch.h"
#include "check/mx_hosts.h"
#include "check/mx_trust.h"
#include "check/mx_visit.h"
#include "check/resolver.h"
#include "check/zone_servers.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"

enum {
    DNS_TIMEOUT_MS = 15000,      /* a sender's resolver gives up sooner than a fetch does */
    CONNECTIONS_PER_MINUTE = 60, /* to one address of an MX host */
    SMTP_PORT = 25,
    LABEL_SIZE = 16,
    OTHER_HOST_SIZE = 48,
};

struct check_session {
    uv_loop_t loop;
    struct mx_trust *trust;
    struct resolver *resolver;
    struct http_fetcher *http;
    struct host_visits *hosts;
    struct connection_pace *pace;
    struct mx_hosts *mx;
    struct zone_servers_options servers;
    struct check_tools tools;
    char label[LABEL_SIZE];
    char other_host[OTHER_HOST_SIZE];
    char helo[DNS_NAME_MAX + 1];
};

/* "k3v9x2p7q1.": nobody has published a name that nobody can guess. */
static void session_make_label(char label[static LABEL_SIZE])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char random[10] = {0};

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        random[0] = (unsigned char)time(NULL);
    for (size_t i = 0; i < sizeof(random); i++)
        label[i] = letters[random[i] % 32];
    label[sizeof(random)] = '.';
    label[sizeof(random) + 1] = '\0';
}

/* The machine's name, if it is a name that a server may be told. */
static void session_make_helo(const char *wanted, char helo[static DNS_NAME_MAX + 1])
{
    char name[HOST_NAME_MAX + 1] = "";
    struct err err;

    gethostname(name, sizeof(name) - 1);
    if (dns_name_parse(slice_of(wanted ? wanted : name), helo, NULL, &err) != 0)
        snprintf(helo, DNS_NAME_MAX + 1, "localhost.localdomain");
}

static int session_make_clients(struct check_session *session,
                                const struct check_session_options *options, struct err *err)
{
    const struct resolver_options resolver_options = {
        .forwarder = options->dns_server,
        .config_file = options->dns_config,
        .timeout_ms = options->timeout_ms < DNS_TIMEOUT_MS ? options->timeout_ms : DNS_TIMEOUT_MS,
        .allow_private = options->allow_private,
    };

    session->trust = mx_trust_new(options->ca_file, err);
    if (!session->trust)
        return -1;
    session->resolver = resolver_new(&session->loop, &resolver_options, err);
    if (!session->resolver)
        return -1;
    session->http = http_fetcher_new(&session->loop, session->trust, options->timeout_ms, err);
    return session->http ? 0 : -1;
}

/* RFC 6761 6.4: no host has a name in .invalid. */
static void session_make_host_visits(struct check_session *session,
                                     const struct check_session_options *options)
{
    const struct host_visit_tools tools = {
        .loop = &session->loop,
        .http = session->http,
        .other_host = session->other_host,
        .visit_ms = options->timeout_ms,
    };

    snprintf(session->other_host, sizeof(session->other_host), DNS_PREFIX_POLICY_HOST "%sinvalid",
             session->label);
    session->hosts = host_visits_new(&tools, options->n_jobs);
}

static void session_make_mx_visits(struct check_session *session,
                                   const struct check_session_options *options)
{
    const struct mx_tools tools = {
        .loop = &session->loop,
        .dns = resolver_source(session->resolver),
        .trust = session->trust,
        .pace = session->pace = connection_pace_new(CONNECTIONS_PER_MINUTE),
        .helo = session->helo,
        .port = SMTP_PORT,
        .allow_private = options->allow_private,
        .now_unix_s = (int64_t)time(NULL),
        .connect_ms = options->timeout_ms / 4,
        .reply_ms = options->timeout_ms / 2,
        .probe_ms = options->timeout_ms,
        .visit_ms = 2 * options->timeout_ms,
    };

    session_make_helo(options->helo, session->helo);
    session->mx = mx_hosts_new(&tools, options->n_jobs);
}

static void session_make_tools(struct check_session *session,
                               const struct check_session_options *options)
{
    struct dns_source *dns = resolver_source(session->resolver);

    session->servers = (struct zone_servers_options){&session->loop, dns, options->allow_private};
    session->tools = (struct check_tools){
        .dns = dns,
        .http = session->http,
        .hosts = session->hosts,
        .mx = session->mx,
        /* Whoever names a resolver may have no way to other name servers. */
        .servers = options->dns_server ? NULL : &session->servers,
        .config = options->config,
        .allow_private = options->allow_private,
        .probe_label = session->label,
        .now_unix_s = (int64_t)time(NULL),
    };
}

struct check_session *check_session_new(const struct check_session_options *options,
                                        struct err *err)
{
    struct check_session *session = memory_alloc(sizeof(*session));

    *session = (struct check_session){0};
    uv_loop_init(&session->loop);
    if (session_make_clients(session, options, err) != 0) {
        check_session_free(session);
        return NULL;
    }
    session_make_label(session->label);
    session_make_host_visits(session, options);
    if (!options->skips_smtp)
        session_make_mx_visits(session, options);
    session_make_tools(session, options);
    return session;
}

void check_session_free(struct check_session *session)
{
    if (session == NULL)
        return;
    mx_hosts_free(session->mx);
    host_visits_free(session->hosts);
    http_fetcher_free(session->http);
    resolver_free(session->resolver);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    uv_loop_close(&session->loop);
    connection_pace_free(session->pace);
    mx_trust_free(session->trust);
    free(session);
}

const struct check_tools *check_session_tools(const struct check_session *session)
{
    return &session->tools;
}

void check_session_run(struct check_session *session)
{
    uv_run(&session->loop, UV_RUN_DEFAULT);
}
