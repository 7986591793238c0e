/* SPDX-License-Identifier: MIT */
#include "lib/config/input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/load.h"
#include "lib/config/seen.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    PATH_QUOTE_MAX = 512,
    SETTLE_MS = 100,     /* longer than a tick of the kernel, and than a writer pauses */
    SETTLE_ALL_MS = 500, /* for all files together: all time stamps may be of the future */
};

struct input {
    unsigned care;
    uint64_t settle_ms; /* how long files may still be waited for */
    struct arena *keep, *scratch;
    struct diag *diag;
    struct seen_files seen;
};

struct input *input_new(unsigned care, struct arena *keep, struct arena *scratch, struct diag *diag)
{
    struct input *input = memory_alloc(sizeof(*input));

    *input = (struct input){
        .care = care,
        .settle_ms = care & LOAD_SETTLED ? SETTLE_ALL_MS : 0,
        .keep = keep,
        .scratch = scratch,
        .diag = diag,
    };
    return input;
}

void input_free(struct input *input)
{
    if (!input)
        return;
    seen_files_done(&input->seen);
    free(input);
}

static bool is_main_file(struct place asked_at)
{
    return !asked_at.file;
}

/* An included file that cannot be read is reported where it was included. */
static void input_report(struct input *input, const char *path, const char *name,
                         struct place asked_at, const struct err *err)
{
    enum finding finding = err->code == ERR_LIMIT ? FINDING_TOO_LARGE : FINDING_FILE_UNREADABLE;
    const char *hint = err->code == ERR_LIMIT ? "; split it into several by include:"
                       : err->sys_errno == ENOENT && is_main_file(asked_at)
                           ? "; name the configuration by --config FILE"
                           : "";
    char quoted[PATH_QUOTE_MAX];

    if (is_main_file(asked_at))
        diag_add(input->diag, finding, (struct place){name, 0, 0}, NULL, "the file %s%s", err->msg,
                 hint);
    else
        diag_add(input->diag, finding, asked_at, "include", "%s %s%s",
                 err_quote(quoted, sizeof(quoted), slice_of(path)), err->msg, hint);
}

static FILE *input_open(const struct input *input, const char *path, struct place asked_at,
                        struct err *err)
{
    bool is_main = is_main_file(asked_at);

    if (is_main && !(input->care & LOAD_REGULAR))
        return file_open(path, err);
    if (!is_main || strcmp(path, "-") != 0)
        return file_open_regular(path, err);
    err_set(err, ERR_CONFIG, "is standard input, which can be read only once");
    return NULL;
}

/* Waits for the file to settle and reads it. */
static int input_read_settled(struct input *input, const char *path, FILE *in, struct place place,
                              struct slice *ret_bytes, struct err *err)
{
    uint64_t settle_ms = input->settle_ms < SETTLE_MS ? input->settle_ms : SETTLE_MS;
    uint64_t began_at_ms = clock_system.monotonic_ms(&clock_system), waited_ms;
    struct stat status;

    if (seen_file_settle(fileno(in), (unsigned)settle_ms, &status, err) != 0)
        return -1;
    waited_ms = clock_system.monotonic_ms(&clock_system) - began_at_ms;
    input->settle_ms -= waited_ms < input->settle_ms ? waited_ms : input->settle_ms;
    seen_files_add(&input->seen, path, place, &status);
    return file_read_stream(in, CONFIG_FILE_MAX, input->scratch, ret_bytes, err);
}

int input_read(struct input *input, const char *path, struct place asked_at, const char **ret_name,
               struct slice *ret_bytes)
{
    bool is_stdin = is_main_file(asked_at) && strcmp(path, "-") == 0;
    const char *name = arena_copy(input->keep, slice_of(is_stdin ? "<stdin>" : path));
    struct place place = is_main_file(asked_at) ? (struct place){name, 0, 0} : asked_at;
    struct err err;
    FILE *in = input_open(input, path, asked_at, &err);
    int result = in ? input_read_settled(input, path, in, place, ret_bytes, &err) : -1;

    if (result != 0)
        input_report(input, path, name, asked_at, &err);
    if (in)
        file_close(in);
    *ret_name = name;
    return result;
}

void input_check(const struct input *input)
{
    seen_files_check(&input->seen, input->diag);
}
