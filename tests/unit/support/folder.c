/* SPDX-License-Identifier: MIT */
#include "support/folder.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char folder_root[64];

void folder_open(void)
{
    snprintf(folder_root, sizeof(folder_root), "/tmp/mta-stsd-unit-XXXXXX");
    assert_non_null(mkdtemp(folder_root));
}

/* Not by a shell: where the spawner was started, the kernel reaps all children. */
static int folder_remove(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void folder_close(void)
{
    assert_int_equal(nftw(folder_root, folder_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *folder_path(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder_root, name);
    return path;
}

void folder_write(const char *name, const char *text)
{
    char temporary[256];
    FILE *out;

    snprintf(temporary, sizeof(temporary), "%s.unit", folder_path(name));
    out = fopen(temporary, "we");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(rename(temporary, folder_path(name)), 0);
}

bool folder_has(const char *name)
{
    return access(folder_path(name), F_OK) == 0;
}

char *folder_read(const char *name)
{
    size_t size = folder_size(name);
    char *text = calloc(1, size + 1);
    FILE *in = fopen(folder_path(name), "re");

    assert_non_null(text);
    if (in) {
        text[fread(text, 1, size, in)] = '\0';
        fclose(in);
    }
    return text;
}

size_t folder_size(const char *name)
{
    struct stat status;

    return stat(folder_path(name), &status) == 0 ? (size_t)status.st_size : 0;
}
