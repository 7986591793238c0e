/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"

enum {
    FILE_MODE = 0644,
};

struct ledger_writer {
    char *path;
    int fd; /* for reading, and for writing at the end */
    pthread_mutex_t lock;
};

static int writer_fail(const struct ledger_writer *writer, const char *what, struct err *err)
{
    return err_io(err, errno, "'%s' cannot be %s", writer->path, what);
}

/* Opens and locks the file. */
static int writer_open_file(struct ledger_writer *writer, struct err *err)
{
    writer->fd =
        open(writer->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (writer->fd < 0)
        return writer_fail(writer, "opened", err);
    if (flock(writer->fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFIG, "'%s' is in use by another mta-stsd", writer->path);
    return 0;
}

static int writer_read_bytes(const struct ledger_writer *writer, struct arena *arena,
                             struct slice *ret_bytes, struct err *err)
{
    struct stat status;
    size_t size, len = 0;
    char *bytes;

    if (fstat(writer->fd, &status) != 0)
        return writer_fail(writer, "read", err);
    if (status.st_size > LEDGER_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "'%s' is larger than %d MiB", writer->path,
                       LEDGER_BYTES_MAX >> 20);
    size = (size_t)status.st_size;
    bytes = arena_alloc(arena, size + 1);
    while (len < size) {
        ssize_t n = pread(writer->fd, bytes + len, size - len, (off_t)len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return writer_fail(writer, "read", err);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret_bytes = (struct slice){bytes, len};
    return 0;
}

/* Reads the ledger from the open file. */
static int writer_read(const struct ledger_writer *writer, struct ledger **ret_ledger,
                       struct err *err)
{
    struct arena *arena = arena_new_large();
    struct slice bytes = {"", 0};
    int result = writer_read_bytes(writer, arena, &bytes, err);

    if (result == 0) {
        /* The head itself may be cut: nothing was ever written after it. */
        if (bytes.len < sizeof(LEDGER_HEAD) - 1 && memcmp(bytes.ptr, LEDGER_HEAD, bytes.len) == 0)
            bytes.len = 0;
        result = ledger_read_bytes(bytes, arena, NULL, ret_ledger, err);
        if (result != 0)
            err_set(err, ERR_SYNTAX, "'%s' %s", writer->path, err->msg);
    }
    if (result != 0)
        arena_free(arena);
    return result;
}

/* The same, after half a line at the end was dropped. */
static int writer_read_repaired(const struct ledger_writer *writer, struct ledger **ret_ledger,
                                struct err *err)
{
    if (writer_read(writer, ret_ledger, err) != 0)
        return -1;
    if (ftruncate(writer->fd, (off_t)ledger_whole_len(*ret_ledger)) == 0)
        return 0;
    ledger_free(*ret_ledger);
    *ret_ledger = NULL;
    return writer_fail(writer, "repaired", err);
}

int ledger_writer_read(struct ledger_writer *writer, struct ledger **ret_ledger, struct err *err)
{
    int result;

    pthread_mutex_lock(&writer->lock);
    result = writer_read(writer, ret_ledger, err);
    pthread_mutex_unlock(&writer->lock);
    return result;
}

static int writer_write(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes = slice_range(bytes, (size_t)n, bytes.len);
    }
    return fdatasync(fd);
}

/* Appends whole lines behind the first whole_len bytes, or nothing. */
static int writer_append(const struct ledger_writer *writer, size_t whole_len, struct slice lines,
                         struct err *err)
{
    if (lines.len == 0)
        return 0;
    if ((whole_len == 0 && writer_write(writer->fd, slice_of(LEDGER_HEAD)) != 0) ||
        writer_write(writer->fd, lines) != 0) {
        int sys_errno = errno;

        /* If this fails too, the next call drops what is half a line, and the rest is true. */
        if (ftruncate(writer->fd, (off_t)whole_len) != 0)
            log_line(LOG_WARNING, "'%s' cannot be cut back: %s", writer->path, strerror(errno));
        errno = sys_errno;
        return writer_fail(writer, "written", err);
    }
    return 0;
}

static void event_print(int64_t at_unix_s, enum ledger_event event, struct slice domain, FILE *out)
{
    ledger_line_print(
        &(struct ledger_line){.at_unix_s = at_unix_s, .event = event, .domain = domain}, out);
}

static void period_print(const char *name, const struct ledger_period *period, int64_t ends_unix_s,
                         FILE *out)
{
    const struct slice domain = slice_of(name);

    ledger_line_print(
        &(struct ledger_line){period->from_unix_s, LEDGER_SERVES, domain, period->policy}, out);
    if (ends_unix_s != 0)
        event_print(ends_unix_s, LEDGER_ENDS, domain, out);
}

/* Prints what is not forgotten of a domain, the earliest first. */
static void domain_print(const struct ledger_domain *domain, int64_t oldest_unix_s, FILE *out)
{
    const struct ledger_period **kept = NULL;
    size_t n = 0;

    if (domain->fetchable_unix_s != 0)
        event_print(domain->fetchable_unix_s, LEDGER_FETCHABLE, slice_of(domain->name), out);
    for (const struct ledger_period *at = domain->latest; at; at = at->earlier) {
        if (at->until_unix_s != 0 && at->until_unix_s < oldest_unix_s)
            break;
        kept = memory_resize(kept, n + 1, sizeof(*kept));
        kept[n++] = at;
    }
    while (n-- > 0) {
        bool goes_on = n > 0 && kept[n - 1]->from_unix_s == kept[n]->until_unix_s;

        period_print(domain->name, kept[n], goes_on ? 0 : kept[n]->until_unix_s, out);
    }
    free(kept);
}

struct writer_rewrite {
    const struct ledger *ledger;
    int64_t oldest_unix_s;
};

static int ledger_print(void *context, FILE *out)
{
    const struct writer_rewrite *rewrite = context;
    const struct ledger_domain *domain = NULL;

    fputs(LEDGER_HEAD, out);
    while ((domain = ledger_next(rewrite->ledger, domain)))
        domain_print(domain, rewrite->oldest_unix_s, out);
    return ferror(out);
}

/* A ledger that cannot be written anew is still a good one. */
static int writer_forget(struct ledger_writer *writer, const struct ledger *ledger,
                         int64_t now_unix_s, struct err *err)
{
    struct writer_rewrite rewrite = {ledger, now_unix_s - LEDGER_KEPT_S};

    if (ledger_whole_len(ledger) <= LEDGER_LARGE)
        return 0;
    if (file_replace(writer->path, FILE_MODE, ledger_print, &rewrite, err) != 0) {
        log_line(LOG_WARNING, "the ledger cannot be written anew without what is old: %s",
                 err->msg);
        return 0;
    }
    close(writer->fd);
    return writer_open_file(writer, err);
}

static int writer_prepare(struct ledger_writer *writer, int64_t now_unix_s, struct err *err)
{
    struct ledger *ledger = NULL;
    int result = writer_open_file(writer, err);

    if (result == 0)
        result = writer_read_repaired(writer, &ledger, err);
    if (result == 0)
        result = writer_forget(writer, ledger, now_unix_s, err);
    ledger_free(ledger);
    return result;
}

int ledger_writer_open(const char *directory, int64_t now_unix_s, struct ledger_writer **ret_writer,
                       struct err *err)
{
    struct ledger_writer *writer = memory_alloc(sizeof(*writer));

    *writer = (struct ledger_writer){.path = file_path_below(directory, LEDGER_FILE), .fd = -1};
    pthread_mutex_init(&writer->lock, NULL);
    if (writer_prepare(writer, now_unix_s, err) != 0) {
        ledger_writer_close(writer);
        return -1;
    }
    *ret_writer = writer;
    return 0;
}

void ledger_writer_close(struct ledger_writer *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    pthread_mutex_destroy(&writer->lock);
    free(writer->path);
    free(writer);
}

static struct slice mx_join(const struct policy *policy, struct arena *arena)
{
    size_t size = 1;
    char *joined, *to;

    for (size_t i = 0; i < policy->n_mx; i++)
        size += policy->mx[i].len + 1;
    joined = to = arena_alloc(arena, size);
    for (size_t i = 0; i < policy->n_mx; i++) {
        if (i > 0)
            *to++ = ',';
        to = mempcpy(to, policy->mx[i].ptr, policy->mx[i].len);
    }
    return (struct slice){joined, (size_t)(to - joined)};
}

static struct ledger_policy policy_of(const struct config *config, const struct domain *domain,
                                      struct arena *arena)
{
    const struct policy_document *document = domain->document;
    const struct slice delegation_zone = slice_of(config->delegation_zone);

    return (struct ledger_policy){
        .id = slice_of(document->id),
        .mode = document->policy.mode,
        .max_age_s = document->policy.max_age_s,
        .zone = slice_of(domain->zone),
        .mta_sts_zone = domain->delegated & DELEGATED_MTA_STS ? delegation_zone : (struct slice){0},
        .tls_rpt_zone = domain->delegated & DELEGATED_TLS_RPT ? delegation_zone : (struct slice){0},
        .has_tls_rpt = domain->reporting != NULL,
        .mx = mx_join(&document->policy, arena),
    };
}

static void record_served(const struct ledger *ledger, const struct config *config,
                          int64_t now_unix_s, FILE *out)
{
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < config->n_domains; i++) {
        const struct domain *domain = &config->domains[i];
        const struct slice name = slice_of(domain->name);
        const struct ledger_domain *known = ledger_find(ledger, name);
        struct ledger_line line = {.at_unix_s = now_unix_s, .event = LEDGER_SERVES, .domain = name};

        if (!domain->document)
            continue;
        line.policy = policy_of(config, domain, arena);
        if (!known || !known->latest || known->latest->until_unix_s != 0 ||
            !ledger_policy_eq(&known->latest->policy, &line.policy))
            ledger_line_print(&line, out);
        arena_reset(arena);
    }
    arena_free(arena);
}

static void record_ended(const struct ledger *ledger, const struct config *config,
                         int64_t now_unix_s, FILE *out)
{
    const struct ledger_domain *known = NULL;

    while ((known = ledger_next(ledger, known))) {
        const struct slice name = slice_of(known->name);
        const struct domain *domain = config_find_domain(config, name);

        if (known->latest && known->latest->until_unix_s == 0 && (!domain || !domain->document))
            event_print(now_unix_s, LEDGER_ENDS, name, out);
    }
}

/* What is to be appended to the ledger as it is. */
struct writer_change {
    const struct config *config;
    const size_t *domains; /* that are fetchable; NULL: all, as they are served */
    size_t n_domains;
    int64_t now_unix_s;
};

static void change_print(const struct writer_change *change, const struct ledger *ledger, FILE *out)
{
    if (!change->domains) {
        record_served(ledger, change->config, change->now_unix_s, out);
        record_ended(ledger, change->config, change->now_unix_s, out);
        return;
    }
    for (size_t i = 0; i < change->n_domains; i++) {
        const struct slice name = slice_of(change->config->domains[change->domains[i]].name);
        const struct ledger_domain *known = ledger_find(ledger, name);

        if (!known || known->fetchable_unix_s == 0)
            event_print(change->now_unix_s, LEDGER_FETCHABLE, name, out);
    }
}

static int writer_change(struct ledger_writer *writer, const struct writer_change *change,
                         struct err *err)
{
    struct ledger *ledger = NULL;
    char *lines = NULL;
    size_t len = 0;
    FILE *out;
    int result;

    pthread_mutex_lock(&writer->lock);
    result = writer_read_repaired(writer, &ledger, err);
    if (result == 0) {
        out = open_memstream(&lines, &len);
        change_print(change, ledger, out);
        fclose(out);
        result = writer_append(writer, ledger_whole_len(ledger), (struct slice){lines, len}, err);
        free(lines);
        ledger_free(ledger);
    }
    pthread_mutex_unlock(&writer->lock);
    return result;
}

int ledger_writer_record(struct ledger_writer *writer, const struct config *config,
                         int64_t now_unix_s, struct err *err)
{
    return writer_change(writer,
                         &(struct writer_change){.config = config, .now_unix_s = now_unix_s}, err);
}

int ledger_writer_mark_fetchable(struct ledger_writer *writer, const struct config *config,
                                 const size_t *domains, size_t n_domains, int64_t now_unix_s,
                                 struct err *err)
{
    return writer_change(writer, &(struct writer_change){config, domains, n_domains, now_unix_s},
                         err);
}
