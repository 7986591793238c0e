/* SPDX-License-Identifier: MIT */
#include "lib/import/import_set.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/record.h"
#include "lib/import/import_finding.h"
#include "lib/policy/mx.h"
#include "lib/policy/parse.h"
#include "lib/policy/render.h"

#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

/* The place of a domain in the set by its name; the list itself is sorted in the end. */
struct import_name {
    const char *name;
    size_t index;
    UT_hash_handle hh;
};

struct import_set {
    struct arena *arena;
    struct import_domain *domains;
    size_t n_domains, n_room;
    struct import_name *by_name;
};

struct import_set *import_set_new(void)
{
    struct import_set *set = memory_alloc(sizeof(*set));

    *set = (struct import_set){.arena = arena_new(0)};
    return set;
}

void import_set_free(struct import_set *set)
{
    if (!set)
        return;
    HASH_CLEAR(hh, set->by_name);
    arena_free(set->arena);
    free(set->domains);
    free(set);
}

/* Whether a text is about a policy at all: it has the version or the age of one. */
static bool is_about_policy(struct slice body)
{
    return memmem(body.ptr, body.len, "STSv1", 5) || memmem(body.ptr, body.len, "max_age", 7);
}

/* Where the value of the nth "mx:" of a valid body is. */
static struct place place_of_mx(struct slice body, size_t nth, const char *file)
{
    struct place place = {.file = file};

    while (body.len > 0) {
        size_t len = slice_find_byte(body, '\n');
        struct slice line = slice_range(body, 0, len), value;

        place.line++;
        if (slice_starts_with(line, "mx:") && nth-- == 0) {
            value = slice_trim(slice_range(line, strlen("mx:"), line.len));
            place.column = (uint32_t)(value.ptr - line.ptr) + 1;
            break;
        }
        body = slice_range(body, len + 1, body.len);
    }
    return place;
}

/* The mx patterns in stored form; false after a finding for each that the configuration refuses. */
static bool policy_take_mx(struct policy *policy, const struct import_file *file, struct slice body,
                           struct arena *arena, struct diag *diag)
{
    struct slice *mx = arena_array(arena, policy->n_mx, sizeof(*mx));
    size_t n_refused = 0;

    for (size_t i = 0; i < policy->n_mx; i++) {
        struct mx_lint lint = mx_pattern_lint(policy->mx[i]);
        char *text = arena_copy(arena, policy->mx[i]), quoted[ERR_QUOTE_MAX];

        for (char *at = text; *at != '\0'; at++)
            *at = ascii_to_lower(*at);
        mx[i] = (struct slice){text, policy->mx[i].len};
        if (lint.finding == FINDING_NONE || finding_row(lint.finding)->level != LEVEL_ERROR)
            continue;
        n_refused++;
        diag_add(diag, IMPORT_MX_REFUSED, place_of_mx(body, i, file->shown), NULL, "mx %s %s",
                 err_quote(quoted, sizeof(quoted), mx[i]), lint.why);
    }
    policy->mx = mx;
    return n_refused == 0;
}

/* The same lines with CRLF, the last line's end included. */
static bool differs_in_line_ends(struct slice body, struct slice served)
{
    size_t at = 0;

    for (size_t i = 0; i < served.len; i++) {
        bool is_term = served.ptr[i] == '\r';

        if (at < body.len && body.ptr[at] == served.ptr[i])
            at++;
        else if (at < body.len ? !is_term : i + 2 < served.len)
            return false;
    }
    return at == body.len;
}

static const char *describe_change(struct slice body, struct slice served)
{
    if (slice_eq(body, served))
        return NULL;
    if (differs_in_line_ends(body, served))
        return "line ends become CRLF";
    if (body.len == served.len && slice_eq_nocase(body, served))
        return "mx becomes lower case";
    return "line ends, order, spacing, case or extra fields change";
}

/* Returns 0, or -1 after a finding. */
static int import_domain_read(const struct import_file *file, struct slice body,
                              struct arena *arena, struct import_domain *ret_domain,
                              struct diag *diag)
{
    struct policy policy;
    struct slice served;
    struct err err;

    if (policy_parse(body, arena, &policy, &err) != 0) {
        err.place.file = file->shown;
        diag_add(diag, IMPORT_POLICY_INVALID, err.place, NULL, "%s", err.msg);
        return -1;
    }
    if (!policy_take_mx(&policy, file, body, arena, diag))
        return -1;
    if (policy_render(&policy, arena, &served, &err) != 0) {
        diag_add(diag, IMPORT_TOO_MUCH, (struct place){.file = file->shown}, NULL, "%s", err.msg);
        return -1;
    }
    *ret_domain = (struct import_domain){
        .name = file->domain,
        .file = file->shown,
        .policy = policy,
        .change = describe_change(body, served),
    };
    return 0;
}

static bool import_domain_check(const struct import_file *file, struct diag *diag)
{
    struct place place = {.file = file->shown};

    if (!file->domain)
        diag_add(diag, IMPORT_DOMAIN_UNKNOWN, place, NULL,
                 "the path names no domain; expected example.com.txt or a folder "
                 "mta-sts.example.com above it; or give this file alone with --domain");
    else if (strlen(file->domain) + strlen(DNS_PREFIX_TLS_RPT) > DNS_NAME_MAX)
        diag_add(diag, IMPORT_NAME_TOO_LONG, place, NULL, "'%s%s' would be above %d octets",
                 DNS_PREFIX_TLS_RPT, file->domain, DNS_NAME_MAX);
    else
        return true;
    return false;
}

/* The domain that is in the set, if it is; a finding if the file has another policy for it. */
static bool is_in_set(struct import_set *set, const struct import_file *file, struct slice body,
                      struct diag *diag)
{
    const struct import_domain *first;
    struct import_name *known;

    HASH_FIND_STR(set->by_name, file->domain, known);
    if (!known)
        return false;
    first = &set->domains[known->index];
    if (!slice_eq(first->body, body))
        diag_add(diag, IMPORT_DOMAIN_DUPLICATE, (struct place){.file = file->shown}, NULL,
                 "%s has another policy in %s, which was taken; remove one of the files",
                 file->domain, first->file);
    return true;
}

static void import_set_append(struct import_set *set, const struct import_domain *domain)
{
    struct import_name *entry = arena_alloc(set->arena, sizeof(*entry));

    if (set->n_domains == set->n_room) {
        set->n_room = set->n_room > 0 ? 2 * set->n_room : 64;
        set->domains = memory_resize(set->domains, set->n_room, sizeof(*set->domains));
    }
    set->domains[set->n_domains] = *domain;
    entry->name = domain->name;
    entry->index = set->n_domains++;
    HASH_ADD_KEYPTR(hh, set->by_name, entry->name, strlen(entry->name), entry);
}

void import_set_add(struct import_set *set, const struct import_file *file, struct slice body,
                    struct diag *diag)
{
    struct import_domain domain;

    if (file->look == IMPORT_LOOKS_LIKELY && !is_about_policy(body))
        return;
    if (!import_domain_check(file, diag) || is_in_set(set, file, body, diag) ||
        import_domain_read(file, body, set->arena, &domain, diag) != 0)
        return;
    domain.name = arena_copy(set->arena, slice_of(domain.name));
    domain.file = arena_copy(set->arena, slice_of(domain.file));
    domain.body = (struct slice){arena_copy(set->arena, body), body.len};
    import_set_append(set, &domain);
}

static int compare_domains(const void *left, const void *right)
{
    const struct import_domain *a = left, *b = right;

    return strcmp(a->name, b->name);
}

const struct import_domain *import_set_domains(struct import_set *set, size_t *ret_n)
{
    struct import_name *entry, *next;

    if (set->n_domains > 0)
        qsort(set->domains, set->n_domains, sizeof(*set->domains), compare_domains);
    HASH_ITER(hh, set->by_name, entry, next)
    {
        const struct import_domain wanted = {.name = entry->name};
        const struct import_domain *found =
            bsearch(&wanted, set->domains, set->n_domains, sizeof(*set->domains), compare_domains);

        entry->index = (size_t)(found - set->domains);
    }
    *ret_n = set->n_domains;
    return set->domains;
}
