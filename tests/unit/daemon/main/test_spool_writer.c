/* SPDX-License-Identifier: MIT */
#include "daemon/main/spool_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

static char directory[64];
static _Atomic uint64_t n_failures;
static atomic_uint n_waiting_calls;
static sem_t is_waiting;

/* A job of the test's: who waits for it is told. */
struct test_job {
    struct report_job job;
    sem_t is_done;
};

static void job_done_in_test(struct report_job *job)
{
    sem_post(&((struct test_job *)job)->is_done);
}

static void on_waiting(void *context)
{
    (void)context;
    atomic_fetch_add(&n_waiting_calls, 1);
    sem_post(&is_waiting);
}

static int open_directory(void **state)
{
    (void)state;
    n_failures = 0;
    n_waiting_calls = 0;
    sem_init(&is_waiting, 0, 0);
    snprintf(directory, sizeof(directory), "/tmp/spool-writer-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *level)
{
    (void)status, (void)kind, (void)level;
    return remove(path);
}

static int close_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The name of the directory goes, as it goes with a configuration that a reload replaces. */
static struct spool_writer *open_writer(size_t files_max)
{
    char *name = strdup(directory);
    const struct spool_writer_options options = {.state_directory = name,
                                                 .quota = {UINT64_C(1) << 30, files_max},
                                                 .clock = &clock_system,
                                                 .on_waiting = on_waiting,
                                                 .n_failures = &n_failures};
    struct spool_writer *writer;
    struct err err;

    assert_int_equal(spool_writer_new(&options, &writer, &err), 0);
    free(name);
    return writer;
}

static void init_job(struct test_job *job, struct slice body)
{
    *job = (struct test_job){.job = {.done = job_done_in_test}};
    job->job.report.entry = (struct spool_entry){.host = slice_of("h"), .body = body};
    sem_init(&job->is_done, 0, 0);
}

static void wait_for_job(struct test_job *job, enum spool_result want)
{
    while (sem_wait(&job->is_done) != 0)
        continue;
    assert_int_equal(job->job.report.result, want);
}

static size_t count_files(void)
{
    char path[96];
    DIR *stream;
    const struct dirent *file;
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/" SPOOL_DIRECTORY, directory);
    stream = opendir(path);
    while (stream && (file = readdir(stream)))
        n += file->d_name[0] != '.';
    if (stream)
        closedir(stream);
    return n;
}

/* What has been taken is written, also at the end; nobody may wait for it any more. */
static void test_all_are_written(void **state)
{
    enum { N = 100 };
    static struct test_job jobs[N];
    struct spool_writer *writer = open_writer(1000);

    (void)state;
    for (size_t i = 0; i < N; i++) {
        init_job(&jobs[i], slice_of("{}"));
        assert_true(spool_writer_keep(writer, &jobs[i].job, N));
    }
    spool_writer_free(writer);
    for (size_t i = 0; i < N; i++)
        wait_for_job(&jobs[i], SPOOL_KEPT);
    assert_int_equal(count_files(), N);
    assert_int_equal(n_failures, 0);
    assert_true(n_waiting_calls > 0);
}

static void *keep_many(void *context)
{
    static struct test_job all[4][50];
    static atomic_size_t n_threads;
    struct test_job *jobs = all[atomic_fetch_add(&n_threads, 1)];

    for (size_t i = 0; i < 50; i++) {
        init_job(&jobs[i], slice_of("{\"a\": 1}"));
        assert_true(spool_writer_keep(context, &jobs[i].job, 512));
        wait_for_job(&jobs[i], SPOOL_KEPT);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct spool_writer *writer = open_writer(1000);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_many, writer), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(spool_writer_counted(writer).n_files, 200);
    assert_int_equal(count_files(), 200);
    spool_writer_free(writer);
}

/* The disk is never asked by whoever keeps: what is too much is refused at once. */
static void test_bounds(void **state)
{
    static char large[5 * 1024 * 1024] = "{";
    static struct test_job jobs[3];
    struct spool_writer *writer = open_writer(1000);

    (void)state;
    init_job(&jobs[0], (struct slice){large, sizeof(large)});
    init_job(&jobs[1], (struct slice){large, sizeof(large)});
    init_job(&jobs[2], slice_of("{}"));
    assert_false(spool_writer_keep(writer, &jobs[2].job, 0));
    assert_true(spool_writer_keep(writer, &jobs[0].job, 10));
    /* The first has been written by now, or is in the way. */
    if (spool_writer_keep(writer, &jobs[1].job, 10))
        wait_for_job(&jobs[1], SPOOL_KEPT);
    wait_for_job(&jobs[0], SPOOL_KEPT);
    assert_true(spool_writer_keep(writer, &jobs[2].job, 1));
    wait_for_job(&jobs[2], SPOOL_KEPT);
    spool_writer_free(writer);
    assert_in_range(count_files(), 2, 3);
}

static void test_quota(void **state)
{
    static struct test_job jobs[2];
    struct spool_writer *writer = open_writer(1);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        init_job(&jobs[i], slice_of("{}"));
        assert_true(spool_writer_keep(writer, &jobs[i].job, 10));
        wait_for_job(&jobs[i], i == 0 ? SPOOL_KEPT : SPOOL_FULL);
    }
    spool_writer_free(writer);
    assert_int_equal(n_failures, 0);
}

/* A spool that cannot be opened is tried again with each report. */
static void test_no_directory_yet(void **state)
{
    static struct test_job jobs[2];
    struct spool_writer *writer;
    int file;
    char path[96];

    (void)state;
    snprintf(path, sizeof(path), "%s/" SPOOL_DIRECTORY, directory);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    writer = open_writer(10);
    init_job(&jobs[0], slice_of("{}"));
    assert_true(spool_writer_keep(writer, &jobs[0].job, 10));
    wait_for_job(&jobs[0], SPOOL_FAILED);
    assert_true(n_failures > 0);
    assert_int_equal(unlink(path), 0);
    init_job(&jobs[1], slice_of("{}"));
    assert_true(spool_writer_keep(writer, &jobs[1].job, 10));
    wait_for_job(&jobs[1], SPOOL_KEPT);
    spool_writer_free(writer);
    assert_int_equal(count_files(), 1);
}

/* What an earlier run has left is told at the start, and again after a recount. */
static void test_left(void **state)
{
    struct spool_writer *writer = open_writer(10);
    static struct test_job job;

    (void)state;
    init_job(&job, slice_of("{}"));
    assert_true(spool_writer_keep(writer, &job.job, 10));
    spool_writer_free(writer);
    while (sem_trywait(&is_waiting) == 0)
        continue;
    writer = open_writer(10);
    assert_int_equal(sem_wait(&is_waiting), 0);
    spool_writer_recount(writer);
    assert_int_equal(sem_wait(&is_waiting), 0);
    assert_int_equal(spool_writer_counted(writer).n_waiting, 1);
    spool_writer_free(writer);
    assert_int_equal(spool_writer_counted(NULL).n_files, 0);
    spool_writer_free(NULL);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, open_directory, close_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_all_are_written),  IN_DIRECTORY(test_many_threads),
        IN_DIRECTORY(test_bounds),           IN_DIRECTORY(test_quota),
        IN_DIRECTORY(test_no_directory_yet), IN_DIRECTORY(test_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
