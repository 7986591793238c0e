/* SPDX-License-Identifier: MIT */
#include "support/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/diag/diag.h"

struct fixture fixture_open(struct slice bytes)
{
    struct fixture fixture = {.fd = memfd_create("fixture", MFD_CLOEXEC)};

    assert_true(fixture.fd >= 0);
    while (bytes.len > 0) {
        ssize_t written = write(fixture.fd, bytes.ptr, bytes.len);

        assert_true(written > 0);
        bytes = slice_range(bytes, (size_t)written, bytes.len);
    }
    snprintf(fixture.path, sizeof(fixture.path), "/proc/self/fd/%d", fixture.fd);
    return fixture;
}

void fixture_close(struct fixture *fixture)
{
    close(fixture->fd);
}

FILE *fixture_stream(struct slice bytes)
{
    FILE *stream = fdopen(fixture_open(bytes).fd, "r");

    assert_non_null(stream);
    rewind(stream);
    return stream;
}

/* A copy of `text` with `from` replaced by `to`. */
static char *replace(const char *text, const char *from, const char *to)
{
    char *result = NULL;
    const char *found;
    size_t len;
    FILE *out = open_memstream(&result, &len);

    while ((found = strstr(text, from))) {
        fwrite(text, 1, (size_t)(found - text), out);
        fputs(to, out);
        text = found + strlen(from);
    }
    fputs(text, out);
    fclose(out);
    return result;
}

char *fixture_findings(struct diag *diag, const char *path, const char *name)
{
    char *text = NULL, *result;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    diag_print(diag, LEVEL_NOTE, out);
    fclose(out);
    result = replace(text, path, name);
    free(text);
    return result;
}

bool fixture_equal(const char *what, const char *want, const char *seen)
{
    size_t line = 1;

    if (strcmp(want, seen) == 0)
        return true;
    for (size_t i = 0; want[i] && want[i] == seen[i]; i++)
        line += want[i] == '\n';
    print_error("%s: line %zu differs; wanted:\n%s\nseen:\n%s\n", what, line, want, seen);
    return false;
}
