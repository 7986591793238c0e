/* SPDX-License-Identifier: MIT */
#include "reports/report_lines.h"

#include <string.h>

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/json_tidy.h"

struct report_lines {
    struct arena *arena;
    const char *prefix; /* that a line may have */
    const char **list;  /* first NULL: lines are counted only */
    size_t n;
};

static struct slice line_trim(struct slice line)
{
    while (line.len > 0 && strchr(" \t\r", line.ptr[0]))
        line = slice_range(line, 1, line.len);
    while (line.len > 0 && strchr(" \t\r", line.ptr[line.len - 1]))
        line = slice_range(line, 0, line.len - 1);
    return line;
}

static void lines_add(struct report_lines *lines, struct slice line)
{
    line = line_trim(line);
    if (slice_starts_with(line, lines->prefix))
        line = line_trim(slice_range(line, strlen(lines->prefix), line.len));
    if (line.len == 0)
        return;
    if (lines->list)
        lines->list[lines->n] = arena_copy(lines->arena, line);
    lines->n++;
}

/* Each of `separators` ends a line. */
static void lines_add_text(struct report_lines *lines, const char *text, const char *separators)
{
    while (text) {
        size_t len = strcspn(text, separators);

        lines_add(lines, (struct slice){text, len});
        text = text[len] ? text + len + 1 : NULL;
    }
}

static void lines_add_value(struct report_lines *lines, const json_t *value)
{
    if (!json_is_array(value)) {
        lines_add_text(lines, json_string_value(value), "\n;");
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        lines_add_text(lines, json_string_value(json_array_get(value, i)), "\n");
}

static void lines_find(const json_t *value, const char *prefix, struct arena *arena,
                       const char *const **ret_lines, size_t *ret_n)
{
    struct report_lines lines = {.arena = arena, .prefix = prefix};

    lines_add_value(&lines, value);
    lines.list = arena_array(arena, lines.n, sizeof(*lines.list));
    lines.n = 0;
    lines_add_value(&lines, value);
    *ret_lines = lines.list;
    *ret_n = lines.n;
}

/* The array within a text, or NULL. The bounds of json_tidy() hold for it too. */
static json_t *inner_array(const json_t *value, struct arena *arena)
{
    const char *text = json_string_value(
        json_is_array(value) && json_array_size(value) == 1 ? json_array_get(value, 0) : value);
    struct slice tidy;
    struct err err;
    char *object;
    size_t len;

    if (!text || *text != '[')
        return NULL;
    len = strlen(text);
    object = arena_space(arena, len + strlen("{\"a\":}"));
    memcpy(object, "{\"a\":", 5);
    memcpy(object + 5, text, len);
    object[5 + len] = '}';
    return json_tidy((struct slice){object, len + 6}, arena, &tidy, &err) == 0
               ? json_loadb(tidy.ptr, tidy.len, 0, NULL)
               : NULL;
}

void report_lines_of_policy(const json_t *value, struct arena *arena, const char *const **ret_lines,
                            size_t *ret_n)
{
    json_t *inner = inner_array(value, arena);

    lines_find(inner ? json_object_get(inner, "a") : value, "", arena, ret_lines, ret_n);
    json_decref(inner);
}

void report_lines_of_mx(const json_t *value, struct arena *arena, const char *const **ret_lines,
                        size_t *ret_n)
{
    lines_find(value, "mx:", arena, ret_lines, ret_n);
}
