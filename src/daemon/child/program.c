/* SPDX-License-Identifier: MIT */
#include "daemon/child/program.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

/* Of the programs that can be configured. */
static const char *const program_names[PROGRAM_COUNT] = {
    [ON_CHANGE] = "on-change",   [NOTIFY] = "notify",
    [CHECK] = "check",           [REPORTS] = "reports",
    [ACME_READY] = "acme-ready", [ACME_ACCOUNT] = "acme-account",
    [ACME_ORDER] = "acme-order", [SITE] = "site",
    [CONDITIONS] = "conditions"};

char *program_find_beside(const char *name)
{
    char own[PATH_MAX], *path;
    ssize_t len = readlink("/proc/self/exe", own, sizeof(own));

    while (len > 0 && own[len - 1] != '/')
        len--;
    if (asprintf(&path, "%.*s%s", len > 0 ? (int)len : 0, own, name) < 0)
        memory_fail();
    return path;
}

static const char *program_count_text(struct arena *arena, size_t count)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%zu", count);

    return arena_copy(arena, (struct slice){text, (size_t)len});
}

const char *const *program_argv_make(struct arena *arena, const char *const *first, size_t n_first,
                                     const struct program_commands *commands)
{
    size_t n_max = n_first + 1, n = 0;
    const char **argv;

    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        n_max += 2 + commands->of[i].n_texts;
    argv = arena_array(arena, n_max, sizeof(*argv));
    while (n < n_first) {
        argv[n] = first[n];
        n++;
    }
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        const struct program_command *command = &commands->of[i];

        if (!program_names[i] || command->n_texts == 0)
            continue;
        argv[n++] = program_names[i];
        argv[n++] = program_count_text(arena, command->n_texts);
        for (size_t j = 0; j < command->n_texts; j++)
            argv[n++] = command->texts[j];
    }
    argv[n] = NULL;
    return argv;
}

static size_t program_find(const char *name)
{
    size_t program = 0;

    while (program < PROGRAM_COUNT &&
           !(program_names[program] && strcmp(program_names[program], name) == 0))
        program++;
    return program;
}

int program_commands_parse(const char *const *argv, size_t n_argv,
                           struct program_commands *ret_commands)
{
    struct program_commands commands = {0};
    uint64_t n_texts;

    for (size_t at = 0; at < n_argv; at += (size_t)n_texts) {
        size_t program = program_find(argv[at]);

        if (program == PROGRAM_COUNT || n_argv - at < 2 || commands.of[program].n_texts > 0 ||
            slice_to_u64(slice_of(argv[at + 1]), n_argv - at - 2, &n_texts) != 0 || n_texts == 0)
            return -1;
        at += 2;
        commands.of[program] = (struct program_command){argv + at, (size_t)n_texts};
    }
    *ret_commands = commands;
    return 0;
}
