/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_book.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/acme/acme_plan.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/dns/record.h"

enum {
    FAILURES_MAX = 1000000,
    /* What a clock that was wrong has written does not hold for ever. */
    AHEAD_MAX_S = 2 * ACME_BACKOFF_MAX_S,
};

#define BOOK_HEAD "# mta-stsd orders 1"

static const char *const obstacle_words[ACME_OBSTACLE_COUNT] = {
    [ACME_NO_OBSTACLE] = "none", [ACME_NOT_READY] = "waiting", [ACME_DISTURBED] = "disturbed",
    [ACME_UNLUCKY] = "unlucky",  [ACME_HELD] = "held",         [ACME_REFUSED] = "failing",
    [ACME_STOPPED] = "paused",   [ACME_UNTIMELY] = "untimely"};

void acme_book_print(const struct acme_plan *plan, int64_t now_unix_s, FILE *out)
{
    int64_t *times;
    size_t n_orders = acme_plan_list_orders(plan, now_unix_s, &times);

    fputs(BOOK_HEAD "\n", out);
    for (size_t i = 0; i < n_orders; i++)
        fprintf(out, "order %" PRId64 "\n", times[i]);
    free(times);
    if (acme_plan_held_until(plan) > now_unix_s)
        fprintf(out, "hold %" PRId64 "\n", acme_plan_held_until(plan));
    for (size_t i = 0; i < acme_plan_count(plan); i++) {
        const struct acme_host *host = acme_plan_host(plan, i);

        if (host->obstacle != ACME_NO_OBSTACLE)
            fprintf(out, "host %s %s %" PRIu32 " %" PRId64 " %s\n", host->name,
                    obstacle_words[host->obstacle], host->n_failures, host->next_unix_s,
                    host->reason ? host->reason : "");
    }
}

/* Cuts the next word off. */
static struct slice book_word(struct slice *line)
{
    size_t end = slice_find_byte(*line, ' ');
    struct slice word = slice_range(*line, 0, end);

    *line = slice_range(*line, end < line->len ? end + 1 : line->len, line->len);
    return word;
}

static int book_time(struct slice word, int64_t now_unix_s, int64_t *ret_unix_s)
{
    uint64_t value;

    if (slice_to_u64(word, INT64_MAX, &value) != 0)
        return -1;
    *ret_unix_s =
        (int64_t)value <= now_unix_s + AHEAD_MAX_S ? (int64_t)value : now_unix_s + AHEAD_MAX_S;
    return 0;
}

static enum acme_obstacle book_obstacle(struct slice word)
{
    int obstacle = ACME_NO_OBSTACLE + 1;

    while (obstacle < ACME_OBSTACLE_COUNT && !slice_eq_text(word, obstacle_words[obstacle]))
        obstacle++;
    return (enum acme_obstacle)obstacle;
}

static int book_parse_host(struct slice line, struct acme_plan *plan, int64_t now_unix_s)
{
    struct slice name_word = book_word(&line);
    enum acme_obstacle obstacle = book_obstacle(book_word(&line));
    uint64_t n_failures;
    int64_t next_unix_s;
    char name[POLICY_HOST_SIZE], reason[ACME_REASON_MAX];
    size_t host;

    if (name_word.len >= sizeof(name) || obstacle == ACME_OBSTACLE_COUNT ||
        slice_to_u64(book_word(&line), FAILURES_MAX, &n_failures) != 0 ||
        book_time(book_word(&line), now_unix_s, &next_unix_s) != 0)
        return -1;
    snprintf(name, sizeof(name), "%.*s", SLICE_ARG(name_word));
    snprintf(reason, sizeof(reason), "%.*s", SLICE_ARG(line));
    host = acme_plan_find(plan, name);
    if (host < acme_plan_count(plan))
        acme_plan_restore_host(plan, host, obstacle, (uint32_t)n_failures, next_unix_s, reason);
    return 0;
}

static int book_parse_line(struct slice line, struct acme_plan *plan, int64_t now_unix_s)
{
    struct slice kind = book_word(&line);
    int64_t unix_s;

    if (slice_eq_text(kind, "host"))
        return book_parse_host(line, plan, now_unix_s);
    if (book_time(line, now_unix_s, &unix_s) != 0)
        return -1;
    if (slice_eq_text(kind, "order"))
        acme_plan_restore_order(plan, unix_s);
    else if (slice_eq_text(kind, "hold"))
        acme_plan_restore_hold(plan, unix_s);
    else
        return -1;
    return 0;
}

size_t acme_book_parse(struct slice text, struct acme_plan *plan, int64_t now_unix_s)
{
    size_t n_bad = 0;

    while (text.len > 0) {
        size_t end = slice_find_byte(text, '\n');
        struct slice line = slice_range(text, 0, end);

        if (line.len > 0 && line.ptr[0] != '#')
            n_bad += book_parse_line(line, plan, now_unix_s) != 0;
        text = slice_range(text, end < text.len ? end + 1 : text.len, text.len);
    }
    return n_bad;
}
