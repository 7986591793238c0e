/* SPDX-License-Identifier: MIT */
#include "check/check_run.h"

#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "check/connection_pace.h"
#include "check/domain_check.h"
#include "check/http_fetch.h"
#include "check/mx_hosts.h"
#include "check/mx_trust.h"
#include "check/mx_visit.h"
#include "check/report.h"
#include "check/resolver.h"
#include "check/zone_servers.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"

enum {
    DNS_TIMEOUT_MS = 15000,      /* a sender's resolver gives up sooner than a fetch does */
    CONNECTIONS_PER_MINUTE = 60, /* to one address of an MX host */
    SMTP_PORT = 25,
};

struct run_queue {
    const char *const *domains;
    size_t n_domains, n_begun, n_done;
    const struct check_run_options *options;
    const struct check_tools *tools;
    struct report *report;
};

static void queue_fill(struct run_queue *queue);

static void queue_on_checked(void *context, const struct domain_report *domain)
{
    struct run_queue *queue = context;

    queue->n_done++;
    if (queue->options->shows_progress)
        fputs("\r\033[K", stderr);
    report_add(queue->report, domain);
    if (queue->options->shows_progress && queue->n_done < queue->n_domains)
        fprintf(stderr, "\r%zu of %zu domains", queue->n_done, queue->n_domains);
    queue_fill(queue);
}

static void queue_fill(struct run_queue *queue)
{
    while (queue->n_begun < queue->n_domains &&
           queue->n_begun - queue->n_done < queue->options->n_jobs)
        domain_check_start(queue->tools, queue->domains[queue->n_begun++], queue_on_checked, queue);
}

/* "k3v9x2p7q1.": nobody has published a name that nobody can guess. */
static void run_make_label(char label[static 16])
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

static void run_domains(uv_loop_t *loop, const char *const *domains, size_t n_domains,
                        const struct check_run_options *options, struct check_tools *tools,
                        struct report *report)
{
    struct run_queue queue = {domains, n_domains, 0, 0, options, tools, report};
    char label[16];

    run_make_label(label);
    tools->probe_label = label;
    tools->config = options->config;
    tools->allow_private = options->allow_private;
    tools->now_unix_s = (int64_t)time(NULL);
    report->format->begin(report);
    queue_fill(&queue);
    uv_run(loop, UV_RUN_DEFAULT);
    report->format->end(report);
}

/* The machine's name, if it is a name that a server may be told. */
static void run_make_helo(const char *wanted, char helo[static DNS_NAME_MAX + 1])
{
    char name[HOST_NAME_MAX + 1] = "";
    struct err err;

    gethostname(name, sizeof(name) - 1);
    if (dns_name_parse(slice_of(wanted ? wanted : name), helo, NULL, &err) != 0)
        snprintf(helo, DNS_NAME_MAX + 1, "localhost.localdomain");
}

/* What a run works with; released in the opposite order. */
struct run_parts {
    uv_loop_t loop;
    struct mx_trust *trust;
    struct resolver *resolver;
    struct http_fetcher *http;
    struct connection_pace *pace;
    struct mx_hosts *mx;
    struct zone_servers_options servers;
    char helo[DNS_NAME_MAX + 1];
};

static void parts_free(struct run_parts *parts)
{
    mx_hosts_free(parts->mx);
    http_fetcher_free(parts->http);
    resolver_free(parts->resolver);
    uv_run(&parts->loop, UV_RUN_DEFAULT);
    uv_loop_close(&parts->loop);
    connection_pace_free(parts->pace);
    mx_trust_free(parts->trust);
}

static int parts_make_clients(struct run_parts *parts, const struct check_run_options *options,
                              struct err *err)
{
    const struct resolver_options resolver_options = {
        .forwarder = options->dns_server,
        .config_file = options->dns_config,
        .timeout_ms = options->timeout_ms < DNS_TIMEOUT_MS ? options->timeout_ms : DNS_TIMEOUT_MS,
        .allow_private = options->allow_private,
    };

    parts->trust = mx_trust_new(options->ca_file, err);
    if (!parts->trust)
        return -1;
    parts->resolver = resolver_new(&parts->loop, &resolver_options, err);
    if (!parts->resolver)
        return -1;
    parts->http = http_fetcher_new(&parts->loop, parts->trust, options->timeout_ms, err);
    return parts->http ? 0 : -1;
}

static void parts_make_visits(struct run_parts *parts, const struct check_run_options *options)
{
    const struct mx_tools tools = {
        .loop = &parts->loop,
        .dns = resolver_source(parts->resolver),
        .trust = parts->trust,
        .pace = parts->pace = connection_pace_new(CONNECTIONS_PER_MINUTE),
        .helo = parts->helo,
        .port = SMTP_PORT,
        .allow_private = options->allow_private,
        .now_unix_s = (int64_t)time(NULL),
        .connect_ms = options->timeout_ms / 4,
        .reply_ms = options->timeout_ms / 2,
        .probe_ms = options->timeout_ms,
        .visit_ms = 2 * options->timeout_ms,
    };

    run_make_helo(options->helo, parts->helo);
    parts->mx = mx_hosts_new(&tools, options->n_jobs);
}

int check_run(const char *const *domains, size_t n_domains, const struct check_run_options *options,
              struct report *report, struct err *err)
{
    struct run_parts parts = {0};
    struct check_tools tools = {0};
    int result = -1;

    uv_loop_init(&parts.loop);
    if (parts_make_clients(&parts, options, err) != 0)
        goto out;
    if (!options->skips_smtp)
        parts_make_visits(&parts, options);
    tools.dns = resolver_source(parts.resolver);
    tools.http = parts.http;
    tools.mx = parts.mx;
    parts.servers = (struct zone_servers_options){&parts.loop, tools.dns, options->allow_private};
    /* Whoever names a resolver may have no way to other name servers. */
    if (!options->dns_server)
        tools.servers = &parts.servers;
    run_domains(&parts.loop, domains, n_domains, options, &tools, report);
    result = 0;
out:
    parts_free(&parts);
    return result;
}
