/* SPDX-License-Identifier: MIT */
/*
 * A file of the spool that somebody has damaged: what is taken for an entry has printable values,
 * and ends in its body. And any values, rendered, are an entry, whatever bytes they hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/state/spool_entry.h"

#include "require.h"

static void require_printable(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        require(value.ptr[i] >= ' ' && value.ptr[i] <= '~', "a value is printable ASCII");
}

/* The head of `entry` and its body. */
static struct slice entry_render(const struct spool_entry *entry, char *buffer)
{
    size_t len = spool_entry_render_head(entry, buffer);

    require(len <= SPOOL_HEAD_MAX, "a head fits");
    if (entry->body.len > 0)
        memcpy(buffer + len, entry->body.ptr, entry->body.len);
    return (struct slice){buffer, len + entry->body.len};
}

static void require_entry(const struct spool_entry *entry, struct spool_entry *ret_parsed,
                          char *buffer)
{
    const struct slice bytes = entry_render(entry, buffer);
    struct err err;

    require(spool_entry_parse(bytes, ret_parsed, &err) == 0, "what is rendered is an entry");
    require(slice_eq(ret_parsed->body, entry->body), "its body is the same");
    require(ret_parsed->received_unix_s == entry->received_unix_s, "and its time");
    require_printable(ret_parsed->host);
    require_printable(ret_parsed->peer);
    require_printable(ret_parsed->content_type);
}

static void try_values(struct slice input, char *buffer)
{
    size_t part = input.len / 4;
    const struct spool_entry entry = {
        .received_unix_s = (int64_t)input.len,
        .host = slice_range(input, 0, part),
        .peer = slice_range(input, part, 2 * part),
        .content_type = slice_range(input, 2 * part, 3 * part),
        .body = slice_range(input, 3 * part, input.len),
    };
    struct spool_entry parsed;

    require_entry(&entry, &parsed, buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = {(const char *)data, size};
    char *buffer = malloc(SPOOL_HEAD_MAX + size);
    struct spool_entry entry;
    struct err err;

    require(buffer != NULL, "there is memory");
    if (spool_entry_parse(input, &entry, &err) == 0) {
        require_printable(entry.host);
        require_printable(entry.peer);
        require_printable(entry.content_type);
        require(slice_eq(slice_range(input, input.len - entry.body.len, input.len), entry.body),
                "the body is the end of the file");
    } else {
        require_message(&err);
    }
    try_values(input, buffer);
    free(buffer);
    return 0;
}
