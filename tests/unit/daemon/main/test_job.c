/* SPDX-License-Identifier: MIT */
#include "daemon/main/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

struct seen {
    struct job *job;
    uv_sem_t may_end;
    unsigned n_worked, n_done, n_again;
};

static void work(void *context)
{
    struct seen *seen = context;

    uv_sem_wait(&seen->may_end);
    seen->n_worked++;
}

static void on_done(void *context)
{
    struct seen *seen = context;

    seen->n_done++;
    if (seen->n_again > 0) {
        seen->n_again--;
        assert_true(job_start(seen->job));
        uv_sem_post(&seen->may_end);
    }
}

static void test_one_run_at_a_time(void **state)
{
    struct seen seen = {.n_again = 2};
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    uv_sem_init(&seen.may_end, 0);
    seen.job = job_new(&loop, work, on_done, &seen);
    assert_true(job_start(seen.job));
    assert_false(job_start(seen.job));
    assert_int_equal(seen.n_done, 0);
    uv_sem_post(&seen.may_end);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.n_worked, 3);
    assert_int_equal(seen.n_done, 3);
    job_free(seen.job);
    job_free(NULL);
    uv_sem_destroy(&seen.may_end);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_run_at_a_time)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
