/* SPDX-License-Identifier: MIT */
#include "lib/diag/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/base/slice.h"

struct diag_item {
    const struct finding_row *row;
    struct place place;
    const char *path;
    const char *message;
};

struct diag {
    const struct finding_table *table;
    bool *seen; /* a finding of each row was added */
    struct arena *arena;
    struct diag_item *items; /* DIAG_MAX; NULL until a finding is added: most lists stay empty */
    size_t n_items;
    size_t counts[LEVEL_COUNT];
    const char *last_file; /* the copy in the newest item's place */
};

struct diag *diag_new(const struct finding_table *table)
{
    struct diag *diag = memory_alloc(sizeof(*diag));

    *diag = (struct diag){.table = table, .arena = arena_new(0)};
    diag->seen = arena_array(diag->arena, table->n_rows, sizeof(*diag->seen));
    return diag;
}

void diag_free(struct diag *diag)
{
    if (!diag)
        return;
    arena_free(diag->arena);
    free(diag->items);
    free(diag);
}

/* The item for one more finding; a full list gives up its last warning or note for an error. */
static struct diag_item *diag_take_item(struct diag *diag, enum level level)
{
    struct diag_item *item;

    if (!diag->items)
        diag->items = memory_alloc(DIAG_MAX * sizeof(*diag->items));
    if (diag->n_items < DIAG_MAX)
        return &diag->items[diag->n_items++];
    if (level != LEVEL_ERROR || diag->counts[LEVEL_ERROR] > DIAG_MAX)
        return NULL;
    item = &diag->items[DIAG_MAX - 1];
    /* This error is counted already, so fewer than DIAG_MAX errors are in the list. */
    while (item->row->level == LEVEL_ERROR)
        item--;
    return item;
}

/* Copies the file's name; successive findings in the same file share the copy. */
static const char *diag_copy_file(struct diag *diag, const char *file)
{
    if (file && (!diag->last_file || strcmp(file, diag->last_file) != 0))
        diag->last_file = arena_copy(diag->arena, slice_of(file));
    return file ? diag->last_file : NULL;
}

void diag_add(struct diag *diag, unsigned finding, struct place place, const char *path,
              const char *format, ...)
{
    const struct finding_row *row = &diag->table->rows[finding];
    enum level level = row->level;
    struct diag_item *item = NULL;
    va_list arguments;
    char message[1024];

    diag->counts[level]++;
    diag->seen[finding] = true;
    item = diag_take_item(diag, level);
    if (!item)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    *item = (struct diag_item){
        .row = row,
        .place = {diag_copy_file(diag, place.file), place.line, place.column},
        .path = path && path[0] != '\0' ? arena_copy(diag->arena, slice_of(path)) : NULL,
        .message = arena_copy(diag->arena, slice_of(message)),
    };
}

size_t diag_count(const struct diag *diag, enum level level)
{
    return diag->counts[level];
}

bool diag_has(const struct diag *diag, unsigned finding)
{
    return diag->seen[finding];
}

static int diag_compare_items(const void *left, const void *right)
{
    const struct diag_item *a = left, *b = right;
    int order = place_compare(a->place, b->place);

    if (order == 0)
        order = (a->row > b->row) - (a->row < b->row);
    return order != 0 ? order : strcmp(a->message, b->message);
}

static void diag_sort(struct diag *diag)
{
    if (diag->n_items > 0)
        qsort(diag->items, diag->n_items, sizeof(*diag->items), diag_compare_items);
}

static size_t diag_count_unkept(const struct diag *diag)
{
    size_t total = 0;

    for (int level = 0; level < LEVEL_COUNT; level++)
        total += diag->counts[level];
    return total - diag->n_items;
}

static void diag_print_item(const struct diag_item *item, FILE *out)
{
    const struct finding_row *row = item->row;

    if (item->place.file)
        fprintf(out, "%s:", item->place.file);
    if (item->place.line != 0)
        fprintf(out, "%u:%u:", item->place.line, item->place.column);
    fprintf(out, "%s%s: ", item->place.file ? " " : "", level_name(row->level));
    if (item->path)
        fprintf(out, "%s: ", item->path);
    fprintf(out, "%s [%s]\n", item->message, row->code);
}

void diag_print(struct diag *diag, enum level least, FILE *out)
{
    size_t unkept = diag_count_unkept(diag);

    diag_sort(diag);
    for (size_t i = 0; i < diag->n_items; i++)
        if (diag->items[i].row->level <= least)
            diag_print_item(&diag->items[i], out);
    if (unkept > 0)
        fprintf(out, "... and %zu more, not shown\n", unkept);
}

static void diag_print_item_json(const struct diag_item *item, struct json_writer *writer)
{
    const struct finding_row *row = item->row;

    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "level", level_name(row->level));
    json_text_member(writer, "code", row->code);
    json_text_member(writer, "file", item->place.file);
    json_number_member(writer, "line", item->place.line);
    json_number_member(writer, "column", item->place.column);
    json_text_member(writer, "path", item->path);
    json_text_member(writer, "message", item->message);
    json_text_member(writer, "meaning", row->meaning);
    json_end_object(writer);
}

void diag_print_json(struct diag *diag, FILE *out)
{
    struct json_writer writer = {.out = out, .indent = 2};

    diag_sort(diag);
    json_begin_object(&writer, JSON_ON_ONE_LINE);
    json_number_member(&writer, "errors", diag->counts[LEVEL_ERROR]);
    json_number_member(&writer, "warnings", diag->counts[LEVEL_WARNING]);
    json_number_member(&writer, "notes", diag->counts[LEVEL_NOTE]);
    json_key(&writer, "findings");
    json_begin_array(&writer, JSON_ON_LINES);
    for (size_t i = 0; i < diag->n_items; i++)
        diag_print_item_json(&diag->items[i], &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    fputc('\n', out);
}
