/* SPDX-License-Identifier: MIT */
#include "cli/dns_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/dns_plan.h"
#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/dns/format.h"
#include "lib/dns/name.h"

/* The records of one zone, for file_replace(). */
struct zone_part {
    const struct dns_format *format;
    const struct dns_record *records;
    size_t n_records;
};

static int dns_files_print_zone(void *context, FILE *out)
{
    const struct zone_part *part = context;

    dns_format_print(part->format, part->records, part->n_records, out);
    return ferror(out);
}

static int dns_files_compare_zone(const void *zone, const void *record)
{
    return strcmp(zone, ((const struct dns_record *)record)->zone);
}

/* Whether a file is one that we write in this format, of a zone that is none of ours now. */
static bool dns_files_is_stale(const struct dns_plan *plan, const char *suffix, const char *file)
{
    char name[DNS_NAME_MAX + 1];
    size_t len = strlen(file), suffix_len = strlen(suffix);
    struct err err;

    if (len <= suffix_len || strcmp(file + len - suffix_len, suffix) != 0 ||
        dns_name_parse((struct slice){file, len - suffix_len}, name, NULL, &err) != 0)
        return false;
    return plan->n_records == 0 || !bsearch(name, plan->records, plan->n_records,
                                            sizeof(*plan->records), dns_files_compare_zone);
}

/* Their records may have to stay for as long as senders hold the policies, so they stay too. */
static void dns_files_name_stale(const struct dns_plan *plan, const struct dns_format *format,
                                 const char *directory)
{
    DIR *folder = opendir(directory);
    const struct dirent *entry;

    while (folder && (entry = readdir(folder)))
        if (dns_files_is_stale(plan, format->file_suffix, entry->d_name))
            fprintf(stderr,
                    "mta-stsd: '%s/%s' is from an earlier run, and no domain is in its zone now; "
                    "remove the file when --withdraw DOMAIN says that the records may go\n",
                    directory, entry->d_name);
    if (folder)
        closedir(folder);
}

enum exit_status dns_files_write(const struct dns_plan *plan, const struct dns_format *format,
                                 const char *directory)
{
    size_t n_files = 0;
    struct err err;

    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cli_fail(STATUS_FAILED, "--output: '%s' cannot be made: %s", directory,
                        strerror(errno));
    for (size_t from = 0; from < plan->n_records; n_files++) {
        const struct dns_record *first = &plan->records[from];
        struct zone_part part = {format, first, dns_format_zone_len(first, plan->n_records - from)};
        char *path;
        int result;

        if (asprintf(&path, "%s/%s%s", directory, first->zone, format->file_suffix) < 0)
            memory_fail();
        result = file_replace(path, 0644, dns_files_print_zone, &part, &err);
        free(path);
        if (result != 0)
            return cli_fail(STATUS_FAILED, "--output: %s", err.msg);
        from += part.n_records;
    }
    fprintf(stderr, "mta-stsd: %zu %s written to %s\n", n_files, n_files == 1 ? "file" : "files",
            directory);
    if (plan->is_whole)
        dns_files_name_stale(plan, format, directory);
    return STATUS_GOOD;
}
