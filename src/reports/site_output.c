/* SPDX-License-Identifier: MIT */
#include "reports/site_output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/site_assets.h"

struct site_output {
    char *path, *new_path;
    int fd; /* of the new folder, locked; -1: there is none */
    FILE *file;
    const char *name; /* of the file */
};

/* Whether a site has files of this name: one of a later version may have more. */
static bool site_name_is_ours(const char *name)
{
    struct slice text = slice_of(name);

    for (size_t i = 0; i < site_assets_count(); i++)
        if (slice_eq_text(text, site_assets_at(i)->name))
            return true;
    return slice_starts_with(text, SITE_DATA_PREFIX) && slice_ends_with(text, ".js");
}

static char *site_path_join(const char *path, const char *end)
{
    struct slice whole = slice_of(path);
    char *joined = memory_alloc(whole.len + strlen(end) + 1);

    while (whole.len > 1 && whole.ptr[whole.len - 1] == '/')
        whole.len--;
    memcpy(joined, whole.ptr, whole.len);
    strcpy(joined + whole.len, end);
    return joined;
}

/* Checks that the folder has nothing else in it, or removes all that is in it. */
static int site_folder_visit(const char *path, bool removes, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), result = 0;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!folder)
        return errno == ENOENT ? 0 : err_io(err, errno, "'%s' cannot be opened", path);
    while (result == 0 && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!site_name_is_ours(entry->d_name))
            result = err_set(err, ERR_CONFIG,
                             "'%s' has '%s' in it, which is no file of the site; name a new or an "
                             "empty folder",
                             path, entry->d_name);
        else if (removes && unlinkat(fd, entry->d_name, 0) != 0)
            result = err_io(err, errno, "'%s/%s' cannot be removed", path, entry->d_name);
    }
    closedir(folder);
    return result;
}

/* A run that has just ended may have put the folder that was opened into the other's place. */
static bool site_output_has_new(const struct site_output *output)
{
    struct stat opened, named;

    return flock(output->fd, LOCK_EX | LOCK_NB) == 0 && fstat(output->fd, &opened) == 0 &&
           stat(output->new_path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static int site_output_make_new(struct site_output *output, struct err *err)
{
    if (mkdir(output->new_path, 0777) != 0 && errno != EEXIST)
        return err_io(err, errno, "'%s' cannot be made", output->new_path);
    output->fd = open(output->new_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (output->fd < 0)
        return err_io(err, errno, "'%s' cannot be opened", output->new_path);
    if (site_output_has_new(output))
        return site_folder_visit(output->new_path, true, err); /* of a run that was killed */
    close(output->fd);
    output->fd = -1; /* the folder is not ours to remove */
    return err_set(err, ERR_CONFIG, "'%s' is being written by another run", output->path);
}

int site_output_open(const char *directory, struct site_output **ret_output, struct err *err)
{
    struct site_output *output = memory_alloc(sizeof(*output));

    *output = (struct site_output){.path = site_path_join(directory, ""),
                                   .new_path = site_path_join(directory, ".new"),
                                   .fd = -1};
    if (site_folder_visit(output->path, false, err) != 0 ||
        site_output_make_new(output, err) != 0) {
        site_output_free(output);
        return -1;
    }
    *ret_output = output;
    return 0;
}

FILE *site_output_begin(struct site_output *output, const char *name, struct err *err)
{
    int fd = openat(output->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);

    output->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!output->file)
        err_io(err, errno, "'%s/%s' cannot be written", output->new_path, name);
    output->name = name;
    return output->file;
}

int site_output_end(struct site_output *output, struct err *err)
{
    FILE *file = output->file;
    bool is_bad = ferror(file) != 0;

    output->file = NULL;
    errno = EIO;
    if (fclose(file) == 0 && !is_bad)
        return 0;
    return err_io(err, errno, "'%s/%s' cannot be written", output->new_path, output->name);
}

int site_output_publish(struct site_output *output, struct err *err)
{
    if (renameat2(AT_FDCWD, output->new_path, AT_FDCWD, output->path, RENAME_EXCHANGE) == 0)
        return 0;
    /* There is none yet, or the file system cannot exchange two; then an empty one gives way. */
    if (errno == EINVAL && site_folder_visit(output->path, true, err) != 0)
        return -1;
    if (rename(output->new_path, output->path) != 0)
        return err_io(err, errno, "'%s' cannot be put into its place", output->path);
    return 0;
}

void site_output_free(struct site_output *output)
{
    struct err err;

    if (!output)
        return;
    if (output->file)
        fclose(output->file);
    /* What lies there now was replaced or is unfinished; if it stays, the next run removes it. */
    if (output->fd >= 0 && site_folder_visit(output->new_path, true, &err) == 0)
        rmdir(output->new_path);
    if (output->fd >= 0)
        close(output->fd);
    free(output->path);
    free(output->new_path);
    free(output);
}
