/* SPDX-License-Identifier: MIT */
#include "daemon/child/spawner.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    PATIENT_MS = 60 * 1000, /* never waited for */
    EXIT_STATUS = 7,
};

enum task {
    TASK_EXIT,
    TASK_ABORT,
    TASK_HANG,
};

/* Shared with the spawner and its children. */
static struct {
    _Atomic pid_t spawner, child;
} * shared;

static void prepare(void *context)
{
    (void)context;
    atomic_store(&shared->spawner, getpid());
}

static int perform(void *context, uint64_t task)
{
    (void)context;
    atomic_store(&shared->child, getpid());
    if (task == TASK_ABORT) {
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
    }
    if (task == TASK_HANG)
        for (;;)
            pause();
    return EXIT_STATUS;
}

static pid_t await_pid(const _Atomic pid_t *pid)
{
    while (atomic_load(pid) == 0)
        sched_yield();
    return atomic_load(pid);
}

/* Neither runs nor is left to be reaped. */
static void await_gone(pid_t pid)
{
    while (kill(pid, 0) == 0)
        sched_yield();
    assert_int_equal(errno, ESRCH);
}

static struct spawner *start(void)
{
    const struct spawner_work work = {prepare, perform, NULL};
    struct spawner *spawner;
    struct account account;
    struct err err;

    shared->spawner = shared->child = 0;
    assert_int_equal(account_find("root", &account, &err), 0);
    assert_int_equal(spawner_new(&work, &account, &spawner, &err), 0);
    return spawner;
}

static void end(struct spawner *spawner)
{
    spawner_stop(spawner);
    spawner_free(spawner);
    await_gone(await_pid(&shared->spawner));
}

static void test_status(void **state)
{
    struct spawner *spawner = start();
    struct err err;
    int status;

    (void)state;
    assert_int_equal(spawner_run(spawner, TASK_EXIT, PATIENT_MS, &status, &err), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_STATUS);
    assert_int_equal(spawner_run(spawner, TASK_ABORT, PATIENT_MS, &status, &err), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    end(spawner);
}

static void test_child_that_hangs(void **state)
{
    struct spawner *spawner = start();
    int status = 1234;
    struct err err;

    (void)state;
    do {
        shared->child = 0;
        assert_int_equal(spawner_run(spawner, TASK_HANG, 50, &status, &err), -1);
        assert_int_equal(err.code, ERR_LIMIT);
        assert_int_equal(status, 1234);
    } while (shared->child == 0); /* not even started within so little time */
    await_gone(shared->child);
    assert_int_equal(spawner_run(spawner, TASK_EXIT, PATIENT_MS, &status, &err), 0);
    end(spawner);
}

static void test_spawner_that_stands_still(void **state)
{
    struct spawner *spawner = start();
    struct err err;
    int status;

    (void)state;
    kill(await_pid(&shared->spawner), SIGSTOP);
    assert_int_equal(spawner_run(spawner, TASK_HANG, 50, &status, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    kill(shared->spawner, SIGCONT);
    assert_int_equal(spawner_run(spawner, TASK_EXIT, PATIENT_MS, &status, &err), 0);
    end(spawner);
}

static void *run_for_long(void *context)
{
    struct err err;
    int status;

    assert_int_equal(spawner_run(context, TASK_HANG, PATIENT_MS, &status, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    return NULL;
}

static void test_stop_wakes(void **state)
{
    struct spawner *spawner = start();
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run_for_long, spawner), 0);
    await_pid(&shared->child);
    spawner_stop(spawner);
    pthread_join(thread, NULL);
    await_gone(shared->child);
    end(spawner);
}

static void test_stop_wakes_while_the_spawner_stands_still(void **state)
{
    struct spawner *spawner = start();
    pthread_t thread;

    (void)state;
    kill(await_pid(&shared->spawner), SIGSTOP);
    assert_int_equal(pthread_create(&thread, NULL, run_for_long, spawner), 0);
    spawner_stop(spawner);
    pthread_join(thread, NULL);
    kill(shared->spawner, SIGCONT);
    end(spawner);
}

static void test_spawner_that_has_ended(void **state)
{
    struct spawner *spawner = start();
    struct err err;
    int status;

    (void)state;
    kill(await_pid(&shared->spawner), SIGKILL);
    await_gone(shared->spawner);
    assert_int_equal(spawner_run(spawner, TASK_EXIT, PATIENT_MS, &status, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    end(spawner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_child_that_hangs),
        cmocka_unit_test(test_spawner_that_stands_still),
        cmocka_unit_test(test_stop_wakes),
        cmocka_unit_test(test_stop_wakes_while_the_spawner_stands_still),
        cmocka_unit_test(test_spawner_that_has_ended),
    };

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
