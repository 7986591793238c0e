/* SPDX-License-Identifier: MIT */
#include "lib/state/spool_entry.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/err.h"

#define ENTRY_HEAD "mta-stsd report 1"

enum {
    ESCAPE_LEN = 4, /* of \xNN */
};

static bool entry_byte_is_plain(char byte)
{
    return byte >= ' ' && byte <= '~';
}

/* Returns the number of bytes written, at most `max`; an escape is never cut in two. */
static size_t entry_escape(struct slice value, size_t max, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];

        if (entry_byte_is_plain(value.ptr[i]) && byte != '\\') {
            if (len + 1 > max)
                break;
            to[len++] = value.ptr[i];
        } else {
            if (len + ESCAPE_LEN > max)
                break;
            memcpy(to + len, "\\x", 2);
            to[len + 2] = digits[byte >> 4];
            to[len + 3] = digits[byte & 15];
            len += ESCAPE_LEN;
        }
    }
    return len;
}

static size_t entry_add_text(char *head, size_t at, const char *text)
{
    size_t len = strlen(text);

    memcpy(head + at, text, len);
    return at + len;
}

static size_t entry_add_value(char *head, size_t at, const char *name, struct slice value,
                              size_t max)
{
    at = entry_add_text(head, at, name);
    return at + entry_escape(value, max, head + at);
}

size_t spool_entry_render_head(const struct spool_entry *entry, char ret_head[SPOOL_HEAD_MAX])
{
    char number[64];
    size_t len;

    snprintf(number, sizeof(number), ENTRY_HEAD "\nreceived: %" PRId64, entry->received_unix_s);
    len = entry_add_text(ret_head, 0, number);
    len = entry_add_value(ret_head, len, "\nhost: ", entry->host, SPOOL_VALUE_MAX);
    len = entry_add_value(ret_head, len, "\npeer: ", entry->peer, SPOOL_VALUE_MAX);
    len = entry_add_value(ret_head, len, "\ncontent-type: ", entry->content_type, SPOOL_TYPE_MAX);
    snprintf(number, sizeof(number), "\nlength: %zu\n\n", entry->body.len);
    return entry_add_text(ret_head, len, number);
}

/* Cuts the first line off *rest; its newline is neither in the line nor in the rest. */
static bool entry_take_line(struct slice *rest, struct slice *ret_line)
{
    struct slice head = slice_range(*rest, 0, SPOOL_HEAD_MAX);
    size_t len = slice_find_byte(head, '\n');

    if (len == head.len)
        return false;
    *ret_line = slice_range(*rest, 0, len);
    *rest = slice_range(*rest, len + 1, rest->len);
    for (size_t i = 0; i < len; i++)
        if (!entry_byte_is_plain(ret_line->ptr[i]))
            return false;
    return true;
}

static bool entry_take_value(struct slice *rest, const char *name, struct slice *ret_value)
{
    struct slice line;

    if (!entry_take_line(rest, &line) || !slice_starts_with(line, name))
        return false;
    *ret_value = slice_range(line, strlen(name), line.len);
    return true;
}

static bool entry_take_number(struct slice *rest, const char *name, uint64_t *ret_number)
{
    struct slice value;

    return entry_take_value(rest, name, &value) && slice_to_u64(value, INT64_MAX, ret_number) == 0;
}

int spool_entry_parse(struct slice bytes, struct spool_entry *ret_entry, struct err *err)
{
    struct spool_entry entry = {0};
    struct slice rest = bytes, line;
    uint64_t received, length;

    if (!entry_take_line(&rest, &line) || !slice_eq_text(line, ENTRY_HEAD))
        return err_set(err, ERR_SYNTAX, "the file does not begin with the line '" ENTRY_HEAD "'");
    if (!entry_take_number(&rest, "received: ", &received) ||
        !entry_take_value(&rest, "host: ", &entry.host) ||
        !entry_take_value(&rest, "peer: ", &entry.peer) ||
        !entry_take_value(&rest, "content-type: ", &entry.content_type) ||
        !entry_take_number(&rest, "length: ", &length) || !entry_take_line(&rest, &line) ||
        line.len > 0)
        return err_set(err, ERR_SYNTAX, "the lines above the report's body are damaged");
    if (length != rest.len)
        return err_set(err, ERR_SYNTAX, "expected a body of length %" PRIu64 ", found %zu", length,
                       rest.len);
    entry.received_unix_s = (int64_t)received;
    entry.body = rest;
    *ret_entry = entry;
    return 0;
}
