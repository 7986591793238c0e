/* SPDX-License-Identifier: MIT */
#include "lib/import/import_yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/dns/name.h"
#include "lib/import/import_set.h"

#define VARIABLE_DOMAIN "{domain}"
#define VARIABLE_DASHED "{domain_dashed}"

/* A policy for the YAML, and who has it. */
struct yaml_policy {
    const struct import_domain *domain; /* whose mode and max_age these are */
    const char *mx;                     /* "[mail.example.com]"; "": none */
    size_t n_domains;
    size_t number; /* of the name, from 1; 0: it has none, so it stands below the domain */
};

struct yaml_entry {
    const struct import_domain *domain;
    const char *mx;      /* as the domain has them */
    const char *mx_form; /* with the domain's name replaced */
    const char *mx_key;  /* one of these: what entries are grouped by just now */
    struct yaml_policy *policy;
};

struct yaml_writer {
    struct arena *arena;
    struct yaml_entry *entries; /* in the order of names */
    struct yaml_entry **sorted;
    size_t n_entries;
    struct yaml_policy **policies; /* the named ones */
    size_t n_policies;
};

static void print_mx_plain(struct slice mx, const char *domain, FILE *out)
{
    /* "*" begins an alias; a single label could be a word of YAML, such as "null". */
    bool needs_quotes = mx.ptr[0] == '*' || !memchr(mx.ptr, '.', mx.len);

    (void)domain;
    fprintf(out, needs_quotes ? "\"%.*s\"" : "%.*s", SLICE_ARG(mx));
}

/* "mail.example.com" as "mail.{domain}", "example-com.mx.example.net" with the dashed name. */
static void print_mx_form(struct slice mx, const char *domain, FILE *out)
{
    char dashed[DNS_NAME_MAX + sizeof(".")];
    size_t domain_len = strlen(domain), i = 0;
    struct slice host = slice_starts_with(mx, "*.") ? slice_range(mx, 2, mx.len) : mx;
    bool is_own = slice_ends_with(host, domain) &&
                  (host.len == domain_len || host.ptr[host.len - domain_len - 1] == '.');

    for (; i < domain_len; i++)
        dashed[i] = domain[i] == '.' ? '-' : domain[i];
    memcpy(dashed + i, ".", sizeof("."));
    if (is_own)
        fprintf(out, "\"%.*s" VARIABLE_DOMAIN "\"", (int)(mx.len - domain_len), mx.ptr);
    else if (slice_starts_with(host, dashed))
        fprintf(out, "\"%.*s" VARIABLE_DASHED "%.*s\"", (int)(mx.len - host.len), mx.ptr,
                (int)(host.len - domain_len), host.ptr + domain_len);
    else
        print_mx_plain(mx, domain, out);
}

static const char *mx_list_text(const struct import_domain *domain,
                                void (*print)(struct slice mx, const char *domain, FILE *out),
                                struct arena *arena)
{
    char *text = NULL;
    size_t size = 0;
    const char *copy;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        memory_fail();
    for (size_t i = 0; i < domain->policy.n_mx; i++) {
        fputs(i == 0 ? "[" : ", ", out);
        print(domain->policy.mx[i], domain->name, out);
    }
    fputs(domain->policy.n_mx > 0 ? "]" : "", out);
    if (fclose(out) != 0)
        memory_fail();
    copy = arena_copy(arena, (struct slice){text, size});
    free(text);
    return copy;
}

/* In the largest unit that fits: 604800 is "1w". */
static void print_max_age(uint32_t max_age_s, FILE *out)
{
    static const struct {
        uint32_t seconds;
        const char *unit;
    } units[] = {{7 * 86400, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, ""}};
    size_t i = 0;

    while (max_age_s % units[i].seconds != 0)
        i++;
    if (max_age_s == 0)
        i = ARRAY_LEN(units) - 1;
    fprintf(out, "%u%s", max_age_s / units[i].seconds, units[i].unit);
}

static int compare_policies_of(const struct yaml_entry *a, const struct yaml_entry *b)
{
    const struct policy *first = &a->domain->policy, *second = &b->domain->policy;

    if (first->mode != second->mode)
        return first->mode < second->mode ? -1 : 1;
    if (first->max_age_s != second->max_age_s)
        return first->max_age_s < second->max_age_s ? -1 : 1;
    return strcmp(a->mx_key, b->mx_key);
}

static int compare_entries(const void *left, const void *right)
{
    const struct yaml_entry *a = *(struct yaml_entry *const *)left;
    const struct yaml_entry *b = *(struct yaml_entry *const *)right;
    int order = compare_policies_of(a, b);

    return order != 0 ? order : strcmp(a->domain->name, b->domain->name);
}

static void yaml_policy_add(struct yaml_writer *writer, struct yaml_entry **members, size_t n)
{
    struct yaml_policy *policy = arena_alloc(writer->arena, sizeof(*policy));

    *policy = (struct yaml_policy){
        .domain = members[0]->domain, .mx = members[0]->mx_key, .n_domains = n};
    for (size_t i = 0; i < n; i++)
        members[i]->policy = policy;
    writer->policies[writer->n_policies++] = policy;
}

/* Makes a named policy of each key that two or more entries without a policy share. */
static void yaml_policies_find(struct yaml_writer *writer, bool by_form)
{
    size_t n = 0, from = 0;

    for (size_t i = 0; i < writer->n_entries; i++) {
        struct yaml_entry *entry = &writer->entries[i];

        entry->mx_key = by_form ? entry->mx_form : entry->mx;
        if (!entry->policy)
            writer->sorted[n++] = entry;
    }
    if (n > 0)
        qsort(writer->sorted, n, sizeof(*writer->sorted), compare_entries);
    for (size_t to = 1; to <= n; to++) {
        if (to < n && compare_policies_of(writer->sorted[from], writer->sorted[to]) == 0)
            continue;
        if (to - from > 1)
            yaml_policy_add(writer, writer->sorted + from, to - from);
        from = to;
    }
}

/* Those of most domains first. */
static int compare_yaml_policies(const void *left, const void *right)
{
    const struct yaml_policy *a = *(struct yaml_policy *const *)left;
    const struct yaml_policy *b = *(struct yaml_policy *const *)right;

    if (a->n_domains != b->n_domains)
        return a->n_domains > b->n_domains ? -1 : 1;
    return strcmp(a->domain->name, b->domain->name);
}

static void yaml_print_policies(struct yaml_writer *writer, FILE *out)
{
    if (writer->n_policies == 0)
        return;
    qsort(writer->policies, writer->n_policies, sizeof(struct yaml_policy *),
          compare_yaml_policies);
    fputs("policies:\n", out);
    for (size_t i = 0; i < writer->n_policies; i++) {
        struct yaml_policy *policy = writer->policies[i];

        policy->number = i + 1;
        fprintf(out, "  policy-%zu: # of %zu domains\n    mode: %s\n    max_age: ", policy->number,
                policy->n_domains, policy_mode_name(policy->domain->policy.mode));
        print_max_age(policy->domain->policy.max_age_s, out);
        fprintf(out, "%s%s\n", policy->mx[0] != '\0' ? "\n    mx: " : "", policy->mx);
    }
    fputc('\n', out);
}

static void yaml_print_entry(const struct yaml_entry *entry, FILE *out)
{
    const struct policy *policy = &entry->domain->policy;

    fprintf(out, "  %s: ", entry->domain->name);
    if (entry->policy) {
        fprintf(out, "policy-%zu", entry->policy->number);
    } else {
        fprintf(out, "{mode: %s, max_age: ", policy_mode_name(policy->mode));
        print_max_age(policy->max_age_s, out);
        fprintf(out, "%s%s}", entry->mx[0] != '\0' ? ", mx: " : "", entry->mx);
    }
    fprintf(out, "%s%s\n", entry->domain->change ? " # " : "",
            entry->domain->change ? entry->domain->change : "");
}

/* Domains whose bytes change, or those whose bytes do not; below a comment, if there are any. */
static void yaml_print_domains(const struct yaml_writer *writer, bool changed, const char *comment,
                               FILE *out)
{
    for (size_t i = 0; i < writer->n_entries; i++) {
        if ((writer->entries[i].domain->change != NULL) != changed)
            continue;
        fputs(comment, out);
        comment = "";
        yaml_print_entry(&writer->entries[i], out);
    }
}

void import_yaml_print(const struct import_domain *domains, size_t n_domains, FILE *out)
{
    struct yaml_writer writer = {.arena = arena_new(0), .n_entries = n_domains};

    writer.entries = arena_array(writer.arena, n_domains, sizeof(*writer.entries));
    writer.sorted = arena_array(writer.arena, n_domains, sizeof(struct yaml_entry *));
    writer.policies = arena_array(writer.arena, n_domains, sizeof(struct yaml_policy *));
    for (size_t i = 0; i < n_domains; i++) {
        writer.entries[i] = (struct yaml_entry){
            .domain = &domains[i],
            .mx = mx_list_text(&domains[i], print_mx_plain, writer.arena),
            .mx_form = mx_list_text(&domains[i], print_mx_form, writer.arena),
        };
    }
    yaml_policies_find(&writer, false);
    yaml_policies_find(&writer, true);
    fputs("# Made by mta-stsd --import. Check it: mta-stsd -c FILE --test-config.\n"
          "# First serve these policies, then point mta-sts.<domain> here, then publish new ids.\n",
          out);
    yaml_print_policies(&writer, out);
    fputs("domains:\n", out);
    yaml_print_domains(&writer, false,
                       "  # The same bytes as before: an id that is published may stay until the "
                       "policy changes.\n",
                       out);
    yaml_print_domains(&writer, true,
                       "  # The same policy in other bytes: publish the new id once DNS points "
                       "here.\n",
                       out);
    arena_free(writer.arena);
}
