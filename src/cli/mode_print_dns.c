/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/mode.h"
#include "config/config.h"
#include "config/wish.h"
#include "dns/format.h"
#include "dns/name.h"
#include "dns/record.h"
#include "tls/certificate.h"
#include "tls/store.h"

struct printing {
    const struct options *options;
    const struct config *config;
    const struct dns_format *format;
    struct arena *arena;
    struct cert_store *store; /* NULL: certificates are not looked at */
    struct dns_record *records;
    size_t n_records, records_size;
    size_t n_withheld;
    bool has_side;
    enum record_side side;
};

/* Why the domain's id must not be published yet: nobody could fetch the policy. NULL: publish. */
static const char *find_reason(struct printing *printing, const struct domain *domain)
{
    char host[sizeof(DNS_PREFIX_POLICY_HOST) + DNS_NAME_MAX];
    struct cert_state state;
    char reason[sizeof(host) + sizeof(state.message) + 64];

    if (!printing->store || !domain->document)
        return NULL;
    snprintf(host, sizeof(host), "%s%s", DNS_PREFIX_POLICY_HOST, domain->name);
    cert_store_check(printing->store, host, &state);
    if (state.certificate) {
        certificate_unref(state.certificate);
        return NULL;
    }
    snprintf(reason, sizeof(reason), "no certificate for %s yet: %s", host, state.message);
    return arena_copy(printing->arena, slice_of(reason));
}

static void add_records(struct printing *printing, const struct domain *domain)
{
    struct dns_wish wish = dns_wish_make(printing->config, domain, find_reason(printing, domain));
    struct dns_record *records;
    size_t n = dns_records_list(&wish, printing->arena, &records);

    for (size_t i = 0; i < n; i++) {
        if (printing->has_side && records[i].side != printing->side)
            continue;
        if (printing->n_records == printing->records_size) {
            printing->records_size = printing->records_size * 2 + 64;
            printing->records = memory_resize(printing->records, printing->records_size,
                                              sizeof(*printing->records));
        }
        printing->n_withheld += records[i].withheld ? 1 : 0;
        printing->records[printing->n_records++] = records[i];
    }
}

static bool is_added(const struct printing *printing, const struct domain *domain)
{
    for (size_t i = 0; i < printing->n_records; i++)
        if (printing->records[i].domain == domain->name)
            return true;
    return false;
}

static enum exit_status add_all(struct printing *printing)
{
    const struct options *options = printing->options;
    const struct config *config = printing->config;

    if (options->n_domains == 0)
        for (size_t i = 0; i < config->n_domains; i++)
            add_records(printing, &config->domains[i]);
    for (size_t i = 0; i < options->n_domains; i++) {
        const struct domain *domain = cli_find_domain(config, options->domains[i]);

        if (!domain)
            return STATUS_USAGE;
        if (!is_added(printing, domain))
            add_records(printing, domain);
    }
    return STATUS_GOOD;
}

/* By zone, and within one as they were added: the elements are pointers into one array. */
static int compare_records(const void *left, const void *right)
{
    const struct dns_record *a = *(struct dns_record *const *)left;
    const struct dns_record *b = *(struct dns_record *const *)right;
    int order = strcmp(a->zone, b->zone);

    return order != 0 ? order : (a > b) - (a < b);
}

static void sort_records(struct printing *printing)
{
    struct arena *arena = printing->arena;
    const struct dns_record **order = arena_array(arena, printing->n_records, sizeof(*order));
    struct dns_record *sorted = arena_array(arena, printing->n_records, sizeof(*sorted));

    for (size_t i = 0; i < printing->n_records; i++)
        order[i] = &printing->records[i];
    qsort(order, printing->n_records, sizeof(*order), compare_records);
    for (size_t i = 0; i < printing->n_records; i++)
        sorted[i] = *order[i];
    free(printing->records);
    printing->records = sorted;
}

struct zone_part {
    const struct dns_format *format;
    const struct dns_record *records;
    size_t n_records;
};

static int write_zone(void *context, FILE *out)
{
    const struct zone_part *part = context;

    dns_format_print(part->format, part->records, part->n_records, out);
    return ferror(out);
}

static enum exit_status write_files(const struct printing *printing)
{
    const char *directory = printing->options->output;
    size_t n_files = 0;
    struct err err;

    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cli_fail(STATUS_FAILED, "--output: '%s' cannot be made: %s", directory,
                        strerror(errno));
    for (size_t from = 0, to; from < printing->n_records; from = to) {
        const struct dns_record *first = &printing->records[from];
        char *path;
        int result;

        for (to = from; to < printing->n_records; to++)
            if (strcmp(printing->records[to].zone, first->zone) != 0)
                break;
        if (asprintf(&path, "%s/%s%s", directory, first->zone, printing->format->file_suffix) < 0)
            abort();
        result = file_replace(path, 0644, write_zone,
                              &(struct zone_part){printing->format, first, to - from}, &err);
        free(path);
        if (result != 0)
            return cli_fail(STATUS_FAILED, "--output: %s", err.msg);
        n_files++;
    }
    fprintf(stderr, "mta-stsd: %zu files written to %s\n", n_files, directory);
    return STATUS_GOOD;
}

static enum exit_status print(struct printing *printing)
{
    enum exit_status status = STATUS_GOOD;

    if (printing->options->output)
        status = write_files(printing);
    else
        dns_format_print(printing->format, printing->records, printing->n_records, stdout);
    if (status != STATUS_GOOD)
        return status;
    if (printing->n_withheld > 0)
        fprintf(stderr,
                "mta-stsd: %zu _mta-sts records are withheld until there is a certificate\n",
                printing->n_withheld);
    if (!printing->config->policy_host_name && printing->config->n_policy_host_addresses == 0)
        fputs("mta-stsd: policy_host is not set, so what mta-sts.<domain> points to is not "
              "printed\n",
              stderr);
    return printing->options->strict && printing->n_withheld > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

/*
 * A directory that cannot be read must not look like 50,000 missing certificates. Certbot's, which
 * nobody named, may be absent: then there are no certificates yet.
 */
static enum exit_status open_store(struct printing *printing)
{
    const struct config *config = printing->config;
    struct err err;

    if (printing->options->no_certificates || config->n_sources == 0)
        return STATUS_GOOD;
    printing->store = cert_store_new(config->sources, config->n_sources, 1, &clock_system);
    if (cert_store_probe(printing->store, &err) == 0 ||
        (config->has_default_sources && err.sys_errno == ENOENT))
        return STATUS_GOOD;
    return cli_fail(STATUS_FAILED,
                    "certificates: %s; --no-certificates prints without looking at them", err.msg);
}

static int read_choices(struct printing *printing)
{
    const struct options *options = printing->options;

    printing->format = dns_format_find(slice_of(options->value ? options->value : "zone"));
    if (!printing->format) {
        fprintf(stderr, "mta-stsd: --print-dns: '%s' is not a format; the formats are",
                options->value);
        for (size_t i = 0; i < n_dns_formats; i++)
            fprintf(stderr, "%s %s", i == 0 ? "" : ",", dns_formats[i]->name);
        fputc('\n', stderr);
        return -1;
    }
    if (!options->side)
        return 0;
    printing->has_side = true;
    for (int side = 0; side < SIDE_COUNT; side++) {
        printing->side = (enum record_side)side;
        if (strcmp(options->side, record_side_name(printing->side)) == 0)
            return 0;
    }
    cli_fail(STATUS_USAGE, "--side: '%s' is neither customer nor provider", options->side);
    return -1;
}

enum exit_status mode_print_dns(const struct options *options)
{
    struct printing printing = {.options = options};
    enum exit_status loaded, status;
    struct config *config;

    if (read_choices(&printing) != 0)
        return STATUS_USAGE;
    loaded = cli_load(options, &config);
    if (!config)
        return loaded;
    printing.config = config;
    printing.arena = arena_new(0);
    status = open_store(&printing);
    if (status == STATUS_GOOD)
        status = add_all(&printing);
    sort_records(&printing);
    if (status == STATUS_GOOD)
        status = print(&printing);
    cert_store_unref(printing.store);
    arena_free(printing.arena);
    config_unref(config);
    return status == STATUS_GOOD ? loaded : status;
}
