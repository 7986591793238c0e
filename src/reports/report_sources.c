/* SPDX-License-Identifier: MIT */
#include "reports/report_sources.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"
#include "reports/report_file_name.h"
#include "reports/report_magic.h"
#include "reports/report_mail.h"
#include "reports/report_mbox.h"
#include "reports/report_part.h"

/* Where a file was met: what a person names is more than what lies beside it. */
enum source_place {
    SOURCE_NAMED,
    SOURCE_IN_FOLDER,
};

struct source_walk {
    struct report_mail_reader *reader;
    const struct report_taker *taker;
    struct report_counts *counts;
    struct err *err; /* of the taker */
};

static void source_complain(const struct source_walk *walk, const char *path, const struct err *why)
{
    walk->taker->complain(walk->taker->context, path, why);
}

/* Any text may follow; a mail begins with a field. */
static bool is_mail(struct slice bytes)
{
    if (slice_starts_with(bytes, "\xef\xbb\xbf"))
        bytes = slice_range(bytes, 3, bytes.len);
    while (bytes.len > 0 && (bytes.ptr[0] == '\n' || bytes.ptr[0] == '\r'))
        bytes = slice_range(bytes, 1, bytes.len);
    return slice_starts_with(bytes, "From ") || slice_starts_with(bytes, ">From ") ||
           mail_line_may_be_field(slice_range(bytes, 0, slice_find_byte(bytes, '\n')));
}

static int source_give_mail(const struct source_walk *walk, struct slice mail)
{
    size_t n_given;

    if (report_mail_read(walk->reader, mail, walk->taker, &n_given, walk->err) != 0)
        return -1;
    walk->counts->n_mails++;
    walk->counts->n_ordinary += n_given == 0;
    return 0;
}

static int source_give_report(const struct source_walk *walk, struct slice bytes,
                              struct slice file_name, enum report_certainty certainty)
{
    struct report_part part = {.bytes = bytes, .file_name = file_name, .certainty = certainty};

    (void)report_file_name_parse(file_name, &part.domain_hint); /* another name gives no hint */
    if (bytes.len > REPORT_MAIL_MAX) {
        part.bytes = slice_range(bytes, 0, REPORT_EVIDENCE_MAX);
        part.fault = "the file is larger than 16 MiB";
    }
    return walk->taker->take(walk->taker->context, &part, walk->err);
}

static struct slice path_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slice_of(slash ? slash + 1 : path);
}

/* The first thing in a file, which is all of the file unless it is an mbox. */
static int source_give_first(const struct source_walk *walk, const char *path,
                             enum source_place place, struct slice bytes)
{
    struct slice file_name = path_file_name(path);
    bool is_declared = place == SOURCE_NAMED || report_file_name_is_json(file_name);
    struct err why;

    if (report_magic_of(bytes) != REPORT_MAGIC_NONE || report_file_name_is_json(file_name))
        return source_give_report(walk, bytes, file_name,
                                  is_declared ? REPORT_PART_DECLARED : REPORT_PART_POSSIBLE);
    if (is_mail(bytes))
        return source_give_mail(walk, bytes);
    if (place == SOURCE_NAMED) {
        err_set(&why, ERR_SYNTAX, "is neither a TLS report nor a mail");
        source_complain(walk, path, &why);
    } else {
        walk->counts->n_others++;
    }
    return 0;
}

static void source_take_empty(const struct source_walk *walk, const char *path,
                              enum source_place place)
{
    struct err why;

    if (place == SOURCE_IN_FOLDER && !report_file_name_is_json(path_file_name(path))) {
        walk->counts->n_others++;
        return;
    }
    err_set(&why, ERR_SYNTAX, "is empty");
    source_complain(walk, path, &why);
}

/* A pipe that a person names is read, such as a shell's <(...); one in a folder would hold us up.
 */
static int source_read_file(const struct source_walk *walk, const char *path,
                            enum source_place place)
{
    struct report_mbox *mbox;
    struct slice bytes;
    struct err why;
    FILE *in = place == SOURCE_NAMED ? file_open(path, &why) : file_open_regular(path, &why);
    int more, result = 0;

    if (!in) {
        source_complain(walk, path, &why);
        return 0;
    }
    mbox = report_mbox_new(in);
    more = report_mbox_next(mbox, &bytes, &why);
    if (more == 0)
        source_take_empty(walk, path, place);
    else if (more > 0)
        result = source_give_first(walk, path, place, bytes);
    while (result == 0 && more > 0 && (more = report_mbox_next(mbox, &bytes, &why)) > 0)
        result = source_give_mail(walk, bytes);
    if (more < 0)
        source_complain(walk, path, &why);
    else
        walk->counts->n_files++;
    report_mbox_free(mbox);
    file_close(in);
    return result;
}

static bool folder_has_cur(const char *folder, size_t len)
{
    size_t size = len + sizeof("/cur");
    char *path = memory_alloc(size);
    bool has;

    snprintf(path, size, "%.*s/cur", (int)len, folder);
    has = access(path, F_OK) == 0;
    free(path);
    return has;
}

/*
 * What other programs keep for themselves: hidden files and folders, unless the folder is a folder
 * of a Maildir; mails in "tmp" of a Maildir, which are half written.
 */
static bool entry_is_skipped(const FTSENT *entry)
{
    bool is_folder = entry->fts_info == FTS_D;

    if (entry->fts_level == FTS_ROOTLEVEL)
        return false;
    if (entry->fts_name[0] == '.')
        return !is_folder || !folder_has_cur(entry->fts_path, entry->fts_pathlen);
    return is_folder && strcmp(entry->fts_name, "tmp") == 0 &&
           folder_has_cur(entry->fts_path, entry->fts_pathlen - sizeof("/tmp") + 1);
}

static int source_take_entry(const struct source_walk *walk, FTS *tree, FTSENT *entry)
{
    enum source_place place = entry->fts_level == FTS_ROOTLEVEL ? SOURCE_NAMED : SOURCE_IN_FOLDER;
    struct err why;

    if (entry->fts_info == FTS_DP) /* again, on the way up */
        return 0;
    if (entry_is_skipped(entry)) {
        fts_set(tree, entry, FTS_SKIP);
        return 0;
    }
    switch (entry->fts_info) {
    case FTS_F:
        return source_read_file(walk, entry->fts_path, place);
    case FTS_DEFAULT: /* a pipe, a device */
        if (place == SOURCE_NAMED)
            return source_read_file(walk, entry->fts_path, place);
        walk->counts->n_others++;
        return 0;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
    case FTS_SLNONE:
        err_io(&why, entry->fts_errno ? entry->fts_errno : ENOENT, "cannot be read");
        source_complain(walk, entry->fts_path, &why);
        return 0;
    default: /* a folder, whose files come next; a folder within itself */
        return 0;
    }
}

static int entry_compare(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

int report_sources_read(struct report_mail_reader *reader, const char *path,
                        const struct report_taker *taker, struct report_counts *counts,
                        struct err *err)
{
    struct source_walk walk = {.reader = reader, .taker = taker, .counts = counts, .err = err};
    char *own_path = memory_alloc(strlen(path) + 1); /* fts_open() wants to own the text */
    char *const paths[] = {strcpy(own_path, path), NULL};
    FTS *tree = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, entry_compare);
    FTSENT *entry;
    struct err why;
    int result = 0;

    if (!tree) {
        err_io(&why, errno, "cannot be read");
        source_complain(&walk, path, &why);
    }
    while (tree && result == 0 && (entry = fts_read(tree)))
        result = source_take_entry(&walk, tree, entry);
    if (tree)
        fts_close(tree);
    free(own_path);
    return result;
}

/* Reads one thing, however many lines in it look like those of an mbox. */
static int piped_read(FILE *in, char *buffer, struct slice *ret_bytes, struct err *err)
{
    char skipped[4096];
    size_t len = fread(buffer, 1, REPORT_MAIL_MAX + 1, in);

    /* An MTA whose pipe closes early takes the mail for undelivered. */
    while (!ferror(in) && fread(skipped, 1, sizeof(skipped), in) > 0)
        ;
    if (ferror(in))
        return err_io(err, errno, "standard input cannot be read");
    *ret_bytes = (struct slice){buffer, len};
    return 0;
}

int report_sources_read_mail(struct report_mail_reader *reader, FILE *in,
                             const struct report_taker *taker, struct report_counts *counts,
                             struct err *err)
{
    struct source_walk walk = {.reader = reader, .taker = taker, .counts = counts, .err = err};
    char *buffer = memory_alloc(REPORT_MAIL_MAX + 1);
    struct slice bytes = {0};
    int status = EX_OK;

    if (piped_read(in, buffer, &bytes, err) != 0) {
        status = EX_TEMPFAIL;
    } else if (report_magic_of(bytes) != REPORT_MAGIC_NONE) {
        if (source_give_report(&walk, bytes, (struct slice){0}, REPORT_PART_DECLARED) != 0)
            status = EX_TEMPFAIL;
    } else if (is_mail(bytes)) {
        if (source_give_mail(&walk, bytes) != 0)
            status = EX_TEMPFAIL;
    } else {
        err_set(err, ERR_SYNTAX,
                bytes.len == 0 ? "standard input is empty"
                               : "standard input is neither a TLS report nor a mail");
        status = EX_DATAERR;
    }
    free(buffer);
    return status;
}
