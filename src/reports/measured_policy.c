/* SPDX-License-Identifier: MIT */
#include "reports/measured_policy.h"

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/policy/mx.h"
#include "lib/state/ledger.h"
#include "reports/report_query.h"
#include "reports/report_store.h"

/* Calls for each piece between separators; `text` moves behind it. */
static struct slice piece_next(struct slice *text, char separator)
{
    size_t len = slice_find_byte(*text, separator);
    struct slice piece = slice_range(*text, 0, len);

    *text = slice_range(*text, len + 1, text->len);
    return piece;
}

static size_t piece_count(struct slice text, char separator)
{
    size_t n = 0;

    while (text.len > 0) {
        piece_next(&text, separator);
        n++;
    }
    return n;
}

/* The value of a line "KEY: value", with or without the space; an empty slice if it is another. */
static struct slice line_value(struct slice line, const char *key)
{
    size_t colon = slice_find_byte(line, ':');

    if (colon == line.len ||
        !slice_eq_nocase(slice_trim(slice_range(line, 0, colon)), slice_of(key)))
        return (struct slice){0};
    line = slice_trim(slice_range(line, colon + 1, line.len));
    return slice_ends_with(line, "\r") ? slice_range(line, 0, line.len - 1) : line;
}

static struct measured_policy measured_by_report(struct slice lines, struct arena *arena)
{
    struct slice *mx = arena_array(arena, piece_count(lines, '\n') + 1, sizeof(*mx));
    struct measured_policy policy = {.mode = POLICY_MODE_COUNT, .mx = mx};

    while (lines.len > 0) {
        struct slice line = piece_next(&lines, '\n');
        struct slice host = line_value(line, "mx"), mode = line_value(line, "mode");

        if (host.len > 0)
            mx[policy.n_mx++] = host;
        if (mode.len > 0)
            policy.mode = policy_mode_find(mode);
    }
    policy.is_known = policy.n_mx > 0;
    return policy;
}

static struct measured_policy measured_by_ledger(const struct ledger_policy *served,
                                                 struct arena *arena)
{
    struct slice left = served->mx;
    struct slice *mx = arena_array(arena, piece_count(left, ',') + 1, sizeof(*mx));
    struct measured_policy policy = {.is_known = true, .mode = served->mode, .mx = mx};

    while (left.len > 0)
        mx[policy.n_mx++] = piece_next(&left, ',');
    return policy;
}

struct measured_policy measured_policy_of(const struct report_entry *entry,
                                          const struct ledger_domain *domain, struct arena *arena)
{
    int64_t from_unix_s = entry->day * REPORT_DAY_S, until_unix_s = from_unix_s + REPORT_DAY_S;
    struct measured_policy policy = {.mode = POLICY_MODE_COUNT};

    if (entry->policy_lines)
        policy = measured_by_report(slice_of(entry->policy_lines), arena);
    if (policy.is_known)
        return policy;
    for (const struct ledger_period *at = domain ? domain->latest : NULL; at; at = at->earlier)
        if (at->from_unix_s <= from_unix_s &&
            (at->until_unix_s == 0 || at->until_unix_s >= until_unix_s))
            return measured_by_ledger(&at->policy, arena);
    return policy;
}

bool measured_policy_covers(const struct measured_policy *policy, struct slice host)
{
    for (size_t i = 0; i < policy->n_mx; i++)
        if (mx_pattern_matches(policy->mx[i], host))
            return true;
    return false;
}

bool measured_policy_is_within(const struct measured_policy *policy, const struct slice *mx,
                               size_t n_mx)
{
    for (size_t i = 0; i < policy->n_mx; i++) {
        size_t at = 0;

        while (at < n_mx && !slice_eq_nocase(policy->mx[i], mx[at]))
            at++;
        if (at == n_mx)
            return false;
    }
    return policy->is_known;
}
