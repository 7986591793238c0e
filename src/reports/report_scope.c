/* SPDX-License-Identifier: MIT */
#include "reports/report_scope.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"

/* An mx pattern of ours; its text is the configuration's. */
struct scope_pattern {
    UT_hash_handle hh;
};

struct report_scope {
    const struct config *config;
    const struct ledger *ledger;
    int64_t now_unix_s;
    struct arena *arena;
    struct scope_pattern *patterns;
};

static struct scope_pattern *scope_find(const struct report_scope *scope, struct slice pattern)
{
    struct scope_pattern *found;

    HASH_FIND(hh, scope->patterns, pattern.ptr, pattern.len, found);
    return found;
}

static void scope_add(struct report_scope *scope, const struct policy *policy)
{
    for (size_t i = 0; i < policy->n_mx; i++) {
        struct scope_pattern *pattern;

        if (scope_find(scope, policy->mx[i]))
            continue;
        pattern = arena_alloc(scope->arena, sizeof(*pattern));
        HASH_ADD_KEYPTR(hh, scope->patterns, policy->mx[i].ptr, policy->mx[i].len, pattern);
    }
}

struct report_scope *report_scope_new(const struct config *config, const struct ledger *ledger,
                                      int64_t now_unix_s)
{
    struct report_scope *scope = memory_alloc(sizeof(*scope));
    const struct policy_document *last = NULL;

    *scope = (struct report_scope){
        .config = config, .ledger = ledger, .now_unix_s = now_unix_s, .arena = arena_new(0)};
    for (size_t i = 0; i < config->n_domains; i++) {
        const struct policy_document *document = config->domains[i].document;

        if (document && document != last) /* many domains share one */
            scope_add(scope, &document->policy);
        last = document;
    }
    return scope;
}

void report_scope_free(struct report_scope *scope)
{
    if (!scope)
        return;
    HASH_CLEAR(hh, scope->patterns);
    arena_free(scope->arena);
    free(scope);
}

/* The host itself, or "*." for its first label: both in stored form, as the patterns are. */
static bool scope_covers_host(const struct report_scope *scope, struct slice host)
{
    size_t dot = slice_find_byte(host, '.');
    char wildcard[260];
    struct slice above = slice_range(host, dot, host.len);

    if (scope_find(scope, host))
        return true;
    if (dot == 0 || above.len < 2 || above.len + 1 > sizeof(wildcard))
        return false;
    wildcard[0] = '*';
    memcpy(wildcard + 1, above.ptr, above.len);
    return scope_find(scope, (struct slice){wildcard, above.len + 1}) != NULL;
}

static bool scope_ended_lately(const struct report_scope *scope, struct slice name)
{
    const struct ledger_domain *domain = ledger_find(scope->ledger, name);

    return domain && domain->latest &&
           (domain->latest->until_unix_s == 0 ||
            domain->latest->until_unix_s + REPORT_SCOPE_ENDED_S >= scope->now_unix_s);
}

bool report_scope_has(const void *scope, const char *domain)
{
    const struct report_scope *self = scope;
    struct slice name = slice_of(domain);

    return config_find_domain(self->config, name) || scope_covers_host(self, name) ||
           scope_ended_lately(self, name);
}
