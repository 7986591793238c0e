/* SPDX-License-Identifier: MIT */
#include "check/check_run.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include <uv.h>

#include "check/domain_check.h"
#include "check/http_fetch.h"
#include "check/mx_trust.h"
#include "check/report.h"
#include "check/resolver.h"
#include "check/zone_servers.h"
#include "lib/base/err.h"

enum {
    DNS_TIMEOUT_MS = 15000, /* a sender's resolver gives up sooner than a fetch does */
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

int check_run(const char *const *domains, size_t n_domains, const struct check_run_options *options,
              struct report *report, struct err *err)
{
    const struct resolver_options resolver_options = {
        .forwarder = options->dns_server,
        .config_file = options->dns_config,
        .timeout_ms = options->timeout_ms < DNS_TIMEOUT_MS ? options->timeout_ms : DNS_TIMEOUT_MS,
        .allow_private = options->allow_private,
    };
    struct check_tools tools = {0};
    struct zone_servers_options servers;
    struct mx_trust *trust = mx_trust_new(options->ca_file, err);
    struct resolver *resolver = NULL;
    int result = -1;
    uv_loop_t loop;

    uv_loop_init(&loop);
    if (!trust || !(resolver = resolver_new(&loop, &resolver_options, err)) ||
        !(tools.http = http_fetcher_new(&loop, trust, options->timeout_ms, err)))
        goto out;
    tools.dns = resolver_source(resolver);
    servers = (struct zone_servers_options){&loop, tools.dns, options->allow_private};
    /* Whoever names a resolver may have no way to other name servers. */
    if (!options->dns_server)
        tools.servers = &servers;
    run_domains(&loop, domains, n_domains, options, &tools, report);
    result = 0;
out:
    http_fetcher_free(tools.http);
    resolver_free(resolver);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    mx_trust_free(trust);
    return result;
}
