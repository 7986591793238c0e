/* SPDX-License-Identifier: MIT */
#include "reports/session_days.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/report_query.h"
#include "reports/report_tally.h"
#include "reports/tls_report.h"

static void day_count_add(int64_t *sum, int64_t more)
{
    if (more > 0 && __builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

void session_counts_add(struct session_counts *sum, const struct session_counts *more)
{
    day_count_add(&sum->n_successful, more->n_successful);
    for (size_t i = 0; i < SESSION_CLASSES; i++)
        day_count_add(&sum->n_failed[i], more->n_failed[i]);
}

/* The first ways of failing take the failed sessions until none is left: they may overlap. */
static void entry_share_failures(const struct report_entry *entry, struct session_counts *counts)
{
    int64_t n_left = entry->n_failed != UNKNOWN_COUNT ? entry->n_failed : INT64_MAX;

    for (size_t i = 0; i < entry->n_failures; i++) {
        const struct entry_failure *failure = &entry->failures[i];
        int64_t n = failure->n_sessions != UNKNOWN_COUNT ? failure->n_sessions : 1;

        n = n < n_left ? n : n_left;
        n_left -= n;
        day_count_add(&counts->n_failed[result_type_find(failure->result_type)->class], n);
    }
    if (entry->n_failed != UNKNOWN_COUNT)
        day_count_add(&counts->n_failed[RESULT_UNKNOWN], n_left);
}

static bool entry_tells_of_fetches(const struct report_entry *entry)
{
    for (size_t i = 0; i < entry->n_failures; i++)
        if (result_type_find(entry->failures[i].result_type)->class == RESULT_POLICY_HOST)
            return true;
    return false;
}

/* Returns whether the entry counts at all. */
static bool entry_count(const struct report_entry *entry, struct session_counts *ret_counts)
{
    struct session_counts counts = {0};

    if (entry->type == TLS_POLICY_STS) {
        day_count_add(&counts.n_successful, entry->n_successful);
        entry_share_failures(entry, &counts);
    } else if (entry->type == TLS_POLICY_NONE && entry_tells_of_fetches(entry)) {
        entry_share_failures(entry, &counts);
    } else {
        return false;
    }
    *ret_counts = counts;
    return true;
}

static size_t tally_find_reporter(const struct report_tally *tally,
                                  const struct report_entry *entry)
{
    bool is_proven = entry->proof != REPORT_PROOF_NONE;

    for (size_t i = 0; i < tally->n_reporters; i++)
        if ((tally->reporters[i]->proof != REPORT_PROOF_NONE) == is_proven &&
            slice_eq_nocase(slice_of(tally->reporters[i]->name), slice_of(entry->reporter)))
            return i;
    return tally->n_reporters;
}

static int session_day_compare(const void *left, const void *right)
{
    const struct session_day *a = left, *b = right;

    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    if (a->reporter != b->reporter)
        return a->reporter < b->reporter ? -1 : 1;
    return (int)a->is_proven - (int)b->is_proven;
}

struct session_days session_days_make(const struct report_entries *entries,
                                      const struct report_tally *tally, struct arena *arena)
{
    struct session_day *list = arena_array(arena, entries->n + 1, sizeof(*list));
    size_t n = 0, n_kept = 0;

    for (size_t i = 0; i < entries->n; i++) {
        const struct report_entry *entry = &entries->list[i];
        struct session_counts counts;

        if (entry_count(entry, &counts))
            list[n++] = (struct session_day){.day = entry->day,
                                             .reporter = tally_find_reporter(tally, entry),
                                             .is_proven = entry->proof != REPORT_PROOF_NONE,
                                             .counts = counts};
    }
    qsort(list, n, sizeof(*list), session_day_compare);
    for (size_t i = 0; i < n; i++) {
        if (n_kept > 0 && session_day_compare(&list[n_kept - 1], &list[i]) == 0)
            session_counts_add(&list[n_kept - 1].counts, &list[i].counts);
        else
            list[n_kept++] = list[i];
    }
    return (struct session_days){list, n_kept};
}
