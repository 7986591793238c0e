/* SPDX-License-Identifier: MIT */
#include "lib/state/published.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/format.h"
#include "lib/dns/record.h"
#include "lib/state/ledger.h"
#include "lib/state/published_line.h"

enum {
    PUBLISHED_MODE = 0644,
    DOCUMENT_VERSION = 1,
};

/* The accepted records of one domain, and what becomes of each. */
struct accepted {
    struct dns_record record;
    bool is_wanted; /* there is a record for it that is to be published now */
    struct accepted *next;
};

/* The list of accepted records while it is read, a domain at a time. */
struct accepted_list {
    FILE *in; /* NULL: nothing was accepted yet */
    const char *path;
    size_t n_lines;
    char *line; /* the first of the next domain; NULL: there is none */
    size_t line_size;
    struct arena *arena; /* of `first` and its texts */
    struct accepted *first;
};

/* A record that is to be published now. */
struct wanted {
    const struct dns_record *record;
    const struct accepted *match; /* NULL: it is new */
};

struct publishing {
    const struct config *config;
    const struct ledger *ledger;
    int64_t now_unix_s;
    struct accepted_list list;
    struct arena *arena; /* of the wanted records of one domain */
    FILE *next;
    struct json_writer json;
    struct published_counts *counts;
    struct err *err;
};

/* Reads the next line. Returns -1 with *err set if it cannot be read or is cut off. */
static int accepted_read_line(struct accepted_list *list, struct err *err)
{
    ssize_t len = getline(&list->line, &list->line_size, list->in);

    list->n_lines++;
    if (len < 0 && !ferror(list->in)) {
        free(list->line);
        list->line = NULL;
        return 0;
    }
    if (len < 0)
        return err_io(err, errno, "'%s' cannot be read", list->path);
    if (list->line[len - 1] != '\n')
        return err_set(err, ERR_SYNTAX, "'%s': line %zu is cut off", list->path, list->n_lines);
    list->line[len - 1] = '\0';
    return 0;
}

static int accepted_open(struct accepted_list *list, struct err *err)
{
    static const char head[] = PUBLISHED_HEAD;

    list->arena = arena_new(0);
    list->in = fopen(list->path, "re");
    if (!list->in)
        return errno == ENOENT ? 0 : err_io(err, errno, "'%s' cannot be read", list->path);
    if (accepted_read_line(list, err) != 0)
        return -1;
    if (!list->line || strncmp(list->line, head, sizeof(head) - 2) != 0)
        return err_set(err, ERR_SYNTAX, "'%s' is not a list of published records", list->path);
    return accepted_read_line(list, err);
}

static void accepted_close(struct accepted_list *list)
{
    if (list->in)
        fclose(list->in);
    free(list->line);
    arena_free(list->arena);
}

/* Whether the next line is of the domain whose records were taken. */
static bool accepted_goes_on(const struct accepted_list *list)
{
    const char *domain = list->first->record.domain;

    return slice_starts_with(slice_of(list->line), domain) && list->line[strlen(domain)] == ' ';
}

/* Takes the records of the next domain into list->first; NULL: there is none. */
static int accepted_take(struct accepted_list *list, struct err *err)
{
    struct accepted **end = &list->first;

    list->first = NULL;
    arena_reset(list->arena);
    while (list->line && (!list->first || accepted_goes_on(list))) {
        struct accepted *accepted = arena_alloc(list->arena, sizeof(*accepted));

        if (!published_line_parse(arena_copy(list->arena, slice_of(list->line)), &accepted->record))
            return err_set(err, ERR_SYNTAX, "'%s': line %zu is damaged", list->path, list->n_lines);
        *end = accepted;
        end = &accepted->next;
        if (accepted_read_line(list, err) != 0)
            return -1;
    }
    return 0;
}

/* A name has one TXT or CNAME record of ours, which changes; addresses come and go. */
static bool accepted_matches(const struct accepted *accepted, const struct dns_record *record)
{
    const struct dns_record *before = &accepted->record;
    bool has_many = record->type == RECORD_A || record->type == RECORD_AAAA;

    return !accepted->is_wanted && before->type == record->type && before->side == record->side &&
           strcmp(before->name, record->name) == 0 && strcmp(before->zone, record->zone) == 0 &&
           (!has_many || strcmp(before->value, record->value) == 0);
}

static struct accepted *accepted_find(const struct accepted_list *list,
                                      const struct dns_record *record)
{
    struct accepted *accepted = list->first;

    while (accepted && !accepted_matches(accepted, record))
        accepted = accepted->next;
    return accepted;
}

static bool accepted_is_of_policy(const struct accepted *accepted)
{
    return !slice_starts_with(slice_of(accepted->record.name), DNS_PREFIX_TLS_RPT);
}

static bool accepted_has_policy(const struct accepted_list *list)
{
    const struct accepted *accepted = list->first;

    while (accepted && !accepted_is_of_policy(accepted))
        accepted = accepted->next;
    return accepted != NULL;
}

static void publishing_print(struct publishing *publishing, const char *action,
                             const struct dns_record *record, const struct dns_record *before)
{
    struct json_writer *json = &publishing->json;

    json_begin_object(json, JSON_ON_ONE_LINE);
    json_text_member(json, "action", action);
    dns_record_print_members(record, json);
    if (before) {
        json_text_member(json, "old_value", before->value);
        json_number_member(json, "old_ttl", before->ttl_s);
    }
    json_end_object(json);
}

/* Deletes what is not wanted any more, or keeps all of it. */
static void publishing_end_accepted(struct publishing *publishing, bool keeps_policy,
                                    bool keeps_all)
{
    const struct accepted *accepted;

    for (accepted = publishing->list.first; accepted; accepted = accepted->next) {
        if (accepted->is_wanted)
            continue;
        if (keeps_all || (keeps_policy && accepted_is_of_policy(accepted))) {
            published_line_print(&accepted->record, publishing->next);
        } else {
            publishing_print(publishing, "delete", &accepted->record, NULL);
            publishing->counts->n_deleted++;
        }
    }
}

/* Prints those that change, or those that are new. */
static void publishing_print_wanted(struct publishing *publishing, const struct wanted *wanted,
                                    size_t n, bool is_new)
{
    for (size_t i = 0; i < n; i++) {
        const struct dns_record *record = wanted[i].record;
        const struct dns_record *before = wanted[i].match ? &wanted[i].match->record : NULL;

        if (is_new != !before ||
            (before && before->ttl_s == record->ttl_s && strcmp(before->value, record->value) == 0))
            continue;
        publishing_print(publishing, before ? "change" : "add", record, before);
        *(before ? &publishing->counts->n_changed : &publishing->counts->n_added) += 1;
    }
}

/* A record that is withheld stays as it was accepted, if it was. */
static void publishing_withhold(struct publishing *publishing, struct accepted *match)
{
    publishing->counts->n_withheld++;
    if (!match)
        return;
    match->is_wanted = true;
    published_line_print(&match->record, publishing->next);
}

/* Whether no sender holds a policy of the domain, which the ledger has to know. */
static bool publishing_is_over(const struct publishing *publishing,
                               const struct ledger_domain *known)
{
    return known && ledger_is_over(known, publishing->now_unix_s);
}

/*
 * A domain of the configuration. The accepted records are those of list->first if has_accepted.
 * What is to be deleted comes first: a CNAME stands alone at its name.
 */
static void publishing_add_domain(struct publishing *publishing, const struct domain *domain,
                                  bool has_accepted)
{
    const struct domain_records_spec spec =
        domain_records_spec_make(publishing->config, domain, NULL);
    const struct ledger_domain *known = ledger_find(publishing->ledger, slice_of(domain->name));
    struct dns_record *records;
    size_t n_records = dns_records_list(&spec, publishing->arena, &records), n = 0;
    struct wanted *wanted = arena_array(publishing->arena, n_records, sizeof(*wanted));
    bool is_fetchable = known && known->fetchable_unix_s != 0;

    for (size_t i = 0; i < n_records; i++) {
        struct accepted *match =
            has_accepted ? accepted_find(&publishing->list, &records[i]) : NULL;

        if (records[i].id && !is_fetchable) {
            publishing_withhold(publishing, match);
            continue;
        }
        if (match)
            match->is_wanted = true;
        wanted[n++] = (struct wanted){&records[i], match};
        published_line_print(&records[i], publishing->next);
    }
    if (has_accepted)
        publishing_end_accepted(publishing,
                                !domain->document && !publishing_is_over(publishing, known), false);
    publishing_print_wanted(publishing, wanted, n, false);
    publishing_print_wanted(publishing, wanted, n, true);
    arena_reset(publishing->arena);
}

/* A domain that is not in the configuration any more. */
static void publishing_add_left(struct publishing *publishing)
{
    const char *name = publishing->list.first->record.domain;
    const struct ledger_domain *known = ledger_find(publishing->ledger, slice_of(name));

    publishing_end_accepted(publishing, false,
                            accepted_has_policy(&publishing->list) &&
                                !publishing_is_over(publishing, known));
}

/* Both are in the order of the domains' names. */
static int publishing_merge(struct publishing *publishing)
{
    const struct config *config = publishing->config;
    struct accepted_list *list = &publishing->list;
    size_t i = 0;

    if (accepted_take(list, publishing->err) != 0)
        return -1;
    while (list->first || i < config->n_domains) {
        int order = !list->first ? -1
                    : i == config->n_domains
                        ? 1
                        : strcmp(config->domains[i].name, list->first->record.domain);

        if (order > 0)
            publishing_add_left(publishing);
        else
            publishing_add_domain(publishing, &config->domains[i++], order == 0);
        if (order >= 0 && accepted_take(list, publishing->err) != 0)
            return -1;
    }
    return 0;
}

/* Prints the document. */
static int publishing_print_changes(void *context, FILE *out)
{
    struct publishing *publishing = context;
    struct json_writer *json = &publishing->json;
    int result;

    *json = (struct json_writer){.out = out};
    json_begin_object(json, JSON_ON_LINES);
    json_number_member(json, "version", DOCUMENT_VERSION);
    json_key(json, "changes");
    json_begin_array(json, JSON_ON_LINES);
    result = publishing_merge(publishing);
    json_end_array(json);
    json_end_object(json);
    fputc('\n', out);
    return result != 0 ? result : ferror(out);
}

struct publishing_files {
    struct publishing *publishing;
    char *changes_path;
};

/* Prints the list that is to become the accepted one, and writes the document meanwhile. */
static int publishing_print_next(void *context, FILE *out)
{
    const struct publishing_files *writing = context;
    struct publishing *publishing = writing->publishing;
    struct err err;

    publishing->next = out;
    fputs(PUBLISHED_HEAD, out);
    if (file_replace(writing->changes_path, PUBLISHED_MODE, publishing_print_changes, publishing,
                     &err) != 0) {
        if (publishing->err->code == ERR_NONE)
            *publishing->err = err;
        return -1;
    }
    return ferror(out);
}

static int publishing_write(struct publishing *publishing, const char *directory)
{
    struct publishing_files writing = {publishing, file_path_below(directory, PUBLISHED_CHANGES)};
    char *next_path = file_path_below(directory, PUBLISHED_NEXT);
    struct err err;
    int result = file_replace(next_path, PUBLISHED_MODE, publishing_print_next, &writing, &err);

    if (result != 0 && publishing->err->code == ERR_NONE)
        *publishing->err = err;
    free(next_path);
    free(writing.changes_path);
    return result;
}

int published_compare(const char *directory, const struct config *config,
                      const struct ledger *ledger, int64_t now_unix_s,
                      struct published_counts *ret_counts, struct err *err)
{
    char *path = file_path_below(directory, PUBLISHED_FILE);
    struct publishing publishing = {.config = config,
                                    .ledger = ledger,
                                    .now_unix_s = now_unix_s,
                                    .list = {.path = path},
                                    .counts = ret_counts,
                                    .err = err};
    int result;

    *ret_counts = (struct published_counts){0};
    *err = (struct err){0};
    publishing.arena = arena_new(0);
    result = accepted_open(&publishing.list, err);
    if (result == 0)
        result = publishing_write(&publishing, directory);
    accepted_close(&publishing.list);
    arena_free(publishing.arena);
    free(path);
    return result;
}

int published_accept(const char *directory, struct err *err)
{
    char *next = file_path_below(directory, PUBLISHED_NEXT);
    char *path = file_path_below(directory, PUBLISHED_FILE);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

    if (fd < 0 || rename(next, path) != 0 || fsync(fd) != 0)
        result = err_io(err, errno, "'%s' cannot be written", path);
    if (fd >= 0)
        close(fd);
    free(next);
    free(path);
    return result;
}
