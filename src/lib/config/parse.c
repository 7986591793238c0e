/* SPDX-License-Identifier: MIT */
#include "lib/config/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/config/include.h"
#include "lib/config/input.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"
#include "lib/yaml/reader.h"

enum {
    POLICY_NAME_MAX = 64,
};

/** One of the two passes over all files. */
struct parse_context {
    struct field_context fields; /* its arena owns settings and policies */
    struct arena *entry;         /* owns the tree of one entry; reset before the next */
    struct yaml_reader *reader;
    struct raw_settings *settings;
    struct named_policies *policies; /* NULL: they are parsed for their findings only */
    struct arena *keep;              /* owns the policies' names */
    on_raw_domain *on_domain;        /* NULL: domains are skipped */
    void *domain_context;
    struct raw_domain no_keys; /* a domain without any key */
    bool has_default_policy;   /* or perhaps: some file could not be read */
    bool has_misindented_key;  /* in the stream at hand; one finding says so */
};

#define INDENT "indent its keys below it"

static bool is_nothing(const struct yaml_node *value)
{
    return value->kind == YAML_KIND_TEXT && value->text.len == 0;
}

static bool is_policy_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && !memchr("-_.", name.ptr[i], 3))
            return false;
    return name.len > 0 && name.len <= POLICY_NAME_MAX;
}

static void check_policy_name(struct parse_context *context, const struct yaml_node *key)
{
    char quoted[ERR_QUOTE_MAX];

    if (!is_policy_name(key->text))
        diag_add(context->fields.diag, FINDING_BAD_VALUE, key->place, "policies",
                 "%s is no name for a policy; use 1 to %d letters, digits, '-', '_' or '.'",
                 err_quote(quoted, sizeof(quoted), key->text), POLICY_NAME_MAX);
}

/*
 * Keys in the column of the name that they belong to: YAML reads each as a name. Returns whether
 * this is one; of several in one mapping, only the first is reported.
 */
static bool is_misindented(struct parse_context *context, const struct yaml_node *key,
                           const struct yaml_node *value)
{
    if (value->kind == YAML_KIND_MAP || !field_row(&schema_domain, key->text))
        return false;
    if (!context->has_misindented_key)
        diag_add(context->fields.diag, FINDING_KEY_UNKNOWN, key->place,
                 yaml_path_text(&context->fields.path),
                 "'%.*s' is a key, and stands where a name is expected; indent it, and the keys "
                 "with it, below the name",
                 SLICE_ARG(key->text));
    context->has_misindented_key = true;
    return true;
}

static void parse_policy(struct parse_context *context, const struct yaml_node *key)
{
    struct field_context *fields = &context->fields;
    size_t n_errors = diag_count(fields->diag, LEVEL_ERROR);
    size_t old_len = yaml_path_enter(&fields->path, key->text);
    const struct yaml_node *value = yaml_reader_value(context->reader, context->entry);
    struct named_policy policy = {0};

    yaml_path_leave(&fields->path, old_len);
    if (is_misindented(context, key, value))
        return;
    yaml_path_enter(&fields->path, key->text);
    check_policy_name(context, key);
    if (value->kind == YAML_KIND_MAP)
        field_decode(fields, &schema_policy, value, &policy.keys);
    else
        field_report_type(fields, value, "a mapping of the policy's keys, as in {mx: [...]}",
                          is_nothing(value) ? INDENT : NULL);
    if (context->policies) {
        policy.name =
            (struct field_text){{arena_copy(context->keep, key->text), key->text.len}, key->place};
        policy.path = arena_copy(fields->arena, slice_of(fields->path.text));
        policy.is_incomplete = diag_count(fields->diag, LEVEL_ERROR) > n_errors;
        named_policies_add(context->policies, &policy);
    }
    yaml_path_leave(&fields->path, old_len);
}

static void report_domain_name(struct parse_context *context, const struct yaml_node *key,
                               enum finding finding, const char *why)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(context->fields.diag, finding, key->place, "domains", "%s %s",
             err_quote(quoted, sizeof(quoted), key->text), why);
}

/* Brings the key of an entry into stored form; NULL: a finding says why not. */
static const char *parse_domain_name(struct parse_context *context, const struct yaml_node *key)
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
        return arena_copy(context->entry, (struct slice){name, len});
    }
    report_domain_name(context, key, finding, why);
    return NULL;
}

/* Decodes what stands behind the domain's name: the name of a policy, keys, or nothing. */
static void parse_domain_value(struct parse_context *context, const struct yaml_node *value,
                               struct raw_domain *domain)
{
    bool is_text = value->kind == YAML_KIND_TEXT;

    if (is_text && value->text.len > 0)
        domain->policy = (struct field_text){value->text, value->place};
    else if (value->kind == YAML_KIND_MAP)
        field_decode(&context->fields, &schema_domain, value, domain);
    else if (!is_text || !context->has_default_policy)
        field_report_type(&context->fields, value,
                          "a policy's name or a mapping, as in {mx: [mail.example.com]}",
                          is_text ? INDENT ", or write policies: {default: ...} for all domains "
                                           "that have none"
                                  : NULL);
}

/* Gives each alias as a domain of its own. */
static void parse_aliases(struct parse_context *context, const struct raw_domain *domain)
{
    struct field_context *fields = &context->fields;

    for (size_t i = 0; i < domain->aliases.n_items; i++) {
        const struct field_text *alias = &domain->aliases.items[i];
        const struct yaml_node name = {
            .kind = YAML_KIND_TEXT, .text = alias->text, .place = alias->place};
        struct raw_domain copy = *domain;
        size_t old_len;

        copy.name = alias->text.len > 0 ? parse_domain_name(context, &name) : NULL;
        if (!copy.name || domain->is_broken)
            continue;
        copy.is_alias = true;
        copy.place = alias->place;
        old_len = yaml_path_enter(&fields->path, slice_of(copy.name));
        context->on_domain(context->domain_context, &copy);
        yaml_path_leave(&fields->path, old_len);
    }
}

/*
 * value     NULL: the name stands in a list
 * n_errors  that were found before the value was read
 */
static void parse_named_domain(struct parse_context *context, const struct yaml_node *key,
                               const struct yaml_node *value, size_t n_errors)
{
    struct field_context *fields = &context->fields;
    struct arena *arena = fields->arena;
    struct raw_domain domain = context->no_keys;
    size_t old_len;

    domain.name = parse_domain_name(context, key);
    domain.place = key->place;
    old_len = yaml_path_enter(&fields->path, domain.name ? slice_of(domain.name) : key->text);
    domain.path = fields->path.text;
    fields->arena = context->entry;
    if (value)
        parse_domain_value(context, value, &domain);
    fields->arena = arena;
    domain.is_broken = diag_count(fields->diag, LEVEL_ERROR) > n_errors ||
                       (!value && !context->has_default_policy);
    if (domain.name)
        context->on_domain(context->domain_context, &domain);
    yaml_path_leave(&fields->path, old_len);
    domain.is_broken = diag_count(fields->diag, LEVEL_ERROR) > n_errors;
    parse_aliases(context, &domain);
}

static void parse_domain(struct parse_context *context, const struct yaml_node *key)
{
    size_t n_errors = diag_count(context->fields.diag, LEVEL_ERROR);
    const struct yaml_node *value = yaml_reader_value(context->reader, context->entry);

    if (!is_misindented(context, key, value))
        parse_named_domain(context, key, value, n_errors);
}

/* Parses domains: as a list of names, which are all of the default policy. */
static void parse_domain_list(struct parse_context *context, const struct yaml_node *key)
{
    struct yaml_node *item;

    if (!context->has_default_policy)
        diag_add(context->fields.diag, FINDING_KEY_MISSING, key->place, "domains",
                 "a list of names takes the policy named default, and there is none; write "
                 "policies: {default: {mx: [mail.example.com]}}");
    while (yaml_reader_next_item(context->reader, context->entry, &item) == 1) {
        if (item->kind == YAML_KIND_TEXT && item->text.len > 0)
            parse_named_domain(context, item, NULL, diag_count(context->fields.diag, LEVEL_ERROR));
        else
            field_report_type(&context->fields, item, "a domain's name",
                              "for a policy of its own write a mapping, as in domains: "
                              "{example.com: {mx: [mail.example.com]}}");
        arena_reset(context->entry);
    }
}

typedef void entry_parser(struct parse_context *context, const struct yaml_node *key);

/* Parses policies: or domains:, an entry at a time. The last entry may have been taken out. */
static void parse_stream(struct parse_context *context, const char *what, entry_parser *parse_entry)
{
    struct yaml_node *key;

    if (yaml_reader_is_at_nothing(context->reader)) {
        yaml_reader_skip(context->reader);
        return;
    }
    context->has_misindented_key = false;
    if (yaml_reader_enter(context->reader, what) != 0)
        return;
    while (yaml_reader_next(context->reader, context->entry, &key) == 1) {
        parse_entry(context, key);
        arena_reset(context->entry);
    }
}

/* key  of the row; its place is that of the whole */
static void parse_value(struct parse_context *context, const struct field *row,
                        const struct yaml_node *key)
{
    struct yaml_reader *reader = context->reader;

    if (row->fields == &schema_policy)
        parse_stream(context, row->key, parse_policy);
    else if (row->fields != &schema_domain)
        field_decode_value(&context->fields, row, yaml_reader_value(reader, context->fields.arena),
                           context->settings);
    else if (!context->on_domain)
        yaml_reader_skip(reader);
    else if (yaml_reader_enter_list(reader))
        parse_domain_list(context, key);
    else
        parse_stream(context, row->key, parse_domain);
}

static void report_domain_at_top(struct parse_context *context, const struct yaml_node *key)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(context->fields.diag, FINDING_KEY_UNKNOWN, key->place, NULL,
             "%s is not a key here; if it is a domain, indent it below domains:",
             err_quote(quoted, sizeof(quoted), key->text));
}

/* In an included file, the main file's keys are known but out of place. */
static const struct field *find_key(struct parse_context *context, const struct fields *fields,
                                    const struct yaml_node *key)
{
    if (fields == &schema_include) {
        for (size_t i = 0; i < schema_main.n_rows; i++) {
            if (!slice_eq_text(key->text, schema_main.rows[i].key))
                continue;
            diag_add(context->fields.diag, FINDING_KEY_UNKNOWN, key->place, NULL,
                     "'%s' belongs into the main file; an included one holds policies and "
                     "domains",
                     schema_main.rows[i].key);
            return NULL;
        }
    }
    if (slice_find_byte(key->text, '.') < key->text.len) {
        report_domain_at_top(context, key);
        return NULL;
    }
    return field_find(&context->fields, fields, key);
}

static void parse_keys(struct parse_context *context, const struct fields *fields)
{
    const struct field *seen[FIELD_KEYS_MAX];
    struct yaml_path *path = &context->fields.path;
    struct yaml_node *key;
    size_t n_seen = 0;

    while (yaml_reader_next(context->reader, context->fields.arena, &key) == 1) {
        const struct field *row = find_key(context, fields, key);
        size_t old_len = yaml_path_enter(path, key->text);

        if (row && field_is_among(seen, n_seen, row)) {
            field_report_duplicate(&context->fields, key);
            row = NULL;
        }
        if (row) {
            seen[n_seen++] = row;
            parse_value(context, row, key);
        } else {
            yaml_reader_skip(context->reader);
        }
        yaml_path_leave(path, old_len);
    }
}

static bool has_bytes_but_space(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (!memchr(" \t\r\n", bytes.ptr[i], 4))
            return true;
    return false;
}

/*
 * Whether an included file has comments only, as the last customer has left it. One of no bytes is
 * what a full disk leaves of a file.
 */
static bool is_file_of_comments(const struct parse_context *context, const struct raw_file *file)
{
    return file->fields == &schema_include && has_bytes_but_space(file->bytes) &&
           yaml_reader_is_at_nothing(context->reader);
}

/* Returns 0, or -1 if the file could not be parsed to its end. */
static int parse_file(struct parse_context *context, const struct raw_file *file)
{
    int entered = 0, finished = 0;

    context->reader = yaml_reader_new(file->name, file->bytes, context->fields.diag);
    if (!is_file_of_comments(context, file)) {
        entered = yaml_reader_enter(context->reader, NULL);
        if (entered == 0)
            parse_keys(context, file->fields);
        finished = yaml_reader_finish(context->reader);
    }
    yaml_reader_free(context->reader);
    return entered != 0 || finished != 0 ? -1 : 0;
}

/** The first pass. */
struct read_context {
    struct raw_config *raw;
    struct input *input;
    struct parse_context parsing;
};

/* Reads and parses one file; the second pass reports what is wrong in it. */
static void raw_config_add_file(struct read_context *context, const char *path,
                                const struct fields *fields, struct place asked_at)
{
    struct raw_config *raw = context->raw;
    struct raw_file *file = &raw->files[raw->n_files];

    *file = (struct raw_file){.fields = fields};
    if (input_read(context->input, path, asked_at, &file->name, &file->bytes) != 0) {
        raw->is_cut = true;
        return;
    }
    raw->n_files++;
    if (parse_file(&context->parsing, file) != 0)
        raw->is_cut = true;
}

static void raw_config_add_includes(struct read_context *context, const char *main_path,
                                    struct arena *scratch, struct diag *diag)
{
    struct raw_config *raw = context->raw;
    const struct field_texts *patterns = &raw->settings.include;
    struct include_files includes;
    int found = include_files_find(main_path, patterns, scratch, diag, &includes);
    struct raw_file *files = arena_array(scratch, 1 + includes.n_items, sizeof(*files));

    if (found != 0)
        raw->is_cut = true;
    memcpy(files, raw->files, raw->n_files * sizeof(*files));
    raw->files = files;
    for (size_t i = 0; i < includes.n_items; i++)
        raw_config_add_file(context, includes.items[i].path, &schema_include,
                            includes.items[i].asked_at);
    if (found == 0)
        include_files_check(main_path, patterns, scratch, &includes, diag);
}

void raw_config_read(const char *path, unsigned care, struct arena *keep, struct arena *scratch,
                     struct diag *diag, struct raw_config *ret_raw)
{
    struct read_context context = {
        .raw = ret_raw,
        .input = input_new(care, keep, scratch, diag),
        .parsing =
            {
                .fields = {.diag = diag_new(&config_findings), .arena = scratch},
                .entry = arena_new(0),
                .settings = &ret_raw->settings,
                .policies = &ret_raw->policies,
                .keep = keep,
            },
    };

    ret_raw->files = arena_array(scratch, 1, sizeof(*ret_raw->files));
    field_set_defaults(&context.parsing.fields, &schema_main, &ret_raw->settings);
    raw_config_add_file(&context, path, &schema_main, (struct place){0});
    ret_raw->name = ret_raw->files[0].name;
    raw_config_add_includes(&context, path, scratch, diag);
    input_check(context.input);
    input_free(context.input);
    arena_free(context.parsing.entry);
    diag_free(context.parsing.fields.diag);
}

void raw_config_parse_domains(struct raw_config *raw, struct arena *scratch, struct diag *diag,
                              on_raw_domain *on_domain, void *context)
{
    struct raw_settings settings = {0};
    struct parse_context parsing = {
        .fields = {.diag = diag, .arena = scratch},
        .entry = arena_new(0),
        .settings = &settings,
        .on_domain = on_domain,
        .domain_context = context,
        .has_default_policy = raw->is_cut || named_policies_default(&raw->policies),
    };

    field_set_defaults(&parsing.fields, &schema_domain, &parsing.no_keys);
    for (size_t i = 0; i < raw->n_files; i++)
        parse_file(&parsing, &raw->files[i]);
    arena_free(parsing.entry);
}

void raw_config_done(struct raw_config *raw)
{
    named_policies_done(&raw->policies);
}
