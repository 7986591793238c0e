/* SPDX-License-Identifier: MIT */
#include "config/read.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "config/load.h"
#include "dns/name.h"
#include "dns/record.h"
#include "yaml/reader.h"

struct reading {
    struct raw_config *raw;
    struct arena *keep;
    struct arena *entry; /* the tree of one entry, reset before the next */
    struct diag *diag;
    struct field_context context;
    struct yaml_reader *reader;
    size_t n_files;
};

/* Makes room for one more element of an array that doubles. */
static void *grow(void *array, size_t count, size_t *size, size_t element)
{
    if (count < *size)
        return array;
    *size = *size == 0 ? 64 : *size * 2;
    return memory_resize(array, *size, element);
}

static void read_policy(struct reading *reading, const struct yaml_node *key)
{
    struct raw_config *raw = reading->raw;
    const struct yaml_node *value = yaml_reader_value(reading->reader, reading->entry);
    struct raw_named_policy *policy;
    struct arena *scratch = reading->context.arena;

    raw->policies = grow(raw->policies, raw->n_policies, &raw->policies_size, sizeof(*policy));
    policy = &raw->policies[raw->n_policies++];
    *policy = (struct raw_named_policy){
        .name = {{arena_copy(scratch, key->text), key->text.len}, key->place}};
    if (value->kind == YAML_KIND_MAP)
        field_decode(&reading->context, &schema_policy, value, &policy->keys);
    else
        field_report_type(&reading->context, value, "a mapping of the policy's keys");
}

/* Brings the key of an entry into stored form; NULL: a finding says why not. */
static const char *read_domain_name(struct reading *reading, const struct yaml_node *key)
{
    static const size_t prefix_len = sizeof(DNS_PREFIX_POLICY_HOST) - 1;
    struct field_context *context = &reading->context;
    char name[DNS_NAME_MAX + 1], quoted[ERR_QUOTE_MAX];
    struct err err;
    size_t len;

    err_quote(quoted, sizeof(quoted), key->text);
    if (dns_name_parse(key->text, name, &len, &err) != 0) {
        diag_add(reading->diag, FINDING_NAME_SYNTAX, key->place, context->path, "%s %s", quoted,
                 err.msg);
    } else if (strncmp(name, DNS_PREFIX_POLICY_HOST, prefix_len) == 0) {
        diag_add(reading->diag, FINDING_NAME_SYNTAX, key->place, context->path,
                 "%s is a policy host; write the domain that receives the mail, '%s'", quoted,
                 name + prefix_len);
    } else if (!strchr(name, '.')) {
        diag_add(reading->diag, FINDING_NAME_SYNTAX, key->place, context->path,
                 "%s has no dot; write the whole name of the domain", quoted);
    } else if (len + prefix_len > DNS_NAME_MAX) {
        diag_add(reading->diag, FINDING_NAME_TOO_LONG, key->place, context->path,
                 "%s has %zu octets; %zu are allowed, or mta-sts.<domain> would be longer than "
                 "%d",
                 quoted, len, DNS_NAME_MAX - prefix_len, DNS_NAME_MAX);
    } else {
        return arena_copy(reading->keep, (struct slice){name, len});
    }
    return NULL;
}

static void read_domain(struct reading *reading, const struct yaml_node *key)
{
    struct field_context *context = &reading->context;
    const char *name = read_domain_name(reading, key);
    const struct yaml_node *value = yaml_reader_value(reading->reader, reading->entry);
    struct raw_entry entry = {.name = name, .place = key->place};
    struct raw_config *raw = reading->raw;

    if (value->kind == YAML_KIND_TEXT && value->text.len > 0) {
        entry.policy.text =
            (struct slice){arena_copy(context->arena, value->text), value->text.len};
        entry.policy.place = value->place;
    } else if (value->kind == YAML_KIND_MAP) {
        struct raw_domain *domain = arena_alloc(context->arena, sizeof(*domain));

        field_decode(context, &schema_domain, value, domain);
        entry.long_form = domain;
        entry.policy = domain->policy;
    } else {
        field_report_type(context, value, "a policy's name or a mapping");
        return;
    }
    if (!name)
        return;
    raw->entries = grow(raw->entries, raw->n_entries, &raw->entries_size, sizeof(entry));
    raw->entries[raw->n_entries++] = entry;
}

typedef void entry_reader(struct reading *reading, const struct yaml_node *key);

/* Reads policies: or domains:, an entry at a time. */
static void read_stream(struct reading *reading, const char *what, entry_reader *read_entry)
{
    struct yaml_node *key;

    if (yaml_reader_enter(reading->reader, what) != 0)
        return;
    while (yaml_reader_next(reading->reader, reading->entry, &key) == 1) {
        size_t old_len = field_path_enter(&reading->context, key->text);

        read_entry(reading, key);
        field_path_leave(&reading->context, old_len);
        arena_reset(reading->entry);
    }
}

static void read_key(struct reading *reading, const struct field *row)
{
    struct arena *scratch = reading->context.arena;

    if (row->fields == &schema_policy)
        read_stream(reading, row->key, read_policy);
    else if (row->fields == &schema_domain)
        read_stream(reading, row->key, read_domain);
    else
        field_decode_value(&reading->context, row, yaml_reader_value(reading->reader, scratch),
                           &reading->raw->settings);
}

/* In an included file the main file's keys are known, and out of place. */
static const struct field *find_key(struct reading *reading, const struct fields *fields,
                                    const struct yaml_node *key)
{
    if (fields == &schema_include) {
        for (size_t i = 0; i < schema_main.n_rows; i++) {
            if (!slice_eq_text(key->text, schema_main.rows[i].key))
                continue;
            diag_add(reading->diag, FINDING_KEY_UNKNOWN, key->place, NULL,
                     "'%s' belongs into the main file; an included one holds policies and "
                     "domains",
                     schema_main.rows[i].key);
            return NULL;
        }
    }
    return field_find(&reading->context, fields, key);
}

static void read_keys(struct reading *reading, const struct fields *fields)
{
    const struct field *seen[FIELD_KEYS_MAX];
    struct arena *scratch = reading->context.arena;
    struct yaml_node *key;
    size_t n_seen = 0;

    while (yaml_reader_next(reading->reader, scratch, &key) == 1) {
        const struct field *row = find_key(reading, fields, key);
        size_t old_len = field_path_enter(&reading->context, key->text);

        if (row && field_is_among(seen, n_seen, row)) {
            field_report_duplicate(&reading->context, key);
            row = NULL;
        }
        if (row) {
            seen[n_seen++] = row;
            read_key(reading, row);
        } else {
            yaml_reader_skip(reading->reader);
        }
        field_path_leave(&reading->context, old_len);
    }
}

/* The place says where the file was asked for: nowhere for the main file, else the include. */
static void read_file(struct reading *reading, const char *path, const struct fields *fields,
                      struct place asked_at)
{
    struct arena *arena = arena_new(0);
    struct slice bytes;
    struct err err;

    if (file_read(path, CONFIG_FILE_MAX, arena, &bytes, &err) != 0) {
        struct place place = asked_at.file ? asked_at : (struct place){path, 0, 0};

        diag_add(reading->diag, err.code == ERR_LIMIT ? FINDING_TOO_LARGE : FINDING_FILE_UNREADABLE,
                 place, NULL, "%s%s%s", asked_at.file ? path : "", asked_at.file ? " " : "",
                 err.msg);
    } else {
        const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;

        reading->reader =
            yaml_reader_new(arena_copy(reading->keep, slice_of(name)), bytes, reading->diag);
        if (yaml_reader_enter(reading->reader, NULL) == 0)
            read_keys(reading, fields);
        yaml_reader_finish(reading->reader);
        yaml_reader_free(reading->reader);
        reading->context.path_len = 0;
    }
    arena_free(arena);
}

/* glob() would pass over a directory that it may not read, and its domains would be gone. */
static int stop_at_unreadable(const char *path, int reason)
{
    (void)path;
    return reason != ENOENT && reason != ENOTDIR;
}

static void read_matches(struct reading *reading, const struct field_text *include,
                         const char *pattern)
{
    glob_t matches = {0};
    int result = glob(pattern, 0, stop_at_unreadable, &matches);

    if (result == GLOB_NOMATCH)
        diag_add(reading->diag, FINDING_INCLUDE_EMPTY, include->place, "include",
                 "'%s' matches no file", pattern);
    else if (result != 0)
        diag_add(reading->diag, FINDING_FILE_UNREADABLE, include->place, "include",
                 "the directory of '%s' cannot be read: %s", pattern, strerror(errno));
    for (size_t i = 0; i < matches.gl_pathc; i++) {
        if (++reading->n_files > CONFIG_FILES_MAX) {
            diag_add(reading->diag, FINDING_TOO_LARGE, include->place, "include",
                     "more than %d files", CONFIG_FILES_MAX);
            break;
        }
        read_file(reading, matches.gl_pathv[i], &schema_include, include->place);
    }
    globfree(&matches);
}

static void read_includes(struct reading *reading, const char *main_path)
{
    const struct field_texts *includes = &reading->raw->settings.include;
    const char *slash = strrchr(main_path, '/');
    struct slice directory = {main_path, slash ? (size_t)(slash - main_path) + 1 : 0};

    for (size_t i = 0; i < includes->n_items; i++) {
        const struct field_text *include = &includes->items[i];
        struct slice before = include->text.ptr[0] == '/' ? (struct slice){0} : directory;
        char *pattern;

        if (asprintf(&pattern, "%.*s%s", SLICE_ARG(before), include->text.ptr) < 0)
            abort();
        read_matches(reading, include, pattern);
        free(pattern);
    }
}

void raw_config_read(const char *path, struct arena *keep, struct arena *scratch, struct diag *diag,
                     struct raw_config *ret_raw)
{
    struct reading reading = {
        .raw = ret_raw,
        .keep = keep,
        .entry = arena_new(0),
        .diag = diag,
        .context = {.diag = diag, .arena = scratch},
    };

    read_file(&reading, path, &schema_main, (struct place){0});
    read_includes(&reading, path);
    arena_free(reading.entry);
}

void raw_config_done(struct raw_config *raw)
{
    free(raw->policies);
    free(raw->entries);
}
