/* SPDX-License-Identifier: MIT */
#include "daemon/main/reload_review.h"

#include "daemon/confine/sandbox.h"
#include "lib/config/config.h"
#include "lib/config/diff.h"
#include "lib/state/ledger.h"

enum {
    LINES_MAX = 200, /* of a difference, as printed by --reload */
};

/*
 * A truncated YAML file is valid YAML: more domains fewer than limits.removed allows are an
 * accident until somebody says that they are not. Of few domains, one is always above that share: a
 * customer may leave where others stay, or where another comes in its place, as a cut file never
 * has it.
 */
static bool drops_too_many(const struct config *current, const struct difference *difference)
{
    size_t n_domains = current->n_domains, n_removed = difference->n_removed;
    uint32_t percent = current->removed_percent;
    bool is_one_who_leaves =
        n_removed == 1 && (n_domains > 2 || difference->n_added > 0) && percent > 0;

    return n_removed * 100 > n_domains * (size_t)percent && !is_one_who_leaves;
}

static int64_t find_enforced(void *context, const struct domain *domain, struct slice mx)
{
    const struct reload_candidate *candidate = context;
    const struct ledger_domain *known = ledger_find(candidate->ledger, slice_of(domain->name));

    return known ? ledger_enforced_until(known, mx, candidate->now_unix_s) : -1;
}

/* In this order: a policy is served before its id is published (RFC 8461 8.1). */
static void print_next_step(const struct reload_candidate *candidate,
                            const struct difference *difference, FILE *out)
{
    if (candidate->force == RELOAD_DRY)
        fputs("dry run: nothing was changed\n", out);
    else if (difference->n_added + difference->n_changed == 0)
        return;
    else if (candidate->next->n_on_change > 0)
        fputs("on_change publishes the new records; the log says when it has\n", out);
    else
        fputs("publish the new records now: mta-stsd --print-dns\n", out);
}

enum reload_outcome reload_review(const struct reload_candidate *candidate, FILE *out)
{
    const struct config *current = candidate->current, *next = candidate->next;
    struct reload_candidate known = *candidate;
    struct compare_options options;
    struct difference difference;
    const char *key;

    if (!next) {
        fprintf(out, "reload refused: %zu error%s; " RELOAD_GOES_ON, candidate->n_errors,
                candidate->n_errors == 1 ? "" : "s");
        return RELOAD_INVALID;
    }
    if (!config_can_replace(current, next, &key)) {
        fprintf(out, "reload refused: '%s' has changed, which needs a restart; " RELOAD_GOES_ON,
                key);
        return RELOAD_REFUSED;
    }
    if (!sandbox_allows(candidate->sandbox, next, candidate->config_path, out))
        return RELOAD_REFUSED;
    options = (struct compare_options){.out = out,
                                       .lines_max = LINES_MAX,
                                       .now_unix_s = candidate->now_unix_s,
                                       .enforced = candidate->ledger ? find_enforced : NULL,
                                       .context = &known};
    difference = config_compare(current, next, &options);
    fprintf(out, "%zu domain%s: %zu added, %zu removed, %zu changed\n", next->n_domains,
            next->n_domains == 1 ? "" : "s", difference.n_added, difference.n_removed,
            difference.n_changed);
    if (candidate->force != RELOAD_FORCED && drops_too_many(current, &difference)) {
        fprintf(out,
                "reload refused: %zu of %zu domains would go, more than limits.removed (%u%%); if "
                "that is right, --reload --force\n",
                difference.n_removed, current->n_domains, current->removed_percent);
        return RELOAD_REFUSED;
    }
    print_next_step(candidate, &difference, out);
    return RELOAD_GOOD;
}
