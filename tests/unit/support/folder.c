/* SPDX-License-Identifier: MIT */
#include "support/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

unsigned folder_count(const char *name, const char *text)
{
    char *all = folder_read(name);
    unsigned n = 0;

    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        n++;
    free(all);
    return n;
}

void folder_expect(const char *name, const char *text)
{
    if (folder_count(name, text) == 0)
        fail_msg("expected '%s' in %s, found '%s'", text, name, folder_read(name));
}

size_t folder_size(const char *name)
{
    struct stat status;

    return stat(folder_path(name), &status) == 0 ? (size_t)status.st_size : 0;
}

int folder_capture(const char *name, int fd)
{
    int file = open(folder_path(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int saved_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    assert_true(file >= 0 && saved_fd >= 0);
    assert_int_equal(dup2(file, fd), fd);
    close(file);
    return saved_fd;
}

void folder_release(const char *name, int fd, int saved_fd)
{
    char *text = folder_read(name);

    assert_int_equal(dup2(saved_fd, fd), fd);
    close(saved_fd);
    dprintf(fd, "%s", text);
    free(text);
}
