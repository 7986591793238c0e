/* SPDX-License-Identifier: MIT */
#include "check/shared_visits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"

/* A visit that ends when the test says so. tests/unit/check/test_mx_hosts.c has the rest. */
struct slow_visit {
    struct shared_visit *entry;
    char seen[64];
};

struct visitor {
    uv_loop_t loop;
    struct shared_visits *visits;
    struct slow_visit *last; /* that has begun */
    unsigned n_begun, n_freed, n_called;
    char called_with[64];
};

static struct visitor visitor;

static void *slow_start(void *tools, const char *key, const void *subject,
                        struct shared_visit *entry)
{
    struct slow_visit *visit = memory_alloc(sizeof(*visit));

    assert_ptr_equal(tools, &visitor);
    visit->entry = entry;
    snprintf(visit->seen, sizeof(visit->seen), "%s of %s", subject ? (const char *)subject : "-",
             key);
    visitor.last = visit;
    visitor.n_begun++;
    return visit;
}

static void slow_free(void *visit)
{
    visitor.n_freed += visit != NULL;
    free(visit);
}

static const struct visit_kind slow_kind = {slow_start, slow_free};

static void visitor_open(size_t n_at_once, size_t n_kept)
{
    memset(&visitor, 0, sizeof(visitor));
    assert_int_equal(uv_loop_init(&visitor.loop), 0);
    visitor.visits = shared_visits_new(&visitor.loop, &slow_kind, &visitor, n_at_once, n_kept);
}

static void visitor_close(void)
{
    shared_visits_free(visitor.visits);
    uv_run(&visitor.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&visitor.loop), 0);
    assert_int_equal(visitor.n_freed, visitor.n_begun);
}

static void visitor_end_last(void)
{
    shared_visit_end(visitor.last->entry, visitor.last->seen);
    uv_run(&visitor.loop, UV_RUN_DEFAULT);
}

static void note_called(void *context, const void *seen)
{
    (void)context;
    visitor.n_called++;
    snprintf(visitor.called_with, sizeof(visitor.called_with), "%s", (const char *)seen);
}

/* The subject is copied, and that of the first who asks counts. */
static void test_subject(void **state)
{
    char subject[] = "first";

    (void)state;
    visitor_open(1, 8);
    assert_false(shared_visits_have(visitor.visits, "a"));
    shared_visits_ask(visitor.visits, "a", subject, sizeof(subject), note_called, NULL);
    assert_true(shared_visits_have(visitor.visits, "a"));
    memset(subject, 'x', sizeof(subject) - 1);
    shared_visits_ask(visitor.visits, "a", subject, sizeof(subject), note_called, NULL);
    shared_visits_ask(visitor.visits, "b", NULL, 0, note_called, NULL);
    uv_run(&visitor.loop, UV_RUN_DEFAULT);
    assert_int_equal(visitor.n_begun, 1);
    assert_int_equal(visitor.n_called, 0);
    visitor_end_last();
    assert_int_equal(visitor.n_called, 2);
    assert_string_equal(visitor.called_with, "first of a");
    visitor_end_last();
    assert_int_equal(visitor.n_called, 3);
    assert_string_equal(visitor.called_with, "- of b");
    visitor_close();
}

/* What is dropped is the oldest that was seen, never what is still to be seen. */
static void test_kept(void **state)
{
    (void)state;
    visitor_open(2, 1);
    shared_visits_ask(visitor.visits, "slow", NULL, 0, note_called, NULL);
    uv_run(&visitor.loop, UV_RUN_DEFAULT);
    for (char key[] = "a"; key[0] <= 'c'; key[0]++) {
        shared_visits_ask(visitor.visits, key, NULL, 0, note_called, NULL);
        uv_run(&visitor.loop, UV_RUN_DEFAULT);
        visitor_end_last();
    }
    assert_false(shared_visits_have(visitor.visits, "b"));
    assert_true(shared_visits_have(visitor.visits, "c"));
    assert_true(shared_visits_have(visitor.visits, "slow"));
    visitor_close(); /* with a visit that has not ended */
    shared_visits_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_subject), cmocka_unit_test(test_kept)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
