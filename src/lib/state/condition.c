/* SPDX-License-Identifier: MIT */
#include "lib/state/condition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

#define CONDITIONS_HEAD "mta-stsd conditions 1"

enum {
    FIELDS_MAX = 6,
};

static const char *const condition_words[CONDITION_KIND_COUNT] = {
    [CONDITION_RELOAD] = "reload",           [CONDITION_DNS] = "dns",
    [CONDITION_CERTIFICATE] = "certificate", [CONDITION_CHECK] = "check",
    [CONDITION_VERDICT] = "verdict",         [CONDITION_REMOVAL] = "removal"};

const char *condition_kind_word(enum condition_kind kind)
{
    return condition_words[kind];
}

enum condition_kind condition_kind_find(struct slice word)
{
    int kind = 0;

    while (kind < CONDITION_KIND_COUNT && !slice_eq_text(word, condition_words[kind]))
        kind++;
    return (enum condition_kind)kind;
}

int condition_compare(const struct condition *a, const struct condition *b)
{
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    if (order == 0)
        order = slice_compare(a->domain, b->domain);
    return order != 0 ? order : slice_compare(a->code, b->code);
}

static int condition_sort_compare(const void *left, const void *right)
{
    return condition_compare(left, right);
}

bool condition_list_is_unclear(const struct condition_list *list, enum condition_kind kind,
                               struct slice domain)
{
    const struct condition key = {.kind = kind, .domain = domain};

    return list->n_unclear > 0 && bsearch(&key, list->unclear, list->n_unclear, sizeof(key),
                                          condition_sort_compare) != NULL;
}

static size_t conditions_sort(struct condition *conditions, size_t n)
{
    size_t n_kept = 0;

    if (n > 0)
        qsort(conditions, n, sizeof(*conditions), condition_sort_compare);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || condition_compare(&conditions[n_kept - 1], &conditions[i]) != 0)
            conditions[n_kept++] = conditions[i];
    return n_kept;
}

void condition_list_sort(struct condition_list *list)
{
    list->n_conditions = conditions_sort(list->conditions, list->n_conditions);
    list->n_unclear = conditions_sort(list->unclear, list->n_unclear);
}

void condition_print_head(FILE *out)
{
    fputs(CONDITIONS_HEAD "\n", out);
}

void condition_print_known(enum condition_kind kind, FILE *out)
{
    fprintf(out, "known\t%s\n", condition_words[kind]);
}

void condition_print_unclear(enum condition_kind kind, struct slice domain, FILE *out)
{
    fprintf(out, "unclear\t%s\t%.*s\n", condition_words[kind], SLICE_ARG(domain));
}

void condition_print_recheck(int64_t at_unix_s, FILE *out)
{
    fprintf(out, "recheck\t%" PRId64 "\n", at_unix_s);
}

static void condition_print_field(struct slice field, char end, FILE *out)
{
    for (size_t i = 0; i < field.len; i++) {
        unsigned char byte = (unsigned char)field.ptr[i];

        putc(byte < 0x20 || byte == 0x7f ? ' ' : byte, out);
    }
    putc(end, out);
}

void condition_print(const struct condition *condition, FILE *out)
{
    fprintf(out, "open\t%s\t", condition_words[condition->kind]);
    condition_print_field(condition->domain, '\t', out);
    condition_print_field(condition->code, '\t', out);
    condition_print_field(condition->text, '\t', out);
    condition_print_field(condition->advice, '\n', out);
}

/* The fields of a line; those that it does not have are empty. Returns how many it has. */
static size_t conditions_split(struct slice line, struct slice fields[static FIELDS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < FIELDS_MAX; i++)
        fields[i] = (struct slice){NULL, 0};
    while (n < FIELDS_MAX - 1 && slice_find_byte(line, '\t') < line.len)
        fields[n++] = slice_take_field(&line, '\t');
    fields[n++] = line;
    return n;
}

static int conditions_parse_line(struct slice line, struct condition_list *list)
{
    struct slice fields[FIELDS_MAX];
    size_t n = conditions_split(line, fields);
    struct condition condition = {.kind = condition_kind_find(fields[1]),
                                  .domain = fields[2],
                                  .code = fields[3],
                                  .text = fields[4],
                                  .advice = fields[5]};
    uint64_t at_unix_s;

    if (n == 2 && slice_eq_text(fields[0], "recheck") &&
        slice_to_u64(fields[1], INT64_MAX, &at_unix_s) == 0) {
        list->recheck_unix_s = (int64_t)at_unix_s;
        return 0;
    }
    if (condition.kind == CONDITION_KIND_COUNT)
        return -1;
    if (n == 2 && slice_eq_text(fields[0], "known"))
        list->is_known[condition.kind] = true;
    else if (n == 3 && slice_eq_text(fields[0], "unclear"))
        list->unclear[list->n_unclear++] = condition;
    else if (n == FIELDS_MAX && slice_eq_text(fields[0], "open"))
        list->conditions[list->n_conditions++] = condition;
    else
        return -1;
    return 0;
}

static size_t conditions_count_lines(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

int condition_list_parse(struct slice text, struct arena *arena, struct condition_list *ret_list,
                         struct err *err)
{
    size_t n_lines = conditions_count_lines(text);
    struct condition_list list = {
        .conditions = arena_array(arena, n_lines + 1, sizeof(*list.conditions)),
        .unclear = arena_array(arena, n_lines + 1, sizeof(*list.unclear))};

    if (n_lines == 0 || text.ptr[text.len - 1] != '\n' ||
        !slice_eq_text(slice_take_field(&text, '\n'), CONDITIONS_HEAD))
        return err_set(err, ERR_SYNTAX, "it is not a whole list of conditions");
    for (size_t i = 1; i < n_lines; i++)
        if (conditions_parse_line(slice_take_field(&text, '\n'), &list) != 0)
            return err_set(err, ERR_SYNTAX, "line %zu is damaged", i + 1);
    condition_list_sort(&list);
    *ret_list = list;
    return 0;
}

int condition_list_read(const char *directory, struct arena *arena, struct condition_list *ret_list,
                        struct err *err)
{
    char *path = file_path_below(directory, CONDITIONS_FILE);
    struct stat status;
    struct slice text;
    int result = file_read_regular(path, CONDITIONS_MAX, arena, &status, &text, err);

    if (result == 0) {
        result = condition_list_parse(text, arena, ret_list, err);
        if (result != 0)
            err_set(err, ERR_SYNTAX, "'%s': %s", path, err->msg);
    } else if (err->sys_errno == ENOENT) {
        *ret_list = (struct condition_list){0};
        result = 0;
    }
    free(path);
    return result;
}
