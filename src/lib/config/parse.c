/* SPDX-License-Identifier: MIT */
#include "lib/config/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/config/include.h"
#include "lib/config/load.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"
#include "lib/yaml/pack.h"
#include "lib/yaml/reader.h"

enum {
    POLICY_NAME_MAX = 64,
    POLICIES_FIRST = 64,  /* in an array that grows */
    ENTRIES_FIRST = 2048, /* enough to be mapped, as in arena_new_large() */
    PATH_QUOTE_MAX = 512,
    SETTLE_MS = 100,     /* longer than a tick of the kernel, and than a writer pauses */
    SETTLE_ALL_MS = 500, /* for all files: their time stamps may all be of the future */
};

struct reading {
    struct raw_config *raw;
    unsigned care;      /* LOAD_* */
    uint64_t settle_ms; /* how long files may still be waited for */
    struct arena *keep;
    struct arena *entry; /* the tree of one entry, reset before the next */
    struct diag *diag;
    struct field_context context;
    struct yaml_reader *reader;
    struct slice policy; /* that a domain named last */
};

/* Makes room for one more element of an array that doubles, from `first` on. */
static void *grow(void *array, size_t count, size_t *size, size_t first, size_t element)
{
    if (count < *size)
        return array;
    *size = *size == 0 ? first : *size * 2;
    return memory_resize(array, *size, element);
}

static bool is_policy_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && !memchr("-_.", name.ptr[i], 3))
            return false;
    return name.len > 0 && name.len <= POLICY_NAME_MAX;
}

static void check_policy_name(struct reading *reading, const struct yaml_node *key)
{
    char quoted[ERR_QUOTE_MAX];

    if (!is_policy_name(key->text))
        diag_add(reading->diag, FINDING_BAD_VALUE, key->place, "policies",
                 "%s is no name for a policy; use 1 to %d letters, digits, '-', '_' or '.'",
                 err_quote(quoted, sizeof(quoted), key->text), POLICY_NAME_MAX);
}

static void read_policy(struct reading *reading, const struct yaml_node *key)
{
    struct raw_config *raw = reading->raw;
    struct field_context *context = &reading->context;
    size_t n_errors = diag_count(reading->diag, LEVEL_ERROR);
    size_t old_len = yaml_path_enter(&context->path, key->text);
    const struct yaml_node *value = yaml_reader_value(reading->reader, reading->entry);
    struct raw_named_policy policy = {
        .name = {{arena_copy(context->arena, key->text), key->text.len}, key->place},
        .path = arena_copy(context->arena, slice_of(context->path.text)),
    };

    check_policy_name(reading, key);
    if (value->kind == YAML_KIND_MAP)
        field_decode(context, &schema_policy, value, &policy.keys);
    else
        field_report_type(context, value, "a mapping of the policy's keys, as in {mx: [...]}");
    policy.is_broken = diag_count(reading->diag, LEVEL_ERROR) > n_errors;
    raw->policies =
        grow(raw->policies, raw->n_policies, &raw->policies_size, POLICIES_FIRST, sizeof(policy));
    raw->policies[raw->n_policies++] = policy;
    yaml_path_leave(&context->path, old_len);
}

static void report_domain_name(struct reading *reading, const struct yaml_node *key,
                               enum finding finding, const char *why)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(reading->diag, finding, key->place, "domains", "%s %s",
             err_quote(quoted, sizeof(quoted), key->text), why);
}

/* Brings the key of an entry into stored form; NULL: a finding says why not. */
static const char *read_domain_name(struct reading *reading, const struct yaml_node *key)
{
    static const size_t prefix_len = sizeof(DNS_PREFIX_POLICY_HOST) - 1;
    char name[DNS_NAME_MAX + 1], why[ERR_MSG_MAX + DNS_NAME_MAX];
    enum finding finding = FINDING_NAME_SYNTAX;
    struct err err;
    size_t len;

    if (dns_name_parse(key->text, name, &len, &err) != 0) {
        snprintf(why, sizeof(why), "is no domain name: it %s", err.msg);
    } else if (strncmp(name, DNS_PREFIX_POLICY_HOST, prefix_len) == 0) {
        snprintf(why, sizeof(why), "is a policy host; write the domain that takes the mail, '%s'",
                 name + prefix_len);
    } else if (!strchr(name, '.')) {
        snprintf(why, sizeof(why), "has no dot; write the whole name of the domain");
    } else if (len + prefix_len > DNS_NAME_MAX) {
        finding = FINDING_NAME_TOO_LONG;
        snprintf(why, sizeof(why),
                 "has %zu octets; %zu are allowed, since mta-sts.<domain> can have %d", len,
                 DNS_NAME_MAX - prefix_len, DNS_NAME_MAX);
    } else {
        return arena_copy(reading->keep, (struct slice){name, len});
    }
    report_domain_name(reading, key, finding, why);
    return NULL;
}

/* As a rule, the name that was read before: one copy of it serves them all. */
static struct slice keep_policy_name(struct reading *reading, struct slice name)
{
    if (!reading->policy.ptr || !slice_eq(reading->policy, name))
        reading->policy = (struct slice){arena_copy(reading->context.arena, name), name.len};
    return reading->policy;
}

/* It goes with the tree; what is kept of it until all policies are read is packed. */
static void read_long_form(struct reading *reading, const struct yaml_node *value,
                           struct raw_entry *entry)
{
    struct field_context *context = &reading->context;
    struct arena *scratch = context->arena;
    struct raw_domain domain = {0};

    context->arena = reading->entry;
    field_decode(context, &schema_domain, value, &domain);
    context->arena = scratch;
    entry->policy = domain.policy;
    if (domain.policy.place.line != 0)
        entry->policy.text = keep_policy_name(reading, domain.policy.text);
    domain.policy = (struct field_text){0};
    entry->long_form = field_pack(&schema_domain, &domain, scratch);
}

/* Decodes what stands behind the domain's name: the name of a policy, or keys. */
static void read_domain_value(struct reading *reading, struct raw_entry *entry)
{
    struct field_context *context = &reading->context;
    const struct yaml_node *value = yaml_reader_value(reading->reader, reading->entry);

    if (value->kind == YAML_KIND_TEXT && value->text.len > 0) {
        entry->policy = (struct field_text){keep_policy_name(reading, value->text), value->place};
    } else if (value->kind == YAML_KIND_MAP) {
        read_long_form(reading, value, entry);
    } else {
        field_report_type(context, value,
                          "a policy's name, or a mapping, as in {mx: [mail.example.com]}");
    }
}

static void read_domain(struct reading *reading, const struct yaml_node *key)
{
    struct raw_config *raw = reading->raw;
    size_t n_errors = diag_count(reading->diag, LEVEL_ERROR);
    struct raw_entry entry = {.name = read_domain_name(reading, key), .place = key->place};
    struct slice shown = entry.name ? slice_of(entry.name) : key->text;
    size_t old_len = yaml_path_enter(&reading->context.path, shown);

    read_domain_value(reading, &entry);
    entry.is_broken = diag_count(reading->diag, LEVEL_ERROR) > n_errors;
    if (entry.name) {
        raw->entries = grow(raw->entries, raw->n_entries, &raw->entries_size, ENTRIES_FIRST,
                            sizeof(*raw->entries));
        raw->entries[raw->n_entries++].entry = entry;
    }
    yaml_path_leave(&reading->context.path, old_len);
}

typedef void entry_reader(struct reading *reading, const struct yaml_node *key);

/* Reads policies: or domains:, an entry at a time. */
static void read_stream(struct reading *reading, const char *what, entry_reader *read_entry)
{
    struct yaml_node *key;

    if (yaml_reader_enter(reading->reader, what) != 0)
        return;
    while (yaml_reader_next(reading->reader, reading->entry, &key) == 1) {
        read_entry(reading, key);
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
        size_t old_len = yaml_path_enter(&reading->context.path, key->text);

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
        yaml_path_leave(&reading->context.path, old_len);
    }
}

/* What is wrong with an included file is said where it was asked for. */
static void report_file(struct reading *reading, const char *path, struct place asked_at,
                        const struct err *err)
{
    enum finding finding = err->code == ERR_LIMIT ? FINDING_TOO_LARGE : FINDING_FILE_UNREADABLE;
    const char *cure = err->code == ERR_LIMIT ? "; split it into several by include:" : "";
    char quoted[PATH_QUOTE_MAX];

    reading->raw->is_cut = true;
    if (asked_at.file)
        diag_add(reading->diag, finding, asked_at, "include", "%s %s%s",
                 err_quote(quoted, sizeof(quoted), slice_of(path)), err->msg, cure);
    else
        diag_add(reading->diag, finding, (struct place){reading->raw->name, 0, 0}, NULL,
                 "the file %s%s", err->msg, cure);
}

/* Returns 0, or -1 with *err set if the input could not be read; what it says was reported. */
static int read_document(struct reading *reading, const char *name, FILE *in,
                         const struct fields *fields, struct err *err)
{
    int entered;

    reading->reader = yaml_reader_new(name, in, CONFIG_FILE_MAX, reading->diag);
    entered = yaml_reader_enter(reading->reader, NULL);
    if (entered == 0)
        read_keys(reading, fields);
    if (yaml_reader_finish(reading->reader, err) != 0 || entered != 0)
        reading->raw->is_cut = true;
    yaml_reader_free(reading->reader);
    return err->code == ERR_NONE ? 0 : -1;
}

static FILE *open_input(const struct reading *reading, const char *path, struct place asked_at,
                        struct err *err)
{
    bool is_main = !asked_at.file;

    if (is_main && !(reading->care & LOAD_REGULAR))
        return file_open(path, err);
    if (!is_main || strcmp(path, "-") != 0)
        return file_open_regular(path, err);
    err_set(err, ERR_CONFIG, "is standard input, which can be read only once");
    return NULL;
}

/* The file is read as it is taken in, which takes a while: what it was like before is compared with
 * what it is at the end of all. */
static int read_seen(struct reading *reading, const char *path, const char *name, FILE *in,
                     const struct fields *fields, struct place asked_at, struct err *err)
{
    const struct place place = asked_at.file ? asked_at : (struct place){name, 0, 0};
    uint64_t settle_ms = reading->settle_ms < SETTLE_MS ? reading->settle_ms : SETTLE_MS;
    uint64_t began_at_ms = clock_system.monotonic_ms(&clock_system), waited_ms;
    struct stat status;

    if (seen_file_settle(fileno(in), (unsigned)settle_ms, &status, err) != 0)
        return -1;
    waited_ms = clock_system.monotonic_ms(&clock_system) - began_at_ms;
    reading->settle_ms -= waited_ms < reading->settle_ms ? waited_ms : reading->settle_ms;
    seen_files_add(&reading->raw->seen, path, place, &status);
    return read_document(reading, name, in, fields, err);
}

/* asked_at: no place for the main file. The file's name is kept as long as the snapshot, whose
 * places show it. */
static void read_file(struct reading *reading, const char *path, const struct fields *fields,
                      struct place asked_at)
{
    const char *name =
        asked_at.file ? arena_copy(reading->keep, slice_of(path)) : reading->raw->name;
    struct err err;
    FILE *in = open_input(reading, path, asked_at, &err);

    if (!in || read_seen(reading, path, name, in, fields, asked_at, &err) != 0)
        report_file(reading, path, asked_at, &err);
    if (in)
        file_close(in);
}

static void read_includes(struct reading *reading, const char *main_path)
{
    const struct field_texts *patterns = &reading->raw->settings.include;
    struct include_files files;

    int found =
        include_files_find(main_path, patterns, reading->context.arena, reading->diag, &files);

    if (found != 0)
        reading->raw->is_cut = true;
    for (size_t i = 0; i < files.n_items; i++)
        read_file(reading, files.items[i].path, &schema_include, files.items[i].asked_at);
    if (found == 0)
        include_files_check(main_path, patterns, reading->context.arena, &files, reading->diag);
}

void raw_config_read(const char *path, unsigned care, struct arena *keep, struct arena *scratch,
                     struct diag *diag, struct raw_config *ret_raw)
{
    struct reading reading = {
        .raw = ret_raw,
        .care = care,
        .settle_ms = care & LOAD_SETTLED ? SETTLE_ALL_MS : 0,
        .keep = keep,
        .entry = arena_new(0),
        .diag = diag,
        .context = {.diag = diag, .arena = scratch},
    };

    field_preset(&reading.context, &schema_main, &ret_raw->settings);
    field_preset(&reading.context, &schema_domain, &ret_raw->preset);
    ret_raw->entries =
        grow(NULL, 0, &ret_raw->entries_size, ENTRIES_FIRST, sizeof(*ret_raw->entries));
    ret_raw->name = arena_copy(keep, slice_of(strcmp(path, "-") == 0 ? "<stdin>" : path));
    read_file(&reading, path, &schema_main, (struct place){0});
    read_includes(&reading, path);
    seen_files_check(&ret_raw->seen, diag);
    arena_free(reading.entry);
}

void raw_entry_unpack(const struct raw_config *raw, const struct raw_entry *entry,
                      struct arena *arena, struct raw_domain *ret_domain)
{
    *ret_domain = raw->preset;
    if (entry->long_form)
        field_unpack(&schema_domain, entry->long_form, entry->place.file, arena, ret_domain);
}

void raw_config_done(struct raw_config *raw)
{
    free(raw->policies);
    free(raw->entries);
    seen_files_done(&raw->seen);
}
