/* SPDX-License-Identifier: MIT */
#include "lib/config/diff.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "lib/base/arena.h"
#include "lib/base/when.h"
#include "lib/config/config.h"

enum {
    NAMES_SHOWN = 10, /* of the domains in one line */
};

/* Domains that go from one policy to the same other one. */
struct change_group {
    uintptr_t key[3];              /* both policies, and whether the domains are new */
    const struct domain *was, *is; /* the first domain before and after; was: NULL if it is new */
    const char *names[NAMES_SHOWN];
    size_t n_domains;
    int64_t lacking_until_unix_s; /* until then senders may refuse an added mx; 0: none does */
    struct change_group *next;    /* in the order of the first domains */
    UT_hash_handle hh;
};

struct comparison {
    const struct compare_options *options;
    struct difference counts;
    struct arena *arena;
    struct change_group *groups, **groups_end;
    struct change_group *by_key;
    size_t n_lines;
};

/* Returns the stream for one more line, or NULL; each call stands for one. */
static FILE *line_begin(struct comparison *comparison)
{
    return ++comparison->n_lines <= comparison->options->lines_max ? comparison->options->out
                                                                   : NULL;
}

static const char *mode_of(const struct domain *domain)
{
    return domain->document ? policy_mode_name(domain->document->policy.mode)
                            : "TLS reporting only";
}

static bool has_mx(const struct policy *policy, struct slice mx)
{
    for (size_t i = 0; i < policy->n_mx; i++)
        if (slice_eq(policy->mx[i], mx))
            return true;
    return false;
}

static bool has_all_mx(const struct policy *policy, const struct policy *other)
{
    for (size_t i = 0; i < other->n_mx; i++)
        if (!has_mx(policy, other->mx[i]))
            return false;
    return true;
}

/* Prints the mx of `policy` that `other` lacks. */
static void print_missing_mx(const struct policy *policy, const struct policy *other,
                             const char *what, FILE *out)
{
    const char *before = what;

    for (size_t i = 0; i < policy->n_mx; i++) {
        if (has_mx(other, policy->mx[i]))
            continue;
        fprintf(out, "%s%.*s", before, SLICE_ARG(policy->mx[i]));
        before = ", ";
    }
}

static void print_policies(const struct policy *was, const struct policy *is, FILE *out)
{
    char old[WHEN_SIZE], new[WHEN_SIZE];

    if (was->mode != is->mode)
        fprintf(out, "; mode %s -> %s", policy_mode_name(was->mode), policy_mode_name(is->mode));
    /* Senders that hold the new policy stop delivering to these hosts. */
    print_missing_mx(
        was, is,
        is->mode == POLICY_ENFORCE ? "; mx removed under enforce: " : "; mx removed: ", out);
    print_missing_mx(is, was, "; mx added: ", out);
    if (was->max_age_s != is->max_age_s)
        fprintf(out, "; max_age %s -> %s", when_duration(was->max_age_s, old),
                when_duration(is->max_age_s, new));
}

static int64_t enforced_until(const struct comparison *comparison, const struct domain *was,
                              struct slice mx)
{
    const struct compare_options *options = comparison->options;
    const struct policy *policy = was->document ? &was->document->policy : NULL;
    int64_t until_unix_s = options->enforced ? options->enforced(options->context, was, mx) : -1;

    if (until_unix_s >= 0)
        return until_unix_s;
    if (!policy || policy->mode != POLICY_ENFORCE || has_mx(policy, mx))
        return 0;
    return options->now_unix_s + policy->max_age_s;
}

/* Until when senders may enforce an old policy of the domain that lacks an mx of the new one; the
 * one of today may have it already. */
static int64_t lacking_mx_enforced_until(const struct comparison *comparison,
                                         const struct domain *was, const struct domain *is)
{
    const struct policy *new = &is->document->policy;
    int64_t latest_unix_s = 0;

    for (size_t i = 0; was && was->document && i < new->n_mx; i++) {
        int64_t until_unix_s = enforced_until(comparison, was, new->mx[i]);

        if (until_unix_s > latest_unix_s)
            latest_unix_s = until_unix_s;
    }
    return latest_unix_s;
}

/* A sender with the old policy does not deliver to a new MX host, one with the new policy not to an
 * old one. */
static void print_mx_risks(const struct change_group *group, FILE *out)
{
    const struct policy *was = &group->was->document->policy, *is = &group->is->document->policy;
    char date[WHEN_SIZE] = "";

    if (group->lacking_until_unix_s > 0)
        when_date(group->lacking_until_unix_s, date);
    if (date[0] != '\0' && !has_all_mx(was, is))
        fprintf(out,
                "  risk: senders may enforce the old policy until %s; do not move mail to the\n"
                "        added mx before\n",
                date);
    if (is->mode != POLICY_ENFORCE || has_all_mx(is, was))
        return;
    /* Who holds the policy of today refuses none of the hosts that are left, so it sets no date. */
    fputs("  risk: senders that fetch the new policy refuse the removed mx;", out);
    if (date[0] != '\0')
        fprintf(out, " list old and new mx\n        until %s, and", date);
    fputs(" remove an mx\n        only when no MX record names its host any more\n", out);
}

static void print_risks(const struct change_group *group, FILE *out)
{
    const struct policy *was =
        group->was && group->was->document ? &group->was->document->policy : NULL;
    const struct policy *is = &group->is->document->policy;
    bool was_testing = was && was->mode != POLICY_MODE_NONE;
    char age[WHEN_SIZE];

    if (is->mode == POLICY_ENFORCE && !was_testing)
        fputs("  risk: enforce without a time in testing: if a certificate or an mx is wrong, mail "
              "is lost\n",
              out);
    if (!was)
        return;
    print_mx_risks(group, out);
    if (was->mode == POLICY_ENFORCE && is->mode == POLICY_ENFORCE &&
        is->max_age_s < was->max_age_s && (!has_all_mx(was, is) || !has_all_mx(is, was)))
        fprintf(out,
                "  risk: who holds the old policy keeps it for %s; a lower max_age does not "
                "shorten that\n",
                when_duration(was->max_age_s, age));
}

static void print_names(const struct change_group *group, FILE *out)
{
    size_t n_shown = group->n_domains < NAMES_SHOWN ? group->n_domains : NAMES_SHOWN;

    for (size_t i = 0; i < n_shown; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", group->names[i]);
    if (group->n_domains > n_shown)
        fprintf(out, " and %zu more", group->n_domains - n_shown);
    if (group->n_domains > 1 && group->is->policy_name)
        fprintf(out, " (policy %s)", group->is->policy_name);
}

static void print_group(struct comparison *comparison, const struct change_group *group)
{
    FILE *out = line_begin(comparison);

    if (!out)
        return;
    fputs(group->was ? "changed: " : "added: ", out);
    print_names(group, out);
    if (!group->was)
        fprintf(out, "; mode %s", mode_of(group->is));
    else if (group->was->document)
        print_policies(&group->was->document->policy, &group->is->document->policy, out);
    else
        fprintf(out, "; %s -> %s", mode_of(group->was), mode_of(group->is));
    fprintf(out, "; id %s\n", group->is->document->id);
    print_risks(group, out);
}

/* Puts the domain to those with the same change. was: NULL if it is new */
static void group_add(struct comparison *comparison, const struct domain *was,
                      const struct domain *is)
{
    const uintptr_t key[3] = {was ? (uintptr_t)was->document : 0, (uintptr_t)is->document, !was};
    int64_t lacking_until_unix_s = lacking_mx_enforced_until(comparison, was, is);
    struct change_group *group;

    /* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult): sees no bytes in a pointer */
    HASH_FIND(hh, comparison->by_key, key, sizeof(key), group);
    if (!group) {
        group = arena_alloc(comparison->arena, sizeof(*group));
        *group = (struct change_group){.was = was, .is = is};
        memcpy(group->key, key, sizeof(key));
        HASH_ADD(hh, comparison->by_key, key, sizeof(key), group);
        /* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        *comparison->groups_end = group;
        comparison->groups_end = &group->next;
    }
    /* Domains with one policy now may have had others before. */
    if (lacking_until_unix_s > group->lacking_until_unix_s)
        group->lacking_until_unix_s = lacking_until_unix_s;
    if (group->n_domains < NAMES_SHOWN)
        group->names[group->n_domains] = is->name;
    group->n_domains++;
}

/* Senders hold what they have; who leaves goes by mode none (RFC 8461 8.3). */
static void diff_removed(struct comparison *comparison, const struct domain *domain,
                         const char *what_is_left)
{
    int64_t until_unix_s;
    char date[WHEN_SIZE];
    FILE *out;

    comparison->counts.n_removed++;
    out = line_begin(comparison);
    if (!out)
        return;
    fprintf(out, "removed: %s (%s)%s\n", domain->name, mode_of(domain), what_is_left);
    until_unix_s = enforced_until(comparison, domain, (struct slice){0});
    if (until_unix_s != 0)
        fprintf(out,
                "  risk: senders may enforce its policy until %s; serve it in mode none until\n"
                "        then, see mta-stsd --withdraw %s\n",
                when_date(until_unix_s, date), domain->name);
    else if (domain->document)
        fprintf(out, "  mta-stsd --withdraw %s says when its records in DNS can go\n",
                domain->name);
}

static bool has_same_reporting(const struct domain *a, const struct domain *b)
{
    size_t n_a = a->reporting ? a->reporting->n_rua : 0;
    size_t n_b = b->reporting ? b->reporting->n_rua : 0;

    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a->reporting->rua[i], b->reporting->rua[i]) != 0)
            return false;
    return true;
}

/* The policy is the same, but not what is to be published with it. */
static void diff_records(struct comparison *comparison, const struct domain *was,
                         const struct domain *is)
{
    FILE *out;

    if (was->delegated == is->delegated && strcmp(was->zone, is->zone) == 0 &&
        has_same_reporting(was, is))
        return;
    comparison->counts.n_changed++;
    out = line_begin(comparison);
    if (out)
        fprintf(out, "changed: %s; its DNS records, not its policy\n", is->name);
}

static void diff_domain(struct comparison *comparison, const struct domain *was,
                        const struct domain *is)
{
    const char *was_id = was->document ? was->document->id : "";
    const char *is_id = is->document ? is->document->id : "";

    if (strcmp(was_id, is_id) == 0) {
        diff_records(comparison, was, is);
        return;
    }
    if (!is->document) {
        diff_removed(comparison, was, "; TLS reporting only is left");
        return;
    }
    comparison->counts.n_changed++;
    group_add(comparison, was, is);
}

static void diff_added(struct comparison *comparison, const struct domain *domain)
{
    FILE *out;

    comparison->counts.n_added++;
    if (domain->document) {
        group_add(comparison, NULL, domain);
        return;
    }
    out = line_begin(comparison);
    if (out)
        fprintf(out, "added: %s (%s)\n", domain->name, mode_of(domain));
}

/* Both are sorted by name. */
static void diff_domains(struct comparison *comparison, const struct config *current,
                         const struct config *next)
{
    const struct domain *was = current->domains, *was_end = was + current->n_domains;
    const struct domain *is = next->domains, *is_end = is + next->n_domains;

    while (was < was_end && is < is_end) {
        int order = strcmp(was->name, is->name);

        if (order == 0)
            diff_domain(comparison, was++, is++);
        else if (order < 0)
            diff_removed(comparison, was++, "");
        else
            diff_added(comparison, is++);
    }
    while (was < was_end)
        diff_removed(comparison, was++, "");
    while (is < is_end)
        diff_added(comparison, is++);
}

struct difference config_compare(const struct config *current, const struct config *next,
                                 const struct compare_options *options)
{
    struct comparison comparison = {.options = options, .arena = arena_new_large()};
    const struct change_group *group;

    comparison.groups_end = &comparison.groups;
    diff_domains(&comparison, current, next);
    LL_FOREACH (comparison.groups, group)
        print_group(&comparison, group);
    if (options->out && comparison.n_lines > options->lines_max)
        fprintf(options->out, "... and %zu more\n", comparison.n_lines - options->lines_max);
    HASH_CLEAR(hh, comparison.by_key);
    arena_free(comparison.arena);
    return comparison.counts;
}
