/* SPDX-License-Identifier: MIT */
#include "cli/become.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/mode.h"
#include "daemon/child/program.h"
#include "lib/base/slice.h"

/* The name of the program that has the mode which an argument names, or NULL. */
static const char *become_program_of(const char *argument)
{
    struct slice name = slice_of(argument);

    if (!slice_starts_with(name, "--"))
        return NULL;
    name = slice_range(name, 2, name.len);
    name = slice_range(name, 0, slice_find_byte(name, '='));
    for (size_t i = 1; i < n_modes; i++)
        if (modes[i].program && slice_eq_text(name, modes[i].name))
            return modes[i].program;
    return NULL;
}

/* Never by PATH: that of a stranger would do. */
static int become_replace(const char *program, char **argv)
{
    char *path = program_find_beside(program);
    enum exit_status status;

    execv(path, argv);
    status = cli_fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
    free(path);
    return (int)status;
}

int become_program(int argc, char **argv, int *ret_status)
{
    const char *program = NULL;

    for (int i = 1; i < argc && !program && strcmp(argv[i], "--") != 0; i++)
        program = become_program_of(argv[i]);
    if (!program)
        return 0;
    *ret_status = become_replace(program, argv);
    return -1;
}

/* Reached by an abbreviation: getopt_long() takes --chec. */
enum exit_status mode_become(const struct options *options)
{
    return cli_fail(STATUS_USAGE, "write --%s in full", options->mode->name);
}
