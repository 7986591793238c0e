/* SPDX-License-Identifier: MIT */
#include "daemon/notify/notice_book.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define BOOK_HEAD "mta-stsd notices 1"
#define VERDICT_BROKEN "broken"

enum {
    BOOK_FIELDS = 8,
};

/* One condition, open or ended. */
struct notice_entry {
    struct condition condition; /* without texts */
    int64_t since_unix_s;
    int64_t ended_unix_s; /* 0: it is open */
    int64_t told_unix_s;  /* when its beginning was told last; 0: never */
    bool is_told;         /* the receiver takes it for open */
};

struct notice_book {
    struct arena *arena;          /* of the entries and their texts */
    struct notice_entry *entries; /* sorted by condition_compare() */
    size_t n_entries;
    bool was_seen[CONDITION_KIND_COUNT]; /* a look at the kind was taken */
    int64_t digest_unix_s;               /* of the last digest */
};

struct notice_book *notice_book_new(const struct notice_rules *rules, int64_t now_unix_s)
{
    struct notice_book *book = memory_alloc(sizeof(*book));

    *book =
        (struct notice_book){.arena = arena_new_large(),
                             .digest_unix_s = now_unix_s - rules->digest_s + NOTICE_FIRST_DIGEST_S};
    return book;
}

void notice_book_free(struct notice_book *book)
{
    if (!book)
        return;
    arena_free(book->arena);
    free(book);
}

void notice_book_print(const struct notice_book *book, FILE *out)
{
    fprintf(out, BOOK_HEAD "\ndigest\t%" PRId64 "\n", book->digest_unix_s);
    for (int i = 0; i < CONDITION_KIND_COUNT; i++)
        if (book->was_seen[i])
            fprintf(out, "seen\t%s\n", condition_kind_word((enum condition_kind)i));
    for (size_t i = 0; i < book->n_entries; i++) {
        const struct notice_entry *entry = &book->entries[i];

        fprintf(out, "%s\t%s\t%.*s\t%.*s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%s\n",
                entry->ended_unix_s == 0 ? "open" : "ended",
                condition_kind_word(entry->condition.kind), SLICE_ARG(entry->condition.domain),
                SLICE_ARG(entry->condition.code), entry->since_unix_s, entry->ended_unix_s,
                entry->told_unix_s, entry->is_told ? "told" : "untold");
    }
}

static bool book_set_back(int64_t *time_unix_s, int64_t now_unix_s)
{
    bool is_ahead = *time_unix_s > now_unix_s;

    if (is_ahead)
        *time_unix_s = now_unix_s;
    return is_ahead;
}

/*
 * Without this, nothing is told until the time that a clock has shown which was years ahead.
 * Returns whether the book has changed.
 */
static bool book_set_back_all(struct notice_book *book, int64_t now_unix_s)
{
    bool is_changed = book_set_back(&book->digest_unix_s, now_unix_s);

    for (size_t i = 0; i < book->n_entries; i++) {
        struct notice_entry *entry = &book->entries[i];

        is_changed |= book_set_back(&entry->since_unix_s, now_unix_s);
        is_changed |= book_set_back(&entry->ended_unix_s, now_unix_s);
        is_changed |= book_set_back(&entry->told_unix_s, now_unix_s);
    }
    return is_changed;
}

static int notice_parse_time(struct slice field, int64_t *ret_unix_s)
{
    uint64_t value;

    if (slice_to_u64(field, INT64_MAX, &value) != 0)
        return -1;
    *ret_unix_s = (int64_t)value;
    return 0;
}

static struct slice book_copy(struct arena *arena, struct slice text)
{
    return (struct slice){arena_copy(arena, text), text.len};
}

static int notice_parse_entry(struct slice fields[static BOOK_FIELDS], struct arena *arena,
                              struct notice_entry *ret_entry)
{
    struct notice_entry entry = {.condition = {.kind = condition_kind_find(fields[1]),
                                               .domain = book_copy(arena, fields[2]),
                                               .code = book_copy(arena, fields[3])},
                                 .is_told = slice_eq_text(fields[7], "told")};
    bool is_open = slice_eq_text(fields[0], "open");

    if (!(is_open || slice_eq_text(fields[0], "ended")) ||
        entry.condition.kind == CONDITION_KIND_COUNT ||
        !(entry.is_told || slice_eq_text(fields[7], "untold")) ||
        notice_parse_time(fields[4], &entry.since_unix_s) != 0 ||
        notice_parse_time(fields[5], &entry.ended_unix_s) != 0 ||
        notice_parse_time(fields[6], &entry.told_unix_s) != 0 ||
        is_open != (entry.ended_unix_s == 0))
        return -1;
    *ret_entry = entry;
    return 0;
}

static int notice_parse_line(struct slice line, struct notice_book *book)
{
    struct slice fields[BOOK_FIELDS];
    enum condition_kind kind;
    size_t n = 0;

    for (; n < BOOK_FIELDS && line.len > 0; n++)
        fields[n] = slice_take_field(&line, '\t');
    if (n == 2 && slice_eq_text(fields[0], "digest"))
        return notice_parse_time(fields[1], &book->digest_unix_s);
    kind = n == 2 && slice_eq_text(fields[0], "seen") ? condition_kind_find(fields[1])
                                                      : CONDITION_KIND_COUNT;
    if (kind != CONDITION_KIND_COUNT) {
        book->was_seen[kind] = true;
        return 0;
    }
    if (n != BOOK_FIELDS || line.len > 0 ||
        notice_parse_entry(fields, book->arena, &book->entries[book->n_entries]) != 0)
        return -1;
    book->n_entries++;
    return book->n_entries < 2 ||
                   condition_compare(&book->entries[book->n_entries - 2].condition,
                                     &book->entries[book->n_entries - 1].condition) < 0
               ? 0
               : -1;
}

static size_t book_count_lines(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

int notice_book_parse(struct slice text, int64_t now_unix_s, struct notice_book **ret_book,
                      struct err *err)
{
    const struct notice_rules rules = {0};
    size_t n_lines = book_count_lines(text);
    struct notice_book *book;

    if (n_lines < 2 || text.ptr[text.len - 1] != '\n' ||
        !slice_eq_text(slice_take_field(&text, '\n'), BOOK_HEAD))
        return err_set(err, ERR_SYNTAX, "it is not a whole book of notices");
    book = notice_book_new(&rules, now_unix_s);
    book->entries = arena_array(book->arena, n_lines, sizeof(*book->entries));
    for (size_t i = 1; i < n_lines; i++) {
        if (notice_parse_line(slice_take_field(&text, '\n'), book) == 0)
            continue;
        notice_book_free(book);
        return err_set(err, ERR_SYNTAX, "line %zu is damaged", i + 1);
    }
    book_set_back_all(book, now_unix_s);
    *ret_book = book;
    return 0;
}

/* One look at what is open, from which the next entries are made. */
struct book_look {
    const struct notice_book *book; /* as it was before */
    const struct condition_list *list;
    const struct notice_rules *rules;
    int64_t now_unix_s;
    notice_has_domain *has_domain;
    void *context;
    struct arena *arena;
    struct notice_entry *entries;
    size_t n_entries;
    bool is_changed;
};

static void look_add(struct book_look *look, struct notice_entry entry)
{
    entry.condition = (struct condition){.kind = entry.condition.kind,
                                         .domain = book_copy(look->arena, entry.condition.domain),
                                         .code = book_copy(look->arena, entry.condition.code)};
    look->entries[look->n_entries++] = entry;
}

static bool cooldown_is_over(const struct notice_entry *entry, const struct notice_rules *rules,
                             int64_t now_unix_s)
{
    return entry->told_unix_s == 0 || now_unix_s >= entry->told_unix_s + rules->cooldown_s;
}

/* Whether an ended condition has still something to say, or may begin too early. */
static bool look_needs(const struct book_look *look, const struct notice_entry *entry)
{
    bool is_summed_up =
        look->rules->digest_s == 0 || entry->ended_unix_s <= look->book->digest_unix_s;

    return entry->is_told || !is_summed_up ||
           !cooldown_is_over(entry, look->rules, look->now_unix_s);
}

static void look_close(struct book_look *look, struct notice_entry entry)
{
    const struct condition *condition = &entry.condition;

    if (condition->domain.len > 0 && !look->has_domain(look->context, condition->domain)) {
        look->is_changed = true;
        return;
    }
    if (!look->list->is_known[condition->kind] ||
        condition_list_is_unclear(look->list, condition->kind, condition->domain)) {
        look_add(look, entry);
        return;
    }
    if (entry.ended_unix_s == 0) {
        entry.ended_unix_s = look->now_unix_s;
        look->is_changed = true;
    }
    if (condition->kind == CONDITION_VERDICT)
        entry.is_told = false;
    if (look_needs(look, &entry))
        look_add(look, entry);
    else
        look->is_changed = true;
}

/* Whether the book knows another verdict of the domain; it comes before or after `at`. */
static bool look_has_verdict(const struct book_look *look, const struct condition *verdict,
                             size_t at)
{
    const struct notice_book *book = look->book;

    for (size_t i = at > 0 ? at - 1 : 0; i < book->n_entries && i <= at; i++)
        if (book->entries[i].condition.kind == CONDITION_VERDICT &&
            slice_eq(book->entries[i].condition.domain, verdict->domain))
            return true;
    return false;
}

/* at  where the entry would stand in the book as it was */
static void look_open(struct book_look *look, const struct condition *condition, size_t at)
{
    bool is_silent =
        !look->book->was_seen[condition->kind] ||
        (condition->kind == CONDITION_VERDICT && !look_has_verdict(look, condition, at));

    look->is_changed = true;
    look_add(look, (struct notice_entry){.condition = *condition,
                                         .since_unix_s = look->now_unix_s,
                                         .is_told = is_silent});
}

static void look_keep(struct book_look *look, struct notice_entry entry)
{
    if (entry.ended_unix_s != 0) {
        entry.ended_unix_s = 0;
        entry.since_unix_s = look->now_unix_s;
        look->is_changed = true;
    }
    look_add(look, entry);
}

/* Both are sorted. */
static void look_merge(struct book_look *look)
{
    const struct notice_book *book = look->book;
    const struct condition_list *list = look->list;
    size_t before = 0, now = 0;

    while (before < book->n_entries || now < list->n_conditions) {
        int order;

        if (before == book->n_entries)
            order = 1;
        else if (now == list->n_conditions)
            order = -1;
        else
            order = condition_compare(&book->entries[before].condition, &list->conditions[now]);
        if (order < 0)
            look_close(look, book->entries[before]);
        else if (order > 0)
            look_open(look, &list->conditions[now], before);
        else
            look_keep(look, book->entries[before]);
        before += order <= 0;
        now += order >= 0;
    }
}

bool notice_book_take(struct notice_book *book, const struct condition_list *list,
                      const struct notice_rules *rules, int64_t now_unix_s,
                      notice_has_domain *has_domain, void *context)
{
    struct book_look look = {.is_changed = book_set_back_all(book, now_unix_s),
                             .book = book,
                             .list = list,
                             .rules = rules,
                             .now_unix_s = now_unix_s,
                             .has_domain = has_domain,
                             .context = context,
                             .arena = arena_new_large()};

    look.entries =
        arena_array(look.arena, book->n_entries + list->n_conditions + 1, sizeof(*look.entries));
    look_merge(&look);
    arena_free(book->arena);
    book->arena = look.arena;
    book->entries = look.entries;
    book->n_entries = look.n_entries;
    for (int i = 0; i < CONDITION_KIND_COUNT; i++) {
        look.is_changed |= list->is_known[i] && !book->was_seen[i];
        book->was_seen[i] |= list->is_known[i];
    }
    return look.is_changed;
}

/* With the texts that the list has of it; without them if it is not in the list. */
static struct notice notice_of(const struct notice_book *book, size_t entry,
                               const struct condition_list *list, enum notice_event event)
{
    const struct notice_entry *it = &book->entries[entry];
    size_t from = 0, to = list->n_conditions;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (condition_compare(&list->conditions[middle], &it->condition) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return (struct notice){
        .event = event,
        .condition = from < list->n_conditions &&
                             condition_compare(&list->conditions[from], &it->condition) == 0
                         ? list->conditions[from]
                         : it->condition,
        .since_unix_s = it->since_unix_s,
        .until_unix_s = it->ended_unix_s,
        .entry = entry};
}

size_t notice_book_collect(const struct notice_book *book, const struct condition_list *list,
                           const struct notice_rules *rules, int64_t now_unix_s,
                           struct arena *arena, struct notice **ret_notices)
{
    struct notice *notices = arena_array(arena, book->n_entries + 1, sizeof(*notices));
    size_t n = 0;

    for (size_t i = 0; i < book->n_entries; i++) {
        const struct notice_entry *entry = &book->entries[i];

        if (entry->ended_unix_s == 0 && !entry->is_told && list->is_known[entry->condition.kind] &&
            cooldown_is_over(entry, rules, now_unix_s))
            notices[n++] = notice_of(book, i, list, NOTICE_BEGAN);
    }
    for (size_t i = 0; i < book->n_entries; i++)
        if (book->entries[i].ended_unix_s != 0 && book->entries[i].is_told)
            notices[n++] = notice_of(book, i, list, NOTICE_ENDED);
    *ret_notices = notices;
    return n;
}

bool notice_book_is_digest_due(const struct notice_book *book, const struct notice_rules *rules,
                               int64_t now_unix_s)
{
    return rules->digest_s > 0 && now_unix_s >= book->digest_unix_s + rules->digest_s;
}

/* Each domain has a verdict. Those that are no news, and do not ask for anything, are left out. */
static bool digest_has(const struct notice_book *book, const struct notice_entry *entry)
{
    if (entry->condition.kind != CONDITION_VERDICT)
        return true;
    return entry->ended_unix_s == 0 && (entry->told_unix_s > book->digest_unix_s ||
                                        slice_eq_text(entry->condition.code, VERDICT_BROKEN));
}

size_t notice_book_sum_up(const struct notice_book *book, const struct condition_list *list,
                          struct arena *arena, struct notice **ret_notices,
                          struct notice_digest *ret_digest)
{
    struct notice *notices = arena_array(arena, book->n_entries + 1, sizeof(*notices));
    struct notice_digest digest = {.since_unix_s = book->digest_unix_s};
    size_t n = 0;

    for (size_t i = 0; i < book->n_entries; i++) {
        const struct notice_entry *entry = &book->entries[i];

        if (!digest_has(book, entry) || entry->ended_unix_s != 0)
            continue;
        digest.n_open++;
        digest.n_began += entry->since_unix_s > book->digest_unix_s;
        notices[n++] = notice_of(book, i, list, NOTICE_DIGEST);
    }
    for (size_t i = 0; i < book->n_entries; i++) {
        const struct notice_entry *entry = &book->entries[i];

        if (!digest_has(book, entry) || entry->ended_unix_s <= book->digest_unix_s)
            continue;
        digest.n_ended++;
        notices[n++] = notice_of(book, i, list, NOTICE_DIGEST);
    }
    *ret_notices = notices;
    *ret_digest = digest;
    return n;
}

void notice_book_accept(struct notice_book *book, const struct notice *notices, size_t n_notices,
                        int64_t now_unix_s)
{
    for (size_t i = 0; i < n_notices; i++) {
        struct notice_entry *entry = &book->entries[notices[i].entry];

        entry->is_told = notices[i].event == NOTICE_BEGAN;
        if (entry->is_told)
            entry->told_unix_s = now_unix_s;
    }
}

/* Not later each time; but what was missed for long is not made up for. */
void notice_book_accept_digest(struct notice_book *book, const struct notice_rules *rules,
                               int64_t now_unix_s)
{
    book->digest_unix_s += rules->digest_s;
    if (book->digest_unix_s + rules->digest_s <= now_unix_s)
        book->digest_unix_s = now_unix_s;
}
