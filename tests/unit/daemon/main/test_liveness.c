/* SPDX-License-Identifier: MIT */
#include "daemon/main/liveness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/main/watchdog.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
    N_LOOPS = 3,
};

static uint64_t now_ms;

static struct test_loop {
    uint64_t turns;
    bool has_ended;
} loops[N_LOOPS];

static uint64_t test_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static const struct clock test_clock = {.monotonic_ms = test_monotonic_ms};

static bool count_turns(void *context, size_t i, uint64_t *ret_turns)
{
    (void)context;
    *ret_turns = loops[i].turns;
    return !loops[i].has_ended;
}

static struct liveness *make_liveness(void)
{
    for (size_t i = 0; i < N_LOOPS; i++)
        loops[i] = (struct test_loop){0};
    return liveness_new(&test_clock, N_LOOPS, count_turns, NULL);
}

/* A second passes, in which all loops turn but the last `n_hanging`. */
static unsigned look_later(struct liveness *liveness, size_t n_hanging)
{
    now_ms += WATCHDOG_LOOK_MS;
    for (size_t i = 0; i < N_LOOPS - n_hanging; i++)
        loops[i].turns++;
    return liveness_look(liveness);
}

static void test_stall_and_recovery(void **state)
{
    struct liveness *liveness = make_liveness();

    (void)state;
    for (int i = 0; i < 9; i++)
        assert_int_equal(look_later(liveness, 2), 0);
    assert_int_equal(look_later(liveness, 2), 2);
    assert_int_equal(look_later(liveness, 1), 1);
    assert_int_equal(look_later(liveness, 0), 0);
    liveness_free(liveness);
    liveness_free(NULL);
}

static void test_ended_loop_may_stand_still(void **state)
{
    struct liveness *liveness = make_liveness();

    (void)state;
    loops[N_LOOPS - 1].has_ended = true;
    for (int i = 0; i < 100; i++)
        assert_int_equal(look_later(liveness, 1), 0);
    liveness_free(liveness);
}

static void test_lost_loop(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct liveness *liveness = make_liveness();

        signal(SIGABRT, SIG_DFL);
        for (int i = 0; i < 100; i++)
            look_later(liveness, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stall_and_recovery),
        cmocka_unit_test(test_ended_loop_may_stand_still),
        cmocka_unit_test(test_lost_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
