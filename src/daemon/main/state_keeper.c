/* SPDX-License-Identifier: MIT */
#include "daemon/main/state_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/confine/privileges.h"
#include "daemon/main/job.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "lib/state/ledger_writer.h"
#include "lib/state/published.h"

enum {
    DIRECTORY_MODE = 0755,
};

struct state_keeper {
    char *directory;
    const struct clock *clock;
    struct ledger_writer *writer;
    pthread_mutex_t lock; /* of has_recorded, and held while it is made true */
    bool has_recorded;
    struct job *job;      /* that records what is served since the start */
    struct config *first; /* its own; NULL when it has ended */
    _Atomic uint64_t *n_failures;
};

/* Makes the directory if it is missing. One that exists keeps its owner, whoever that is. */
static int keeper_make_directory(const char *directory, const struct account *account,
                                 struct err *err)
{
    if (mkdir(directory, DIRECTORY_MODE) == 0)
        return account_chown(account, directory, err);
    return errno == EEXIST ? 0 : err_io(err, errno, "'%s' cannot be made", directory);
}

static int keeper_open(const char *directory, const struct account *account, int64_t now_unix_s,
                       struct ledger_writer **ret_writer, struct err *err)
{
    char *path;
    int result = keeper_make_directory(directory, account, err);

    if (result == 0)
        result = ledger_writer_open(directory, now_unix_s, ret_writer, err);
    if (result != 0)
        return -1;
    path = file_path_below(directory, LEDGER_FILE);
    result = account_chown(account, path, err); /* the next start may be the account's own */
    free(path);
    return result;
}

struct state_keeper *state_keeper_new(const char *directory, const struct account *account,
                                      const struct clock *clock, _Atomic uint64_t *n_failures)
{
    struct state_keeper *keeper;
    struct ledger_writer *writer = NULL;
    struct err err;

    if (!directory)
        return NULL;
    if (keeper_open(directory, account, clock->unix_s(clock), &writer, &err) != 0) {
        atomic_fetch_add(n_failures, 1);
        log_line(LOG_ERROR,
                 "state: %s; policies are served, but nothing is kept of what was served when",
                 err.msg);
        ledger_writer_close(writer);
        return NULL;
    }
    keeper = memory_alloc(sizeof(*keeper));
    *keeper = (struct state_keeper){
        .directory = strdup(directory), .clock = clock, .writer = writer, .n_failures = n_failures};
    if (!keeper->directory)
        memory_fail();
    pthread_mutex_init(&keeper->lock, NULL);
    return keeper;
}

void state_keeper_free(struct state_keeper *keeper)
{
    if (!keeper)
        return;
    ledger_writer_close(keeper->writer);
    pthread_mutex_destroy(&keeper->lock);
    job_free(keeper->job);
    config_unref(keeper->first);
    free(keeper->directory);
    free(keeper);
}

static void keeper_judge(struct state_keeper *keeper, int result, const struct err *err)
{
    if (result == 0)
        return;
    atomic_fetch_add(keeper->n_failures, 1);
    log_line(LOG_ERROR, "state: %s; it is tried again after the next reload or certificate",
             err->msg);
}

static void keeper_record(struct state_keeper *keeper, const struct config *config, bool is_first)
{
    struct err err;

    pthread_mutex_lock(&keeper->lock);
    if (!is_first || !keeper->has_recorded)
        keeper_judge(keeper,
                     ledger_writer_record(keeper->writer, config,
                                          keeper->clock->unix_s(keeper->clock), &err),
                     &err);
    keeper->has_recorded = true;
    pthread_mutex_unlock(&keeper->lock);
}

static void keeper_work(void *context)
{
    struct state_keeper *keeper = context;

    keeper_record(keeper, keeper->first, true);
}

static void keeper_done(void *context)
{
    struct state_keeper *keeper = context;

    config_unref(keeper->first);
    keeper->first = NULL;
}

void state_keeper_begin(struct state_keeper *keeper, struct uv_loop_s *loop, struct config *config)
{
    if (!keeper)
        return;
    keeper->first = config_ref(config);
    keeper->job = job_new(loop, keeper_work, keeper_done, keeper);
    job_start(keeper->job);
}

void state_keeper_record(struct state_keeper *keeper, const struct config *config)
{
    if (keeper)
        keeper_record(keeper, config, false);
}

struct ledger *state_keeper_read(struct state_keeper *keeper)
{
    struct ledger *ledger = NULL;
    struct err err;

    if (keeper)
        keeper_judge(keeper, ledger_writer_read(keeper->writer, &ledger, &err), &err);
    return ledger;
}

void state_keeper_mark_fetchable(struct state_keeper *keeper, const struct config *config,
                                 const size_t *domains, size_t n_domains)
{
    struct err err;

    if (keeper)
        keeper_judge(keeper,
                     ledger_writer_mark_fetchable(keeper->writer, config, domains, n_domains,
                                                  keeper->clock->unix_s(keeper->clock), &err),
                     &err);
}

int state_keeper_compare(struct state_keeper *keeper, const struct config *config,
                         struct published_counts *ret_counts, struct err *err)
{
    struct ledger *ledger;
    int result = ledger_writer_read(keeper->writer, &ledger, err);

    if (result != 0)
        return -1;
    result = published_compare(keeper->directory, config, ledger,
                               keeper->clock->unix_s(keeper->clock), ret_counts, err);
    ledger_free(ledger);
    return result;
}

int state_keeper_open_changes(const struct state_keeper *keeper, struct err *err)
{
    char *path = file_path_below(keeper->directory, PUBLISHED_CHANGES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        err_io(err, errno, "'%s' cannot be read", path);
    free(path);
    return fd;
}

int state_keeper_accept(const struct state_keeper *keeper, struct err *err)
{
    return published_accept(keeper->directory, err);
}
