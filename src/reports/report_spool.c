/* SPDX-License-Identifier: MIT */
#include "reports/report_spool.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/state/spool.h"
#include "reports/state_file.h"

enum {
    SPOOL_TRIES_MAX = 2, /* a reader may also have been ended by what was before */
};

/* The names of a directory's files, the oldest first. */
struct spool_names {
    char **list;
    size_t n, room;
};

struct report_spool {
    char *path;   /* of the directory */
    char *failed; /* of the directory below */
    int mark;     /* the file that says which report is tried; locked */
    struct spool_names names;
    size_t next;        /* of names */
    size_t first_given; /* of names: since the last report_spool_forget() */
    size_t n_failed;
    char tried[NAME_MAX + 1]; /* the report that ended an earlier reader; "": none */
    int n_tries;              /* of it */
};

static void spool_names_free(struct spool_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->list[i]);
    free(names->list);
}

static void spool_names_add(struct spool_names *names, const char *name)
{
    size_t size = strlen(name) + 1;

    if (names->n == names->room) {
        names->room = names->room > 0 ? 2 * names->room : 64;
        names->list = memory_resize(names->list, names->room, sizeof(*names->list));
    }
    names->list[names->n] = memory_alloc(size);
    memcpy(names->list[names->n++], name, size);
}

/* Names begin with the time of their arrival, in a number of digits that is the same for 270 years.
 */
static int name_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The files of a directory but those that are being written; there may be no directory. */
static int spool_names_read(struct spool_names *names, const char *path, struct err *err)
{
    DIR *stream = opendir(path);
    const struct dirent *file;
    int reason;

    if (!stream)
        return errno == ENOENT ? 0 : err_io(err, errno, "'%s' cannot be read", path);
    errno = 0;
    while ((file = readdir(stream))) {
        if (file->d_name[0] != '.' && strcmp(file->d_name, SPOOL_FAILED_DIRECTORY) != 0)
            spool_names_add(names, file->d_name);
        errno = 0;
    }
    reason = errno;
    closedir(stream);
    if (names->n > 0)
        qsort(names->list, names->n, sizeof(*names->list), name_compare);
    return reason == 0 ? 0 : err_io(err, reason, "'%s' cannot be read", path);
}

/* "NAME TRIES" of the report that an earlier reader had not finished when it ended. */
static void mark_read(struct report_spool *spool)
{
    char text[NAME_MAX + 16];
    ssize_t len = pread(spool->mark, text, sizeof(text) - 1, 0);
    char *space;

    if (len <= 0)
        return;
    text[len] = '\0';
    space = strchr(text, ' ');
    if (!space || (size_t)(space - text) >= sizeof(spool->tried))
        return;
    *space = '\0';
    memcpy(spool->tried, text, strlen(text) + 1);
    spool->n_tries = space[1] >= '1' && space[1] <= '9' ? space[1] - '0' : SPOOL_TRIES_MAX;
}

/* Not synced: it has to outlive this process, not the machine. Without it a report is tried for
 * ever, no worse; so a disk that is full does not keep others from being read. */
static void mark_write(const struct report_spool *spool, const char *name, int n_tries)
{
    char text[NAME_MAX + 16];
    int len = snprintf(text, sizeof(text), "%s %d\n", name, n_tries);

    if (ftruncate(spool->mark, 0) == 0 && pwrite(spool->mark, text, (size_t)len, 0) != len)
        return;
}

static void mark_clear(const struct report_spool *spool)
{
    if (ftruncate(spool->mark, 0) != 0)
        return;
}

static int mark_open(struct report_spool *spool, const char *state_directory, struct err *err)
{
    spool->mark = state_file_open(state_directory, REPORT_SPOOL_MARK, err);
    if (spool->mark < 0)
        return -1;
    if (flock(spool->mark, LOCK_EX | LOCK_NB) != 0) {
        close(spool->mark); /* and leaves the mark of the other one */
        spool->mark = -1;
        return err_set(err, ERR_CONFIG, "another process reads the reports in '%s'", spool->path);
    }
    mark_read(spool);
    return 0;
}

/* The report that ended an earlier reader comes first: others would take its mark. */
static void names_put_first(struct spool_names *names, const char *first)
{
    for (size_t i = 0; i < names->n; i++) {
        char *name = names->list[i];

        if (strcmp(name, first) != 0)
            continue;
        memmove(names->list + 1, names->list, i * sizeof(*names->list));
        names->list[0] = name;
        return;
    }
}

int report_spool_open(const char *state_directory, struct report_spool **ret_spool, struct err *err)
{
    struct report_spool *spool = memory_alloc(sizeof(*spool));

    *spool = (struct report_spool){.path = file_path_below(state_directory, SPOOL_DIRECTORY)};
    spool->failed = file_path_below(spool->path, SPOOL_FAILED_DIRECTORY);
    if (mark_open(spool, state_directory, err) != 0 ||
        spool_names_read(&spool->names, spool->path, err) != 0) {
        report_spool_close(spool);
        return -1;
    }
    names_put_first(&spool->names, spool->tried);
    *ret_spool = spool;
    return 0;
}

void report_spool_close(struct report_spool *spool)
{
    if (!spool)
        return;
    spool_names_free(&spool->names);
    if (spool->mark >= 0) {
        mark_clear(spool); /* who gets here has not been ended by a report */
        close(spool->mark);
    }
    free(spool->failed);
    free(spool->path);
    free(spool);
}

static int reason_print(void *context, FILE *out)
{
    fprintf(out, "%s\n", (const char *)context);
    return ferror(out);
}

/* The oldest go, with their reasons, and reasons without a report. */
static int failed_bound(const struct report_spool *spool, struct err *err)
{
    struct spool_names names = {0};
    int result = spool_names_read(&names, spool->failed, err);
    size_t n_files_max = 2 * (size_t)REPORT_SPOOL_FAILED_MAX;

    for (size_t i = 0; result == 0 && i + n_files_max < names.n; i++) {
        char *path = file_path_below(spool->failed, names.list[i]);

        if (unlink(path) != 0 && errno != ENOENT)
            result = err_io(err, errno, "'%s' cannot be removed", path);
        free(path);
    }
    spool_names_free(&names);
    return result;
}

/* Puts a file of the spool aside, with the reason beside it. */
static int spool_put_aside(struct report_spool *spool, const char *name, char *reason,
                           struct err *err)
{
    char *from = file_path_below(spool->path, name), *to = file_path_below(spool->failed, name);
    size_t size = strlen(to) + sizeof(".reason");
    char *beside = memory_alloc(size);
    int result = 0;

    snprintf(beside, size, "%s.reason", to);
    if (mkdir(spool->failed, 0700) != 0 && errno != EEXIST)
        result = err_io(err, errno, "'%s' cannot be made", spool->failed);
    if (result == 0)
        result = file_replace(beside, 0600, reason_print, reason, err);
    if (result == 0 && rename(from, to) != 0 && errno != ENOENT)
        result = err_io(err, errno, "'%s' cannot be put aside", from);
    if (result == 0)
        result = failed_bound(spool, err);
    spool->n_failed++;
    free(beside);
    free(to);
    free(from);
    return result;
}

/* Returns 0, or -1 with *err set: ERR_SYNTAX and ERR_LIMIT (no report of the spool), ERR_IO. */
static int spooled_load(const struct report_spool *spool, const char *name, struct arena *arena,
                        struct spooled_report *ret_report, struct err *err)
{
    char *path = file_path_below(spool->path, name);
    struct spool_entry entry;
    struct stat status;
    struct slice bytes;
    int result = file_read_regular(path, REPORT_SPOOL_FILE_MAX, arena, &status, &bytes, err);

    free(path);
    if (result != 0 || spool_entry_parse(bytes, &entry, err) != 0)
        return -1;
    *ret_report = (struct spooled_report){
        .body = entry.body,
        .content_type = entry.content_type,
        .meta = {.received_unix_s = entry.received_unix_s,
                 .transport = REPORT_BY_HTTPS,
                 .proof = REPORT_PROOF_NONE,
                 .host = entry.host,
                 .peer = entry.peer},
    };
    return 0;
}

/* Whether a report has ended readers so often that it is not to be tried again; marks it if not. */
static bool spool_is_too_often(struct report_spool *spool, const char *name)
{
    int n_before = strcmp(name, spool->tried) == 0 ? spool->n_tries : 0;

    if (n_before >= SPOOL_TRIES_MAX)
        return true;
    mark_write(spool, name, n_before + 1);
    return false;
}

int report_spool_next(struct report_spool *spool, struct arena *arena,
                      struct spooled_report *ret_report, struct err *err)
{
    static char too_often[] = "mta-stsd-reports ended twice while it read this report";

    while (spool->next < spool->names.n) {
        const char *name = spool->names.list[spool->next++];
        struct err why;

        if (spool_is_too_often(spool, name)) {
            if (spool_put_aside(spool, name, too_often, err) != 0)
                return -1;
        } else if (spooled_load(spool, name, arena, ret_report, &why) == 0) {
            return 1;
        } else if (why.code != ERR_IO) {
            if (spool_put_aside(spool, name, why.msg, err) != 0)
                return -1;
        } else if (why.sys_errno != ENOENT) {
            *err = why;
            return -1;
        }
    }
    return 0;
}

int report_spool_forget(struct report_spool *spool, struct err *err)
{
    for (; spool->first_given < spool->next; spool->first_given++) {
        char *path = file_path_below(spool->path, spool->names.list[spool->first_given]);
        int code = unlink(path) == 0 ? 0 : errno;

        if (code != 0 && code != ENOENT)
            err_io(err, code, "'%s' cannot be removed", path);
        free(path);
        if (code != 0 && code != ENOENT)
            return -1;
    }
    mark_clear(spool);
    return 0;
}

size_t report_spool_n_failed(const struct report_spool *spool)
{
    return spool->n_failed;
}
