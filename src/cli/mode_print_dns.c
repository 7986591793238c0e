/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/daemon_ids.h"
#include "cli/dns_plan.h"
#include "cli/mode.h"
#include "cli/run_as.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/config/config.h"
#include "lib/dns/format.h"

/* The records of one zone, for file_replace(). */
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

static enum exit_status write_files(const struct publication *publication,
                                    const struct dns_format *format, const char *directory)
{
    size_t n_files = 0;
    struct err err;

    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cli_fail(STATUS_FAILED, "--output: '%s' cannot be made: %s", directory,
                        strerror(errno));
    for (size_t from = 0; from < publication->n_records; n_files++) {
        const struct dns_record *first = &publication->records[from];
        struct zone_part part = {format, first,
                                 dns_format_zone_len(first, publication->n_records - from)};
        char *path;
        int result;

        if (asprintf(&path, "%s/%s%s", directory, first->zone, format->file_suffix) < 0)
            abort();
        result = file_replace(path, 0644, write_zone, &part, &err);
        free(path);
        if (result != 0)
            return cli_fail(STATUS_FAILED, "--output: %s", err.msg);
        from += part.n_records;
    }
    fprintf(stderr, "mta-stsd: %zu files written to %s\n", n_files, directory);
    return STATUS_GOOD;
}

static void print_remarks(const struct publication *publication, const struct config *config)
{
    if (publication->n_unserved > 0)
        fprintf(stderr, "mta-stsd: %zu ids are not served yet; publish them after --reload\n",
                publication->n_unserved);
    if (publication->n_withheld > 0)
        fprintf(stderr,
                "mta-stsd: %zu _mta-sts records are withheld until their policies can be fetched; "
                "--print-dns=zone says why\n",
                publication->n_withheld);
    if (!config->policy_host_name && config->n_policy_host_addresses == 0)
        fputs("mta-stsd: policy_host is not set, so what mta-sts.<domain> points to is not "
              "printed; give policy_host: {name: ...} or {addresses: [...]}\n",
              stderr);
}

static const struct dns_format *choose_format(const struct options *options)
{
    const char *name = options->value ? options->value : dns_formats[0]->name;
    const struct dns_format *format = dns_format_find(slice_of(name));

    if (format)
        return format;
    fprintf(stderr, "mta-stsd: --print-dns: '%s' is not a format; the formats are", name);
    for (size_t i = 0; i < n_dns_formats; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", dns_formats[i]->name);
    fputc('\n', stderr);
    return NULL;
}

static int choose_side(const struct options *options, enum record_side *ret_side)
{
    for (int side = 0; options->side && side < SIDE_COUNT; side++) {
        *ret_side = (enum record_side)side;
        if (strcmp(options->side, record_side_name(*ret_side)) == 0)
            return 0;
    }
    *ret_side = SIDE_COUNT;
    if (!options->side)
        return 0;
    cli_fail(STATUS_USAGE, "--side: '%s' is neither customer nor provider", options->side);
    return -1;
}

/*
 * A directory that cannot be read must not look like 50,000 missing certificates. Certbot's, which
 * nobody named, may be absent: then there are no certificates yet.
 */
static enum exit_status open_store(const struct options *options, const struct config *config,
                                   struct cert_store **ret_store)
{
    struct err err;
    int result;

    if (options->no_certificates || config->n_sources == 0)
        return STATUS_GOOD;
    *ret_store = cert_store_new(config->sources, config->n_sources, 1, &clock_system, NULL);
    identity_take(config);
    result = cert_store_probe(*ret_store, &err);
    identity_return();
    if (result == 0 || (config->has_default_sources && err.sys_errno == ENOENT))
        return STATUS_GOOD;
    return cli_fail(STATUS_FAILED,
                    "certificates: %s; let user '%s' read them, or print without looking at them "
                    "by --no-certificates",
                    err.msg, config->user);
}

static enum exit_status print(const struct options *options, const struct dns_format *format,
                              const struct publication_choice *choice)
{
    struct publication publication;
    enum exit_status status;

    identity_take(choice->config);
    status = publication_make(choice, &publication);
    identity_return();
    if (status == STATUS_GOOD && options->output)
        status = write_files(&publication, format, options->output);
    else if (status == STATUS_GOOD)
        dns_format_print(format, publication.records, publication.n_records, stdout);
    if (status == STATUS_GOOD) {
        print_remarks(&publication, choice->config);
        if (options->strict && publication.n_withheld > 0)
            status = STATUS_FINDINGS;
    }
    publication_done(&publication);
    return status;
}

enum exit_status mode_print_dns(const struct options *options)
{
    const struct dns_format *format = choose_format(options);
    struct publication_choice choice = {
        .domains = options->domains,
        .n_domains = options->n_domains,
        .is_served_only = options->served,
    };
    enum exit_status loaded, status;
    struct served *served = NULL;
    struct config *config;

    if (!format || choose_side(options, &choice.side) != 0)
        return STATUS_USAGE;
    loaded = cli_load(options, &config);
    if (!config)
        return loaded;
    choice.config = config;
    choice.served = served = served_ask(config->control);
    status = open_store(options, config, &choice.store);
    if (status == STATUS_GOOD && options->served && !served)
        status = cli_fail(STATUS_FAILED, "--served: no daemon answers at '%s'", config->control);
    if (status == STATUS_GOOD)
        status = print(options, format, &choice);
    served_free(served);
    cert_store_unref(choice.store);
    config_unref(config);
    return status == STATUS_GOOD ? loaded : status;
}
