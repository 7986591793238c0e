/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_book_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/acme/acme_book.h"
#include "daemon/main/acme_hosts.h"
#include "daemon/main/job.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"

enum {
    BOOK_MODE = 0600,
};

enum book_fate {
    BOOK_UNTRIED,
    BOOK_GOOD,
    BOOK_FAILED,
};

struct acme_book_file {
    struct acme_book_file_options options;
    enum book_fate fate; /* of the last write */
    bool is_changed;     /* since the last write began */
    bool is_stopped;
    struct job *write;
    char *text; /* the job's while it runs; NULL: it does not */
    size_t text_len;
    int result;
    struct err err;
};

/* In the thread pool, as the next one. */
static int book_print(void *context, FILE *out)
{
    const struct acme_book_file *file = context;

    return fwrite(file->text, 1, file->text_len, out) == file->text_len ? 0 : -1;
}

static void book_write(void *context)
{
    struct acme_book_file *file = context;

    file->result = file_replace(file->options.path, BOOK_MODE, book_print, file, &file->err);
}

static void book_written(void *context)
{
    struct acme_book_file *file = context;
    enum book_fate before = file->fate;

    free(file->text);
    file->text = NULL;
    if (file->result != 0) {
        file->fate = BOOK_FAILED;
        if (before != BOOK_FAILED)
            log_line(LOG_ERROR, "acme: no certificates are ordered as long as %s", file->err.msg);
        return;
    }
    file->fate = BOOK_GOOD;
    if (before == BOOK_FAILED)
        log_line(LOG_INFO, "acme: '%s' is written again, and orders go on", file->options.path);
    file->options.written(file->options.context);
}

struct acme_book_file *acme_book_file_new(const struct acme_book_file_options *options)
{
    struct acme_book_file *file = memory_alloc(sizeof(*file));

    *file = (struct acme_book_file){.options = *options};
    file->write = job_new(options->loop, book_write, book_written, file);
    return file;
}

void acme_book_file_read(const struct acme_book_file *file)
{
    const char *path = file->options.path;
    struct arena *arena = arena_new(0);
    struct stat status;
    struct slice text;
    struct err err;
    size_t n_bad;

    if (file_read_regular(path, ACME_BOOK_MAX, arena, &status, &text, &err) == 0) {
        n_bad = acme_hosts_parse_book(file->options.hosts, text);
        if (n_bad > 0)
            log_line(LOG_WARNING, "acme: '%s' has %zu damaged line%s, which %s left out", path,
                     n_bad, n_bad == 1 ? "" : "s", n_bad == 1 ? "is" : "are");
    } else if (err.sys_errno != ENOENT) {
        log_line(LOG_WARNING, "acme: what earlier orders have brought is unknown: '%s' %s", path,
                 err.msg);
    }
    arena_free(arena);
}

void acme_book_file_change(struct acme_book_file *file)
{
    file->is_changed = true;
}

/* What changes while a write is under way is written after it. */
void acme_book_file_save(struct acme_book_file *file)
{
    FILE *out;

    if (file->text || file->is_stopped || (file->fate == BOOK_GOOD && !file->is_changed))
        return;
    file->is_changed = false;
    out = open_memstream(&file->text, &file->text_len);
    if (!out)
        memory_fail();
    acme_hosts_print_book(file->options.hosts, out);
    if (fclose(out) != 0)
        memory_fail();
    job_start(file->write);
}

bool acme_book_file_is_good(const struct acme_book_file *file)
{
    return file->fate == BOOK_GOOD;
}

void acme_book_file_stop(struct acme_book_file *file)
{
    file->is_stopped = true;
}

void acme_book_file_free(struct acme_book_file *file)
{
    if (!file)
        return;
    job_free(file->write);
    free(file->text);
    free(file);
}
