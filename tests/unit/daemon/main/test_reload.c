/* SPDX-License-Identifier: MIT */
#include "daemon/main/reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

enum {
    ANSWERS_MAX = 8,
};

/* A daemon around the reload, whose trials, loads and swaps end when the test says so. */
static struct daemon {
    uv_loop_t loop;
    struct reload *reload;
    struct config *config;
    struct cert_store *store;
    const char *domains; /* what the file says */
    trial_load_done *trial_done;
    void *trial_context;
    bool does_load_hang;
    uv_sem_t may_load;
    unsigned n_recorded; /* by the thread of a job */
    unsigned n_begun, n_trials_cancelled, n_swaps, n_served, n_ended;
    enum reload_outcome answers[ANSWERS_MAX];
    char text[4096]; /* of the last answer */
    unsigned n_answers;
} test;

static struct config *load_domains(const char *domains, struct diag *diag)
{
    char yaml[4096];
    struct fixture file;
    struct config *config;

    snprintf(yaml, sizeof(yaml), "domains: {%s}\n", domains);
    file = fixture_open(slice_of(yaml));
    config = config_load(file.path, diag);
    fixture_close(&file);
    return config;
}

static struct config *load_test(const char *path, unsigned care, struct diag *diag)
{
    assert_string_equal(path, "test.yaml");
    assert_int_equal(care, LOAD_SETTLED | LOAD_REGULAR);
    if (test.does_load_hang)
        uv_sem_wait(&test.may_load);
    return load_domains(test.domains, diag);
}

static struct cert_store *make_store(void *context, const struct config *config)
{
    (void)context;
    return cert_store_new(config->sources, config->n_sources, 1, &clock_system, NULL);
}

static void record(void *context, const struct config *config)
{
    (void)context;
    assert_non_null(config);
    test.n_recorded++;
}

static struct ledger *read_ledger(void *context)
{
    (void)context;
    return NULL;
}

static void start_trial(void *context, trial_load_done *done, void *done_context)
{
    (void)context;
    test.trial_done = done;
    test.trial_context = done_context;
}

static void cancel_trial(void *context)
{
    (void)context;
    test.n_trials_cancelled++;
}

static void find_current(void *context, struct config **ret_config, struct cert_store **ret_store)
{
    (void)context;
    *ret_config = test.config;
    *ret_store = test.store;
}

static void on_begun(void *context)
{
    (void)context;
    test.n_begun++;
}

static void swap(void *context, struct config *config, struct cert_store *store)
{
    (void)context;
    assert_non_null(config);
    assert_non_null(store);
    test.n_swaps++;
}

static void serve(void *context, struct config *config, struct cert_store *store)
{
    (void)context;
    config_unref(test.config);
    cert_store_unref(test.store);
    test.config = config;
    test.store = store;
    test.n_served++;
}

static void on_ended(void *context, enum reload_outcome outcome, const char *text)
{
    (void)context;
    assert_string_equal(text + strlen(text) - 1, "\n");
    assert_true(outcome == RELOAD_GOOD || strstr(text, "refused") || strstr(text, "error"));
    test.n_ended++;
}

static void on_answer(void *context, enum reload_outcome outcome, const char *text)
{
    (void)context;
    assert_true(test.n_answers < ANSWERS_MAX);
    test.answers[test.n_answers++] = outcome;
    snprintf(test.text, sizeof(test.text), "%s", text);
}

static void make_daemon(const char *domains, unsigned load_timeout_ms)
{
    const struct reload_options options = {.loop = &test.loop,
                                           .config_path = "test.yaml",
                                           .load_timeout_ms = load_timeout_ms,
                                           .start_trial = start_trial,
                                           .cancel_trial = cancel_trial,
                                           .load = load_test,
                                           .make_store = make_store,
                                           .record = record,
                                           .read_ledger = read_ledger,
                                           .find_current = find_current,
                                           .begin = on_begun,
                                           .swap = swap,
                                           .serve = serve,
                                           .end = on_ended};
    struct diag *diag = diag_new(&config_findings);

    memset(&test, 0, sizeof(test));
    uv_loop_init(&test.loop);
    uv_sem_init(&test.may_load, 0);
    test.config = load_domains(domains, diag);
    test.domains = domains;
    test.store = make_store(NULL, test.config);
    test.reload = reload_new(&options);
    diag_free(diag);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    uv_close(handle, NULL);
}

static void free_daemon(void)
{
    uv_walk(&test.loop, close_handle, NULL);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    reload_free(test.reload);
    reload_free(NULL);
    config_unref(test.config);
    cert_store_unref(test.store);
    uv_sem_destroy(&test.may_load);
    assert_int_equal(uv_loop_close(&test.loop), 0);
}

static void request(enum reload_force force)
{
    reload_request(test.reload, force, on_answer, NULL);
}

static void end_trial(enum trial_outcome outcome, const char *reason)
{
    test.trial_done(test.trial_context, outcome, reason);
}

/* From the end of the trial to what waits for the test. */
static void pass(void)
{
    end_trial(TRIAL_PASSED, NULL);
    uv_run(&test.loop, UV_RUN_DEFAULT);
}

static void assert_answers(unsigned n_answers, enum reload_outcome last, const char *text)
{
    assert_int_equal(test.n_answers, n_answers);
    assert_int_equal(test.answers[n_answers - 1], last);
    if (!strstr(test.text, text))
        fail_msg("expected '%s', found '%s'", text, test.text);
}

#define A "a.example: {mode: none}"
#define B "b.example: {mode: none}"
#define C "c.example: {mode: none}"

static void test_good(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    test.domains = A ", " B;
    request(RELOAD_GUARDED);
    assert_int_equal(test.n_begun, 1);
    pass();
    assert_int_equal(test.n_swaps, 1);
    assert_int_equal(test.n_answers, 0);
    assert_int_equal(test.config->n_domains, 1);
    reload_finish(test.reload);
    assert_answers(1, RELOAD_GOOD, "added: b.example");
    assert_int_equal(test.config->n_domains, 2);
    assert_int_equal(test.n_ended, 1);
    reload_finish(test.reload);
    assert_int_equal(test.n_served, 1);
    free_daemon();
}

static void test_refusals(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    test.domains = "a.example: {mode: nine}";
    request(RELOAD_GUARDED);
    pass();
    assert_answers(1, RELOAD_INVALID, "reload refused: 1 error");
    request(RELOAD_GUARDED);
    end_trial(TRIAL_FAILED, "it was too large");
    assert_answers(2, RELOAD_REFUSED,
                   "reload refused: it was too large; the previous configuration");
    test.domains = A;
    request(RELOAD_GUARDED);
    end_trial(TRIAL_NOT_MADE, "nobody makes it");
    uv_run(&test.loop, UV_RUN_DEFAULT);
    reload_finish(test.reload);
    assert_answers(3, RELOAD_GOOD, "0 changed");
    assert_int_equal(test.n_served, 1);
    free_daemon();
}

/* Who asks while a reload is under way gets the next one, together with all others. */
static void test_overlap(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    request(RELOAD_GUARDED);
    request(RELOAD_GUARDED);
    reload_request(test.reload, RELOAD_GUARDED, NULL, NULL);
    pass();
    request(RELOAD_GUARDED);
    assert_int_equal(test.n_begun, 1);
    test.domains = A ", " B;
    reload_finish(test.reload);
    assert_answers(1, RELOAD_GOOD, "0 added");
    assert_int_equal(test.n_begun, 2);
    pass();
    reload_finish(test.reload);
    assert_answers(3, RELOAD_GOOD, "1 added");
    assert_int_equal(test.n_begun, 2);
    /* A signal alone is a reload too. */
    reload_request(test.reload, RELOAD_GUARDED, NULL, NULL);
    reload_request(test.reload, RELOAD_GUARDED, NULL, NULL);
    pass();
    reload_finish(test.reload);
    assert_int_equal(test.n_begun, 4);
    pass();
    reload_finish(test.reload);
    assert_int_equal(test.n_begun, 4);
    assert_int_equal(test.n_answers, 3);
    free_daemon();
}

static void test_force(void **state)
{
    (void)state;
    make_daemon(A ", " B ", " C, 10000);
    test.domains = A;
    request(RELOAD_GUARDED);
    request(RELOAD_FORCED); /* for the next one */
    pass();
    assert_answers(1, RELOAD_REFUSED, "2 of 3 domains would go");
    test.domains = A;
    pass();
    reload_finish(test.reload);
    assert_answers(2, RELOAD_GOOD, "2 removed");
    free_daemon();
}

static void test_load_that_hangs(void **state)
{
    (void)state;
    make_daemon(A, 1);
    test.does_load_hang = true;
    request(RELOAD_GUARDED);
    request(RELOAD_GUARDED);
    end_trial(TRIAL_PASSED, NULL);
    while (test.n_answers == 0)
        uv_run(&test.loop, UV_RUN_NOWAIT);
    assert_answers(2, RELOAD_REFUSED, "its storage, or that of `state:`, is slow or hangs");
    assert_int_equal(test.n_ended, 1);
    request(RELOAD_FORCED);
    assert_answers(3, RELOAD_REFUSED, "still hangs");
    uv_sem_post(&test.may_load);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    assert_int_equal(test.n_swaps, 0);
    request(RELOAD_GUARDED);
    assert_int_equal(test.n_begun, 2);
    reload_stop(test.reload);
    free_daemon();
}

static void test_end_in_trial(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    request(RELOAD_GUARDED);
    request(RELOAD_GUARDED);
    reload_stop(test.reload);
    assert_answers(2, RELOAD_REFUSED, "the daemon is ending");
    assert_int_equal(test.n_trials_cancelled, 1);
    request(RELOAD_GUARDED);
    assert_answers(3, RELOAD_REFUSED, "the daemon is ending");
    assert_int_equal(test.n_begun, 1);
    free_daemon();
}

static void test_end_in_load(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    test.does_load_hang = true;
    request(RELOAD_GUARDED);
    end_trial(TRIAL_PASSED, NULL);
    reload_stop(test.reload);
    assert_answers(1, RELOAD_REFUSED, "the daemon is ending");
    uv_sem_post(&test.may_load);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    assert_int_equal(test.n_swaps, 0);
    free_daemon();
}

static void test_end_in_swap(void **state)
{
    (void)state;
    make_daemon(A, 10000);
    request(RELOAD_GUARDED);
    pass();
    request(RELOAD_GUARDED);
    reload_stop(test.reload);
    assert_answers(1, RELOAD_REFUSED, "the daemon is ending");
    reload_finish(test.reload);
    assert_answers(2, RELOAD_GOOD, "0 changed");
    assert_int_equal(test.n_begun, 1);
    free_daemon();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_force),
        cmocka_unit_test(test_load_that_hangs),
        cmocka_unit_test(test_end_in_trial),
        cmocka_unit_test(test_end_in_load),
        cmocka_unit_test(test_end_in_swap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
