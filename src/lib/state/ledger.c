/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

struct ledger_entry {
    struct ledger_domain domain; /* first: ledger_next() gets it back */
    struct ledger_period *latest;
    UT_hash_handle hh;
};

struct ledger {
    struct arena *arena;
    struct arena *bytes; /* of the file; NULL: they are the caller's */
    struct ledger_entry *entries;
    size_t damaged_line, whole_len;
};

static struct ledger *ledger_new(void)
{
    struct ledger *ledger = memory_alloc(sizeof(*ledger));

    *ledger = (struct ledger){.arena = arena_new_large()};
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    HASH_CLEAR(hh, ledger->entries);
    arena_free(ledger->arena);
    arena_free(ledger->bytes);
    free(ledger);
}

static struct ledger_entry *history_find(const struct ledger *ledger, struct slice name)
{
    struct ledger_entry *entry;

    HASH_FIND(hh, ledger->entries, name.ptr, name.len, entry);
    return entry;
}

static struct ledger_entry *history_take(struct ledger *ledger, struct slice name)
{
    struct ledger_entry *entry = history_find(ledger, name);

    if (entry)
        return entry;
    entry = arena_alloc(ledger->arena, sizeof(*entry));
    entry->domain.name = arena_copy(ledger->arena, name);
    HASH_ADD_KEYPTR(hh, ledger->entries, entry->domain.name, name.len, entry);
    return entry;
}

static void period_end(struct ledger_entry *entry, int64_t at_unix_s)
{
    if (entry->latest && entry->latest->until_unix_s == 0)
        entry->latest->until_unix_s = at_unix_s;
}

static void period_begin(struct ledger *ledger, struct ledger_entry *entry,
                         const struct ledger_line *line)
{
    struct ledger_period *period = arena_alloc(ledger->arena, sizeof(*period));

    *period = (struct ledger_period){
        .from_unix_s = line->at_unix_s, .policy = line->policy, .earlier = entry->latest};
    entry->latest = period;
    entry->domain.latest = period;
}

static void ledger_take(struct ledger *ledger, const struct ledger_line *line)
{
    struct ledger_entry *entry = history_take(ledger, line->domain);

    if (line->event == LEDGER_FETCHABLE) {
        if (entry->domain.fetchable_unix_s == 0)
            entry->domain.fetchable_unix_s = line->at_unix_s;
        return;
    }
    period_end(entry, line->at_unix_s);
    if (line->event == LEDGER_SERVES)
        period_begin(ledger, entry, line);
}

/* Whether the domain, which is the third field, is the one that is asked for. */
static bool line_is_wanted(struct slice text, const char *domain)
{
    struct ledger_line line;

    return !domain || (memmem(text.ptr, text.len, domain, strlen(domain)) &&
                       (!ledger_line_parse(text, &line) || slice_eq_text(line.domain, domain)));
}

int ledger_read_bytes(struct slice bytes, struct arena *arena, const char *domain,
                      struct ledger **ret_ledger, struct err *err)
{
    struct ledger *ledger;
    size_t at = 0, number = 0;

    if (bytes.len > 0 && !slice_starts_with(bytes, LEDGER_HEAD))
        return err_set(err, ERR_SYNTAX, "is no ledger of mta-stsd, or one of a later version");
    ledger = ledger_new();
    while (at < bytes.len) {
        struct slice rest = slice_range(bytes, at, bytes.len);
        struct slice text = slice_range(rest, 0, slice_find_byte(rest, '\n'));
        struct ledger_line line;

        if (text.len == rest.len) /* half a line */
            break;
        if (number++ > 0 && line_is_wanted(text, domain)) {
            if (ledger_line_parse(text, &line))
                ledger_take(ledger, &line);
            else if (ledger->damaged_line == 0)
                ledger->damaged_line = number;
        }
        at += text.len + 1;
    }
    ledger->whole_len = at;
    ledger->bytes = arena;
    *ret_ledger = ledger;
    return 0;
}

int ledger_read(const char *directory, const char *domain, struct ledger **ret_ledger,
                struct err *err)
{
    char *path = file_path_below(directory, LEDGER_FILE);
    struct arena *arena = arena_new_large();
    struct slice bytes = {0};
    struct stat status;
    int result = file_read_regular(path, LEDGER_BYTES_MAX, arena, &status, &bytes, err);

    if (result != 0 && err->sys_errno == ENOENT)
        result = 0;
    if (result == 0)
        result = ledger_read_bytes(bytes, arena, domain, ret_ledger, err);
    if (result != 0) {
        int sys_errno = err->sys_errno;

        err_set(err, err->code, "'%s' %s", path, err->msg);
        err->sys_errno = sys_errno;
        arena_free(arena);
    }
    free(path);
    return result;
}

const struct ledger_domain *ledger_find(const struct ledger *ledger, struct slice name)
{
    struct ledger_entry *entry = ledger ? history_find(ledger, name) : NULL;

    return entry ? &entry->domain : NULL;
}

const struct ledger_domain *ledger_next(const struct ledger *ledger,
                                        const struct ledger_domain *previous)
{
    const struct ledger_entry *entry =
        previous ? ((const struct ledger_entry *)previous)->hh.next : ledger->entries;

    return entry ? &entry->domain : NULL;
}

size_t ledger_damaged_line(const struct ledger *ledger)
{
    return ledger->damaged_line;
}

size_t ledger_whole_len(const struct ledger *ledger)
{
    return ledger->whole_len;
}

static int64_t period_held_until(const struct ledger_period *period, int64_t now_unix_s)
{
    int64_t until_unix_s = period->until_unix_s != 0 ? period->until_unix_s : now_unix_s;

    return until_unix_s + period->policy.max_age_s;
}

int64_t ledger_held_until(const struct ledger_domain *domain, int64_t now_unix_s)
{
    int64_t latest_unix_s = 0;

    for (const struct ledger_period *at = domain->latest; at; at = at->earlier) {
        int64_t until_unix_s = period_held_until(at, now_unix_s);

        if (at->policy.mode != POLICY_MODE_NONE && until_unix_s > latest_unix_s)
            latest_unix_s = until_unix_s;
    }
    return latest_unix_s > now_unix_s ? latest_unix_s : 0;
}

bool ledger_is_over(const struct ledger_domain *domain, int64_t now_unix_s)
{
    return domain->latest && domain->latest->until_unix_s != 0 &&
           ledger_held_until(domain, now_unix_s) == 0;
}

/* Whether a list of patterns, separated by commas, has this one. */
static bool list_has(struct slice list, struct slice mx)
{
    while (list.len > 0) {
        size_t len = slice_find_byte(list, ',');

        if (slice_eq(slice_range(list, 0, len), mx))
            return true;
        list = slice_range(list, len + 1, list.len);
    }
    return false;
}

int64_t ledger_enforced_until(const struct ledger_domain *domain, struct slice mx,
                              int64_t now_unix_s)
{
    int64_t latest_unix_s = 0;

    for (const struct ledger_period *at = domain->latest; at; at = at->earlier) {
        int64_t until_unix_s = period_held_until(at, now_unix_s);

        if (at->policy.mode == POLICY_ENFORCE && !list_has(at->policy.mx, mx) &&
            until_unix_s > latest_unix_s)
            latest_unix_s = until_unix_s;
    }
    return latest_unix_s > now_unix_s ? latest_unix_s : 0;
}

struct slice ledger_policy_delegation_zone(const struct ledger_policy *policy)
{
    return policy->mta_sts_zone.len > 0 ? policy->mta_sts_zone : policy->tls_rpt_zone;
}

int64_t ledger_delegated_until(const struct ledger_domain *domain, struct slice zone,
                               int64_t now_unix_s)
{
    int64_t latest_unix_s = 0;

    for (const struct ledger_period *at = domain->latest; at; at = at->earlier) {
        int64_t until_unix_s = period_held_until(at, now_unix_s);

        if (slice_eq(ledger_policy_delegation_zone(&at->policy), zone) &&
            until_unix_s > latest_unix_s)
            latest_unix_s = until_unix_s;
    }
    return latest_unix_s > now_unix_s ? latest_unix_s : 0;
}
