/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/daemon_orders.h"
#include "cli/mode.h"
#include "cli/parallel.h"
#include "cli/run_as.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "daemon/tls/trust_store.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

/* What is listed of one policy host. */
struct certificate_row {
    const struct domain *domain;
    char host[POLICY_HOST_SIZE];
    struct cert_state found; /* in its files */
    const struct daemon_order *order;
    const char *absence; /* why the daemon orders none; NULL: it does, or is not meant to */
};

struct certificate_list {
    struct cert_store *store;
    struct certificate_row *rows;
    size_t n_rows;
};

/* What the files say, for whom the daemon orders nothing or for want of a daemon. */
static const char *row_file_state(const struct certificate_row *row)
{
    if (!cert_state_is_accepted(&row->found))
        return row->found.findings & finding_bit(FINDING_CERTIFICATE_MISSING) ? "missing"
                                                                              : "failing";
    return row->found.findings & finding_bit(FINDING_CERTIFICATE_EXPIRING) ? "expiring" : "valid";
}

static const char *row_state(const struct certificate_row *row)
{
    return row->order ? row->order->state : row_file_state(row);
}

/* Why there is no better state; "" if nothing is wrong. */
static const char *row_error(const struct certificate_row *row)
{
    if (row->absence && row->found.findings & finding_bit(FINDING_CERTIFICATE_MISSING))
        return row->absence;
    return row->order && row->order->reason[0] != '\0' ? row->order->reason : row->found.message;
}

/* When the daemon tries next; 0: no time is known. */
static int64_t row_next_unix_s(const struct certificate_row *row)
{
    return row->order ? row->order->next_unix_s : 0;
}

static void row_look(void *context, size_t index)
{
    const struct certificate_list *list = context;

    cert_store_check(list->store, list->rows[index].host, &list->rows[index].found);
}

static void row_print(const struct certificate_row *row)
{
    const struct certificate *certificate = row->found.certificate;
    char issuer[CERTIFICATE_ISSUER_MAX], date[WHEN_SIZE];

    printf("%-40s %-8s", row->host, row_state(row));
    if (certificate)
        printf("  until %s, by %s", when_date(certificate_not_after_unix_s(certificate), date),
               certificate_issuer_render(certificate, issuer, sizeof(issuer)));
    putchar('\n');
    if (row_error(row)[0] != '\0')
        printf("    %s\n", row_error(row));
    if (row_next_unix_s(row) != 0)
        printf("    %s: %s\n", row_error(row)[0] == '\0' ? "renewal" : "next try",
               when_date(row_next_unix_s(row), date));
}

/* A key and a time; 0 is null. */
static void row_print_time(struct json_writer *json, const char *key, int64_t unix_s)
{
    char date[CERTIFICATE_DATE_MAX];

    json_text_member(json, key, unix_s != 0 ? certificate_date_render(unix_s, date) : NULL);
}

static void row_print_json(const struct certificate_row *row, struct json_writer *json)
{
    const struct certificate *certificate = row->found.certificate;
    const char *error = row_error(row);
    char issuer[CERTIFICATE_ISSUER_MAX];

    json_begin_object(json, JSON_ON_ONE_LINE);
    json_text_member(json, "domain", row->domain->name);
    json_text_member(json, "host", row->host);
    json_text_member(json, "state", row_state(row));
    row_print_time(json, "not_after", certificate ? certificate_not_after_unix_s(certificate) : 0);
    json_text_member(json, "issuer",
                     certificate ? certificate_issuer_render(certificate, issuer, sizeof(issuer))
                                 : NULL);
    json_text_member(json, "path", certificate ? certificate_path(certificate) : NULL);
    json_text_member(json, "error", error[0] != '\0' ? error : NULL);
    row_print_time(json, "next_try", row_next_unix_s(row));
    json_end_object(json);
}

static void list_add(struct certificate_list *list, const struct domain *domain)
{
    struct certificate_row *row = &list->rows[list->n_rows++];

    *row = (struct certificate_row){.domain = domain};
    dns_policy_host_render(domain->name, row->host);
}

/* Those of the domains that the user names, or all. */
static enum exit_status list_choose(struct certificate_list *list, const struct options *options,
                                    const struct config *config)
{
    size_t n_max = options->n_arguments > 0 ? options->n_arguments : config->n_domains;

    list->rows = memory_alloc((n_max + 1) * sizeof(*list->rows));
    for (size_t i = 0; i < options->n_arguments; i++) {
        const struct domain *domain = cli_find_domain(config, options->arguments[i]);

        if (!domain)
            return STATUS_USAGE;
        if (domain->document)
            list_add(list, domain);
    }
    for (size_t i = 0; i < config->n_domains && options->n_arguments == 0; i++)
        if (config->domains[i].document)
            list_add(list, &config->domains[i]);
    return STATUS_GOOD;
}

/* What a host without a certificate lacks, for which `acme:` is to order one. */
static const char *list_absence(const struct config *config, const struct daemon_orders *orders,
                                const struct daemon_order *order)
{
    if (!config->acme || !config->acme->has_orders || order)
        return NULL;
    return orders ? "the running daemon orders none: it has not read this configuration, or its "
                    "log says why"
                  : "no daemon answers that would order one; is mta-stsd running?";
}

static void list_look(struct certificate_list *list, const struct config *config,
                      const struct daemon_orders *orders)
{
    struct trust_store *trust = trust_store_new();

    list->store = cert_store_new(config->sources, config->n_sources, 1, &clock_system, trust);
    run_as_begin(config);
    parallel_for(row_look, list, list->n_rows);
    run_as_end();
    cert_store_unref(list->store);
    trust_store_free(trust);
    for (size_t i = 0; i < list->n_rows; i++) {
        struct certificate_row *row = &list->rows[i];

        row->order = daemon_orders_find(orders, row->host);
        row->absence = list_absence(config, orders, row->order);
    }
}

/* Returns whether senders accept each of them. */
static bool list_print(const struct certificate_list *list, const struct options *options)
{
    struct json_writer json = {.out = stdout, .indent = 1};
    bool is_good = true;

    if (options->json)
        json_begin_array(&json, JSON_ON_LINES);
    for (size_t i = 0; i < list->n_rows; i++) {
        if (options->json)
            row_print_json(&list->rows[i], &json);
        else
            row_print(&list->rows[i]);
        is_good = is_good && cert_state_is_accepted(&list->rows[i].found);
    }
    if (options->json) {
        json_end_array(&json);
        putchar('\n');
    }
    return is_good;
}

static void list_done(struct certificate_list *list)
{
    for (size_t i = 0; i < list->n_rows; i++)
        certificate_unref(list->rows[i].found.certificate);
    free(list->rows);
}

enum exit_status mode_certificates(const struct options *options)
{
    struct certificate_list list = {.n_rows = 0};
    struct daemon_orders *orders = NULL;
    struct config *config;
    enum exit_status status = cli_load(options, &config);

    if (status != STATUS_GOOD)
        return status;
    status = list_choose(&list, options, config);
    if (status == STATUS_GOOD && config->n_sources == 0) {
        status = cli_fail(STATUS_GOOD, "there are no certificates: a proxy terminates TLS");
    } else if (status == STATUS_GOOD) {
        if (config->acme)
            orders = daemon_orders_ask(config->control);
        list_look(&list, config, orders);
        if (!list_print(&list, options))
            status = STATUS_FINDINGS;
    }
    list_done(&list);
    daemon_orders_free(orders);
    config_unref(config);
    return status;
}
