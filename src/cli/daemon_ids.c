/* SPDX-License-Identifier: MIT */
#include "cli/daemon_ids.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/control/control.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    TIMEOUT_S = 5,
};

/* A line of the answer, "example.com 0123... fetchable": cut in pieces. */
struct line {
    const char *domain;
    const char *id;
    bool was_fetchable;
};

struct served {
    char *answer;
    struct line *lines; /* as the daemon sorts them: by domain */
    size_t n_lines;
};

static void split_lines(struct served *served)
{
    char *rest = served->answer, *text;
    size_t size = 0;

    strsep(&rest, "\n"); /* the outcome */
    while ((text = strsep(&rest, "\n"))) {
        char *id = text;
        const char *domain = strsep(&id, " ");

        if (!id)
            continue;
        if (served->n_lines == size) {
            size = size * 2 + 64;
            served->lines = memory_resize(served->lines, size, sizeof(*served->lines));
        }
        served->lines[served->n_lines++] = (struct line){domain, strsep(&id, " "), id != NULL};
    }
}

struct served *served_ask(const char *control_path)
{
    struct served *served;
    struct err err;
    char *answer;

    if (control_ask(control_path, "served", TIMEOUT_S, &answer, &err) != 0)
        return NULL;
    served = memory_alloc(sizeof(*served));
    *served = (struct served){.answer = answer};
    split_lines(served);
    return served;
}

void served_free(struct served *served)
{
    if (!served)
        return;
    free(served->lines);
    free(served->answer);
    free(served);
}

static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;

    return strcmp(a->domain, b->domain);
}

static const struct line *served_find(const struct served *served, const char *domain)
{
    const struct line key = {.domain = domain};

    return bsearch(&key, served->lines, served->n_lines, sizeof(key), compare_lines);
}

bool served_has(const struct served *served, const char *domain, const char *id)
{
    const struct line *line = served_find(served, domain);

    return line && strcmp(line->id, id) == 0;
}

bool served_was_fetchable(const struct served *served, const char *domain)
{
    const struct line *line = served ? served_find(served, domain) : NULL;

    return line && line->was_fetchable;
}
