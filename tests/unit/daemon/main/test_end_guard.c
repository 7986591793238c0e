/* SPDX-License-Identifier: MIT */
#include "daemon/main/end_guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    NEVER_MS = 600 * 1000,
    STATUS_ORDERLY = 7,
};

static void block_ends(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* In a child: what hangs, once it is guarded and has sent itself a signal. */
static void hang(unsigned patience_ms, int number)
{
    block_ends();
    end_guard_new(patience_ms);
    if (number != 0)
        kill(getpid(), number);
    for (;;)
        pause();
}

static int status_of_hanging(unsigned patience_ms, int number)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        hang(patience_ms, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_deadline(void **state)
{
    (void)state;
    assert_int_equal(status_of_hanging(0, 0), 0);
    assert_int_equal(status_of_hanging(1, 0), 0);
}

static void test_second_signal(void **state)
{
    (void)state;
    assert_int_equal(status_of_hanging(NEVER_MS, SIGTERM), 0);
    assert_int_equal(status_of_hanging(NEVER_MS, SIGINT), 0);
}

static void test_orderly_end(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        block_ends();
        end_guard_free(end_guard_new(NEVER_MS));
        end_guard_free(NULL);
        _exit(STATUS_ORDERLY);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), STATUS_ORDERLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_second_signal),
        cmocka_unit_test(test_orderly_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
