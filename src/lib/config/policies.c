/* SPDX-License-Identifier: MIT */
#include "lib/config/policies.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/suggest.h"
#include "lib/config/config.h"
#include "lib/config/document.h"
#include "lib/config/parse.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/diag.h"

enum {
    NEAREST_MAX = 256, /* policies that a misspelt name is compared with */
};

static int compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_named(const void *left, const void *right)
{
    const struct field_text *a = &((const struct named *)left)->raw->name;
    const struct field_text *b = &((const struct named *)right)->raw->name;
    int order = slice_compare(a->text, b->text);

    /* Of two with one name, the one that stands first comes first. */
    if (order == 0)
        order = slice_compare(slice_of(a->place.file), slice_of(b->place.file));
    if (order == 0)
        order = compare_numbers(a->place.line, b->place.line);
    return order != 0 ? order : compare_numbers(a->place.column, b->place.column);
}

static void report_duplicates(const struct named_list *list, struct diag *diag)
{
    for (size_t i = 1; i < list->n_items; i++) {
        const struct field_text *first = &list->items[i - 1].raw->name;
        const struct field_text *second = &list->items[i].raw->name;

        if (!slice_eq(first->text, second->text))
            continue;
        diag_add(diag, FINDING_KEY_DUPLICATE, second->place, list->items[i].raw->path,
                 "the policy is given already at %s:%u:%u; give this one another name",
                 first->place.file, first->place.line, first->place.column);
    }
}

static int compare_name(const void *key, const void *element)
{
    const struct slice *name = key;
    const struct named *named = element;

    return slice_compare(*name, named->raw->name.text);
}

static struct named *find(const struct named_list *list, struct slice name)
{
    return bsearch(&name, list->items, list->n_items, sizeof(*list->items), compare_name);
}

/* What is said of a policy's keys, and does not hold where the user has others. */
static finding_set moot(const struct raw_domain *raw)
{
    finding_set set = 0;

    if (!raw->mta_sts.value || raw->own.mode.place.line != 0)
        set |=
            finding_bit(FINDING_ENFORCE_UNREPORTED) | finding_bit(FINDING_MAX_AGE_BELOW_TWO_WEEKS);
    if (raw->own.tls_rpt.place.line != 0)
        set |= finding_bit(FINDING_ENFORCE_UNREPORTED);
    if (raw->own.max_age.place.line != 0)
        set |= finding_bit(FINDING_MAX_AGE_BELOW_TWO_WEEKS);
    return set;
}

/* Before anything is checked: who uses which policy, and how. */
static void count_user(const struct named_list *list, const struct raw_config *raw_config,
                       const struct raw_entry *entry, struct arena *scratch)
{
    struct named *named = NULL;
    struct raw_domain raw;

    if (entry->policy.place.line != 0)
        named = find(list, entry->policy.text);
    if (!named)
        return;
    raw_entry_unpack(raw_config, entry, scratch, &raw);
    named->n_users++;
    named->users_allow &= moot(&raw) | raw_policy_allow(&raw.own);
    if (raw.mta_sts.value && !raw_policy_is_given(&raw.own))
        named->n_plain++;
    arena_reset(scratch);
}

/* What all users without keys of their own share, unless {domain} makes it another for each. */
static void share(struct named *named, const struct named_context *context,
                  const struct effective *effective, struct arena *scratch)
{
    const struct raw_policy *keys = &named->raw->keys;

    if (named->n_plain > 0 && !raw_policy_has_domain_mx(keys)) {
        named->document = documents_intern(context->documents, effective, scratch, context->diag);
        named->is_broken = !named->document;
    }
    if (!raw_policy_has_domain_rua(keys, context->config->report_host))
        named->reporting = reporting_keep(effective, context->config->arena);
}

/* A named policy is checked with any domain for {domain}. */
static void check(struct named *named, const struct named_context *context, struct arena *scratch)
{
    const struct raw_policy *keys = &named->raw->keys;
    struct effective effective = {
        .keys = *keys,
        .own = keys,
        .domain = EFFECTIVE_ANY_DOMAIN,
        .path = named->raw->path,
        .place = named->raw->name.place,
        .allow = named->allow | (named->n_users > 0 ? named->users_allow : 0),
        .needs_mx = named->n_plain > 0,
        .is_whole = !named->is_broken,
    };

    raw_policy_check_allow(keys, effective.path, context->diag);
    effective_expand(&effective, context->config->report_host, scratch);
    if (effective_check(&effective, context->diag) != 0)
        named->is_broken = true;
    if (!named->is_broken)
        share(named, context, &effective, scratch);
}

/* A domain that could not be read may be the user that is missed. */
static void note_unused(const struct named *named, struct diag *diag)
{
    if (named->n_users == 0 && !(named->allow & finding_bit(FINDING_POLICY_UNUSED)))
        diag_add(diag, FINDING_POLICY_UNUSED, named->raw->name.place, named->raw->path,
                 "no domain uses this policy; name it below domains: or take it out");
}

void named_list_init(struct named_list *list, const struct named_context *context)
{
    const struct raw_config *raw = context->raw;
    struct named *items = memory_alloc((raw->n_policies + 1) * sizeof(*items));
    struct arena *scratch = arena_new(0);
    bool is_all_read;

    for (size_t i = 0; i < raw->n_policies; i++)
        items[i] = (struct named){
            .name = arena_copy(context->config->arena, raw->policies[i].name.text),
            .raw = &raw->policies[i],
            .allow = raw_policy_allow(&raw->policies[i].keys),
            .users_allow = ~(finding_set)0,
            .is_broken = raw->policies[i].is_broken,
        };
    *list = (struct named_list){items, raw->n_policies};
    qsort(items, list->n_items, sizeof(*items), compare_named);
    report_duplicates(list, context->diag);
    is_all_read = diag_count(context->diag, LEVEL_ERROR) == 0;
    for (size_t i = 0; i < raw->n_entries; i++)
        count_user(list, raw, &raw->entries[i].entry, scratch);
    for (size_t i = 0; i < list->n_items; i++) {
        if (is_all_read)
            note_unused(&items[i], context->diag);
        check(&items[i], context, scratch);
        arena_reset(scratch);
    }
    arena_free(scratch);
}

void named_list_done(struct named_list *list)
{
    free(list->items);
}

/* The key that was meant by "mx:[mail.example.com]", which YAML reads as a text; NULL: none. */
static const char *key_without_space(struct slice name)
{
    struct slice word = slice_range(name, 0, slice_find_byte(name, ':'));

    for (const struct fields *fields = &schema_domain; word.len < name.len && fields;
         fields = fields->base)
        for (size_t i = 0; i < fields->n_rows; i++)
            if (slice_eq_text(word, fields->rows[i].key))
                return fields->rows[i].key;
    return NULL;
}

static void report_unknown(const struct named_list *list, const struct raw_entry *entry,
                           const char *path, struct diag *diag)
{
    char quoted[ERR_QUOTE_MAX], meant[ERR_QUOTE_MAX] = "";
    const char *names[NEAREST_MAX], *nearest = NULL;
    const char *key = key_without_space(entry->policy.text);
    size_t n_names = 0;

    if (key) {
        diag_add(diag, FINDING_POLICY_UNKNOWN, entry->policy.place, path,
                 "%s is read as the name of a policy, and there is none; the key '%s' needs a "
                 "space after its colon",
                 err_quote(quoted, sizeof(quoted), entry->policy.text), key);
        return;
    }
    for (size_t i = 0; i < list->n_items && n_names < NEAREST_MAX; i++)
        names[n_names++] = list->items[i].name;
    if (diag_count(diag, LEVEL_ERROR) < DIAG_MAX)
        nearest = nearest_word(entry->policy.text, names, n_names);
    if (nearest)
        err_quote(meant, sizeof(meant), slice_of(nearest));
    diag_add(diag, FINDING_POLICY_UNKNOWN, entry->policy.place, path,
             "there is no policy %s under policies:; %s%s%s",
             err_quote(quoted, sizeof(quoted), entry->policy.text),
             nearest ? "did you mean " : "write it there, or name one that is", meant,
             nearest ? "?" : "");
}

struct named *named_list_find(const struct named_list *list, const struct named_context *context,
                              const struct raw_entry *entry, const char *path)
{
    struct named *named = find(list, entry->policy.text);

    /* In what could not be read it may well be; an empty name was reported when it was read. */
    if (!named && entry->policy.text.len > 0 && !context->raw->is_cut)
        report_unknown(list, entry, path, context->diag);
    return named;
}
