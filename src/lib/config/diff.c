/* SPDX-License-Identifier: MIT */
#include "lib/config/diff.h"

#include <string.h>

#include "lib/config/config.h"

struct comparison {
    struct difference counts;
    FILE *out;
    size_t n_lines, lines_max;
};

/* Whether one more line may be printed; each call stands for one. */
static bool may_print(struct comparison *comparison)
{
    return ++comparison->n_lines <= comparison->lines_max && comparison->out;
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
    if (was->mode != is->mode)
        fprintf(out, "; mode %s -> %s", policy_mode_name(was->mode), policy_mode_name(is->mode));
    /* Senders that hold the new policy stop delivering to these hosts. */
    print_missing_mx(
        was, is,
        is->mode == POLICY_ENFORCE ? "; mx removed under enforce: " : "; mx removed: ", out);
    print_missing_mx(is, was, "; mx added: ", out);
    if (was->max_age_s != is->max_age_s)
        fprintf(out, "; max_age %u s -> %u s", was->max_age_s, is->max_age_s);
}

static void print_change(const struct domain *was, const struct domain *is, FILE *out)
{
    fprintf(out, "changed: %s", is->name);
    if (was->document)
        print_policies(&was->document->policy, &is->document->policy, out);
    else
        fprintf(out, "; %s -> %s", mode_of(was), mode_of(is));
    fprintf(out, "; id %s\n", is->document->id);
}

/* Senders hold what they have; who leaves goes by mode none (RFC 8461 8.3). */
static void diff_removed(struct comparison *comparison, const struct domain *domain,
                         const char *what_is_left)
{
    const struct policy *policy = domain->document ? &domain->document->policy : NULL;

    comparison->counts.n_removed++;
    if (!may_print(comparison))
        return;
    fprintf(comparison->out, "removed: %s (%s", domain->name, mode_of(domain));
    if (policy && policy->mode == POLICY_ENFORCE)
        fprintf(comparison->out,
                "; senders may enforce it for %u s; to leave, serve mode none first",
                policy->max_age_s);
    fprintf(comparison->out, ")%s\n", what_is_left);
}

static void diff_domain(struct comparison *comparison, const struct domain *was,
                        const struct domain *is)
{
    const char *was_id = was->document ? was->document->id : "";
    const char *is_id = is->document ? is->document->id : "";

    if (strcmp(was_id, is_id) == 0)
        return;
    if (!is->document) {
        diff_removed(comparison, was, "; TLS reporting only is left");
        return;
    }
    comparison->counts.n_changed++;
    if (may_print(comparison))
        print_change(was, is, comparison->out);
}

static void diff_added(struct comparison *comparison, const struct domain *domain)
{
    comparison->counts.n_added++;
    if (may_print(comparison))
        fprintf(comparison->out, "added: %s (%s)\n", domain->name, mode_of(domain));
}

struct difference config_compare(const struct config *current, const struct config *next, FILE *out,
                                 size_t lines_max)
{
    struct comparison comparison = {.out = out, .lines_max = lines_max};
    const struct domain *was = current->domains, *was_end = was + current->n_domains;
    const struct domain *is = next->domains, *is_end = is + next->n_domains;

    /* Both are sorted by name. */
    while (was < was_end && is < is_end) {
        int order = strcmp(was->name, is->name);

        if (order == 0)
            diff_domain(&comparison, was++, is++);
        else if (order < 0)
            diff_removed(&comparison, was++, "");
        else
            diff_added(&comparison, is++);
    }
    while (was < was_end)
        diff_removed(&comparison, was++, "");
    while (is < is_end)
        diff_added(&comparison, is++);
    if (out && comparison.n_lines > lines_max)
        fprintf(out, "... and %zu more\n", comparison.n_lines - lines_max);
    return comparison.counts;
}
