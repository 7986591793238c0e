/* SPDX-License-Identifier: MIT */
#include "lib/state/fetch_count.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "mta-stsd fetches 1 "

static bool take_number(struct slice *rest, int64_t *ret_number)
{
    uint64_t number;

    if (slice_to_u64(slice_take_field(rest, ' '), INT64_MAX, &number) != 0)
        return false;
    *ret_number = (int64_t)number;
    return true;
}

void fetch_count_print_head(int64_t at_unix_us, FILE *out)
{
    fprintf(out, HEAD "%" PRId64 "\n", at_unix_us);
}

bool fetch_count_parse_head(struct slice line, int64_t *ret_at_unix_us)
{
    struct slice rest = slice_range(line, sizeof(HEAD) - 1, line.len);

    return slice_starts_with(line, HEAD) && take_number(&rest, ret_at_unix_us) && rest.len == 0;
}

void fetch_count_print(const struct fetch_count *count, FILE *out)
{
    fprintf(out, "%.*s %s %" PRIu64 " %" PRId64 " %" PRId64 " %.*s\n", SLICE_ARG(count->domain),
            fetch_sender_word(count->sender), count->n, count->first_unix_s, count->last_unix_s,
            SLICE_ARG(count->prefix));
}

/* What is no network goes no further: pages and terminals show it. */
static bool is_prefix(struct slice text)
{
    if (text.len == 0 || text.len >= FETCH_PREFIX_SIZE)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("0123456789abcdef.:/", text.ptr[i], strlen("0123456789abcdef.:/")))
            return slice_eq_text(text, "-");
    return true;
}

bool fetch_count_parse(struct slice line, struct fetch_count *ret_count)
{
    struct fetch_count count = {.domain = slice_take_field(&line, ' ')};
    int64_t n;

    count.sender = fetch_sender_find(slice_take_field(&line, ' '));
    if (count.domain.len == 0 || count.sender == FETCH_SENDER_COUNT || !take_number(&line, &n) ||
        !take_number(&line, &count.first_unix_s) || !take_number(&line, &count.last_unix_s))
        return false;
    count.n = (uint64_t)n;
    count.prefix = slice_take_field(&line, ' ');
    if (!is_prefix(count.prefix) || line.len > 0)
        return false;
    *ret_count = count;
    return true;
}
