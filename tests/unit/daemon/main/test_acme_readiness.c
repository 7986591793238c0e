/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/acme_readiness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "support/spawned.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"

static const char *const both[] = {A, B};

/* What was said: "HOST: ready", "HOST: REASON", "done: FAULT", a line each. */
static char said[2048];
static _Atomic uint64_t n_done;

static void add_line(const char *who, const char *what)
{
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s: %s\n", who, what);
}

static void on_host(void *context, const char *host, const char *reason)
{
    (void)context;
    add_line(host, reason ? reason : "ready");
}

static void on_done(void *context, const char *fault)
{
    (void)context;
    add_line("done", fault ? fault : "all");
    n_done++;
}

#define NAME "'mta-stsd-check --acme-ready'"

static const struct {
    const char *script, *said;
} rows[] = {
    {"for host; do echo $host ready; done", A ": ready\n" B ": ready\ndone: all\n"},
    {"echo " B " waiting no address; echo " A " ready",
     B ": no address\n" A ": ready\ndone: all\n"},
    /* The first answer counts. What is none of the two is a line for the log. */
    {"echo " A " ready; echo " A " waiting x; echo " A "x ready; echo " B " readily; echo; echo " B
     " waiting x",
     A ": ready\n" B ": x\ndone: all\n"},
    /* Whoever dies half-way has said nothing of the rest. */
    {"echo " A " ready; echo oh >&2; exit 3", A
     ": ready\n" B ": " NAME " ended with status 3: oh\ndone: " NAME " ended with status 3: oh\n"},
    {"kill -9 $$", A ": " NAME " was ended by signal 9\n" B ": " NAME
                     " was ended by signal 9\ndone: " NAME " was ended by signal 9\n"},
    {"exit 0", A ": " NAME " ended with status 0\n" B ": " NAME " ended with status 0\ndone: " NAME
                 " ended with status 0\n"},
};

static void begin(const char *script, struct acme_readiness **ret_readiness)
{
    const char *command[] = {"/bin/sh", "-c", script, "sh"};
    const struct program_commands commands = {.of = {[ACME_READY] = {command, ARRAY_LEN(command)}}};
    struct acme_readiness_options options = {.host = on_host, .done = on_done};

    said[0] = '\0';
    n_done = 0;
    spawned_begin(&commands);
    options.loop = &spawned_loop;
    options.spawner = spawned_spawner;
    *ret_readiness = acme_readiness_new(&options);
}

static void test_answers(void **state)
{
    struct acme_readiness *readiness;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].script, &readiness);
        acme_readiness_ask(readiness, both, 2);
        assert_true(acme_readiness_is_under_way(readiness));
        spawned_wait_for(&n_done, 1);
        assert_false(acme_readiness_is_under_way(readiness));
        if (strcmp(said, rows[i].said) != 0)
            fail_msg("row %zu: %s", i, said);
        spawned_end();
        acme_readiness_free(readiness);
        spawned_free();
    }
}

/* The daemon ends meanwhile: nothing is said any more. */
static void test_end(void **state)
{
    struct acme_readiness *readiness;

    (void)state;
    begin("sleep 100", &readiness);
    acme_readiness_ask(readiness, both, 1);
    uv_run(&spawned_loop, UV_RUN_NOWAIT);
    acme_readiness_stop(readiness);
    spawned_end_daemon();
    acme_readiness_free(readiness);
    acme_readiness_free(NULL);
    spawned_free();
    assert_string_equal(said, "");
}

/* Who starts others is gone. */
static void test_no_spawner(void **state)
{
    struct acme_readiness *readiness;

    (void)state;
    begin("exit 0", &readiness);
    spawner_detach(spawned_spawner);
    acme_readiness_ask(readiness, both, 1);
    assert_string_equal(said, A ": the process that starts others has ended: Broken pipe\n"
                                "done: the process that starts others has ended: Broken pipe\n");
    spawned_end();
    acme_readiness_free(readiness);
    spawned_free();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_no_spawner),
    };
    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
