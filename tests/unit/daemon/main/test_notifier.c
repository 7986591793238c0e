/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/notifier.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"
#include "support/folder.h"
#include "support/gate.h"
#include "support/loaded.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
    NOW_S = 1700000000,
};

/* Keeps its documents and counts its runs, waits at a pipe if there is one, and ends as a file
 * says. */
#define SCRIPT                                                                     \
    "cat >\"$0/document\"; cat \"$0/document\" >>\"$0/documents\"; "               \
    "echo >>\"$0/runs\"; if test -p \"$0/hold\"; then read line <\"$0/hold\"; fi;" \
    "read status <\"$0/status\"; echo \"by $status\"; exit \"$status\""

static struct config *config;
static struct notifier *notifier;
static _Atomic uint64_t n_good, n_failed, n_looks, n_answers;
static struct gate look_gate, clock_gate;
static _Atomic(const char *) code; /* of the condition that is open; NULL: none is */
static int64_t recheck_unix_s;
static bool was_good; /* the last answer to a test */
static char answer[512];
static int saved_stderr, hold_fd;
static uint64_t n_runs_by_stop; /* are all that there are; UINT64_MAX: it was not stopped */

static int64_t test_unix_s(const struct clock *clock)
{
    (void)clock;
    gate_pass(&clock_gate);
    return NOW_S;
}

static const struct clock test_clock = {.unix_s = test_unix_s};

static void add_open(void *context, const struct config *looked_at, struct arena *arena,
                     struct condition_list *list)
{
    const char *open = atomic_load(&code);

    (void)context;
    (void)looked_at;
    (void)arena;
    list->is_known[CONDITION_CERTIFICATE] = true;
    if (open)
        list->conditions[list->n_conditions++] = (struct condition){.kind = CONDITION_CERTIFICATE,
                                                                    .domain = slice_of("a.example"),
                                                                    .code = slice_of(open),
                                                                    .text = slice_of("text"),
                                                                    .advice = slice_of("advice")};
    atomic_fetch_add(&n_looks, 1);
    gate_pass(&look_gate);
}

static void take_recheck(void *context, int64_t at_unix_s)
{
    assert_ptr_equal(context, &recheck_unix_s);
    recheck_unix_s = at_unix_s;
}

static void take_answer(void *context, bool is_good, const char *text)
{
    assert_ptr_equal(context, &n_answers);
    was_good = is_good;
    snprintf(answer, sizeof(answer), "%s", text);
    atomic_fetch_add(&n_answers, 1);
}

static struct config *config_of(const char *notify)
{
    return loaded_config("{policy_host: {name: p.example}, state: %s, %s domains: {a.example: {mx: "
                         "[mx.example]}}}\n",
                         folder_root, notify);
}

static struct notifier_options options_of(unsigned retry_ms)
{
    return (struct notifier_options){.loop = &spawned_loop,
                                     .spawner = spawned_spawner,
                                     .directory = folder_root,
                                     .config = &config,
                                     .clock = &test_clock,
                                     .gather = add_open,
                                     .recheck = take_recheck,
                                     .context = &recheck_unix_s,
                                     .n_good = &n_good,
                                     .n_failed = &n_failed,
                                     .pause_ms = 0,
                                     .look_ms = NEVER_MS,
                                     .retry_ms = retry_ms};
}

static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c", SCRIPT, folder_root};
    const struct program_commands commands = {.of = {[NOTIFY] = {command, ARRAY_LEN(command)}}};

    (void)state;
    hold_fd = -1;
    n_runs_by_stop = UINT64_MAX;
    n_good = n_failed = n_looks = n_answers = 0;
    code = NULL;
    recheck_unix_s = 0;
    gate_new(&look_gate);
    gate_new(&clock_gate);
    folder_open();
    folder_write("status", "0\n");
    saved_stderr = folder_capture("log", STDERR_FILENO);
    spawned_begin(&commands);
    config = config_of("notify: {run: [/bin/sh], digest: off},");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    notifier_stop(notifier);
    notifier_look(notifier); /* as the scan's thread may, until it ends */
    spawned_end_daemon();
    if (n_runs_by_stop != UINT64_MAX)
        assert_int_equal(n_good + n_failed, n_runs_by_stop);
    if (hold_fd >= 0)
        close(hold_fd);
    notifier_free(notifier);
    notifier = NULL;
    spawned_free();
    config_unref(config);
    folder_release("log", STDERR_FILENO, saved_stderr);
    folder_close();
    gate_free(&look_gate);
    gate_free(&clock_gate);
    return 0;
}

static void change_to(const char *next)
{
    code = next;
    notifier_look(notifier);
}

static void look_often(void)
{
    for (int i = 0; i < 100; i++) {
        notifier_look(notifier);
        uv_run(&spawned_loop, UV_RUN_NOWAIT);
    }
}

/* A look that begins now has ended when another one begins after it. */
static void look_through(void)
{
    uint64_t n = n_looks;

    while (n_looks < n + 3) {
        notifier_look(notifier);
        uv_run(&spawned_loop, UV_RUN_ONCE);
    }
}

/* Begins with looks at which nothing is open. */
static void begin(unsigned retry_ms)
{
    const struct notifier_options options = options_of(retry_ms);

    notifier = notifier_new(&options);
    assert_non_null(notifier);
    look_through();
}

static void wait_for_runs(size_t n)
{
    while (folder_size("runs") < n) {
        uv_run(&spawned_loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

/* What is written by then releases one run after the other. */
static void hold_runs(void)
{
    assert_int_equal(mkfifo(folder_path("hold"), 0600), 0);
    hold_fd = open(folder_path("hold"), O_RDWR | O_CLOEXEC);
    assert_true(hold_fd >= 0);
}

static void release_run(void)
{
    assert_int_equal(write(hold_fd, "\n", 1), 1);
}

/* The text has to be in the last answer, of so many. */
static void expect_answer(uint64_t n, bool is_good, const char *text)
{
    spawned_wait_for(&n_answers, n);
    assert_int_equal(was_good, is_good);
    assert_non_null(strstr(answer, text));
}

static void test_delivered(void **state)
{
    (void)state;
    begin(NEVER_MS);
    change_to("certificate-missing");
    spawned_wait_for(&n_good, 1);
    folder_expect("document", "\"event\": \"began\"");
    folder_expect("document", "certificate-missing");
    folder_expect("log", "notify: '/bin/sh' was told 1 notice\n");
    look_through();
    change_to(NULL);
    spawned_wait_for(&n_good, 2);
    folder_expect("document", "\"event\": \"ended\"");
    assert_int_equal(folder_size("runs"), 2);
}

static void test_digest_after_news(void **state)
{
    struct notifier_options options = options_of(NEVER_MS);

    (void)state;
    config_unref(config);
    config = config_of("notify: {run: [/bin/sh], digest: daily},");
    /* A digest of long ago; it knows of certificates. */
    folder_write("notices", "mta-stsd notices 1\ndigest\t1000000000\nseen\tcertificate\n");
    code = "certificate-missing";
    notifier = notifier_new(&options);
    spawned_wait_for(&n_good, 2);
    assert_int_equal(folder_count("documents", "\"event\": \"began\""), 1);
    assert_int_equal(folder_count("documents", "\"event\": \"digest\""), 1);
    folder_expect("document", "\"event\": \"digest\"");
    folder_expect("log", "was told the digest: 1 notice\n");
}

static void fail_once(unsigned n, const char *interval)
{
    char text[96];

    spawned_wait_for(&n_failed, n);
    snprintf(text, sizeof(text),
             "ended with status 3: by 3; nothing is told, and it is tried "
             "again in %s\n",
             interval);
    assert_int_equal(folder_count("log", "tried again in"), n);
    folder_expect("log", text);
}

/* The interval doubles up to its limit, and begins anew when there is nothing to tell any more. */
static void test_intervals(void **state)
{
    static const char *const intervals[] = {"20 minutes", "40 minutes", "1 hour", "1 hour"};

    (void)state;
    begin(20 * 60 * 1000);
    folder_write("status", "3\n");
    code = "certificate-missing";
    for (unsigned i = 0; i < ARRAY_LEN(intervals); i++) {
        notifier_look(notifier); /* what is new does not wait for the interval */
        fail_once(i + 1, intervals[i]);
    }
    assert_int_equal(folder_count("log", "in 1 hour\n"), 2);
    code = NULL;
    look_through();
    change_to("certificate-missing");
    spawned_wait_for(&n_failed, ARRAY_LEN(intervals) + 1);
    assert_int_equal(folder_count("log", "in 20 minutes\n"), 2);
    folder_write("status", "0\n");
    notifier_look(notifier);
    spawned_wait_for(&n_good, 1);
    folder_write("status", "3\n");
    change_to(NULL);
    spawned_wait_for(&n_failed, ARRAY_LEN(intervals) + 2);
    assert_int_equal(folder_count("log", "in 20 minutes\n"), 3);
}

/* By the timer alone. */
static void test_again_until_delivered(void **state)
{
    (void)state;
    begin(1);
    folder_write("status", "1\n");
    change_to("certificate-missing");
    spawned_wait_for(&n_failed, 4);
    folder_write("status", "0\n");
    spawned_wait_for(&n_good, 1);
    folder_expect("document", "1 condition began");
}

static void test_state_that_goes(void **state)
{
    char away[sizeof(folder_root) + 8];

    (void)state;
    begin(1);
    snprintf(away, sizeof(away), "%s.away", folder_root);
    assert_int_equal(rename(folder_root, away), 0);
    change_to("certificate-missing");
    spawned_wait_for(&n_failed, 2);
    assert_int_equal(rename(away, folder_root), 0);
    spawned_wait_for(&n_good, 1);
    folder_expect("log", "cannot be made: No such file or directory; nothing is told, and it is");
}

/* It was told; that it was is kept later, and nothing is told twice. */
static void test_delivered_and_not_kept(void **state)
{
    (void)state;
    begin(1);
    hold_runs();
    change_to("certificate-missing");
    wait_for_runs(1);
    assert_int_equal(unlink(folder_path("notices")), 0);
    assert_int_equal(mkdir(folder_path("notices"), 0700), 0);
    release_run();
    spawned_wait_for(&n_failed, 2);
    folder_expect("log", "notify: '/bin/sh' was told 1 notice, but '");
    assert_int_equal(rmdir(folder_path("notices")), 0);
    while (!folder_has("notices"))
        uv_run(&spawned_loop, UV_RUN_ONCE);
    folder_expect("notices", "\ttold\n");
    look_through();
    assert_int_equal(folder_size("runs"), 1);
}

/* What comes after a look has seen all is told by the look that comes after it. */
static void test_look_while_looking(void **state)
{
    (void)state;
    begin(NEVER_MS);
    gate_shut(&look_gate);
    notifier_look(notifier);
    uv_run(&spawned_loop, UV_RUN_NOWAIT);
    gate_wait(&look_gate, &spawned_loop);
    code = "certificate-missing";
    look_often();
    gate_open(&look_gate);
    spawned_wait_for(&n_good, 1);
}

static void test_look_while_running(void **state)
{
    (void)state;
    begin(NEVER_MS);
    hold_runs();
    change_to("certificate-missing");
    wait_for_runs(1);
    code = NULL;
    look_often();
    assert_int_equal(folder_size("runs"), 1);
    release_run();
    wait_for_runs(2);
    release_run();
    spawned_wait_for(&n_good, 2);
    folder_expect("document", "\"event\": \"ended\"");
}

static void test_test(void **state)
{
    (void)state;
    begin(NEVER_MS);
    notifier_test(notifier, take_answer, &n_answers);
    notifier_test(notifier, take_answer, &n_answers);
    expect_answer(1, false, "another test is under way");
    expect_answer(2, true, "'/bin/sh' ended with status 0: by 0");
    folder_expect("document", "\"event\": \"test\"");
    folder_write("status", "7\n");
    notifier_test(notifier, take_answer, &n_answers);
    expect_answer(3, false, "'/bin/sh' ended with status 7: by 7");
    assert_int_equal(n_good, 1);
    assert_int_equal(n_failed, 1);
    assert_int_equal(folder_count("log", "tried again"), 0);
    assert_int_equal(folder_count("documents", "\"event\": \"test\""), 2);
}

/* It comes after them, and does not take the place of what is told. */
static void test_test_while_busy(void **state)
{
    (void)state;
    begin(NEVER_MS);
    hold_runs();
    code = "certificate-missing";
    gate_shut(&look_gate);
    notifier_look(notifier);
    gate_wait(&look_gate, &spawned_loop);
    notifier_test(notifier, take_answer, &n_answers);
    for (int i = 0; i < 10; i++)
        uv_run(&spawned_loop, UV_RUN_NOWAIT);
    gate_open(&look_gate);
    wait_for_runs(1);
    folder_expect("document", "\"event\": \"began\"");
    assert_int_equal(n_answers, 0);
    release_run();
    wait_for_runs(2);
    folder_expect("document", "\"event\": \"test\"");
    change_to(NULL);
    release_run();
    expect_answer(1, true, "");
    wait_for_runs(3);
    folder_expect("document", "\"event\": \"ended\"");
    release_run();
    spawned_wait_for(&n_good, 3);
}

/* What a program that failed is to be told comes at once after a test that it takes. */
static void test_test_after_failure(void **state)
{
    (void)state;
    begin(NEVER_MS);
    folder_write("status", "1\n");
    change_to("certificate-missing");
    spawned_wait_for(&n_failed, 1);
    folder_write("status", "0\n");
    notifier_test(notifier, take_answer, &n_answers);
    expect_answer(1, true, "");
    spawned_wait_for(&n_good, 2);
    folder_expect("document", "1 condition began");
}

static void test_refused_reloads(void **state)
{
    char reason[4096] = "";

    (void)state;
    begin(NEVER_MS);
    for (int i = 0; i < 100; i++)
        sprintf(reason + strlen(reason), "domain %d.example would go\n", i);
    strcat(reason, "reload refused: too many would go\n\n");
    notifier_take_reload(notifier, reason);
    spawned_wait_for(&n_good, 1);
    folder_expect("document",
                  "\"text\": \"reload refused: too many would go; domain 0.example would "
                  "go; domain 1.example would go; ");
    notifier_take_reload(notifier, "for another reason");
    look_through();
    notifier_take_reload(notifier, NULL);
    spawned_wait_for(&n_good, 2);
    folder_expect("document", "\"event\": \"ended\"");
    notifier_take_reload(notifier, "\n");
}

static void test_recheck(void **state)
{
    (void)state;
    folder_write(CONDITIONS_FILE, "mta-stsd conditions 1\nrecheck\t1700000123\n");
    begin(NEVER_MS);
    while (recheck_unix_s == 0)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_int_equal(recheck_unix_s, 1700000123);
}

/* Stops it; who waits for a test is told, and nothing is begun, counted or said any more. */
static void stop(uint64_t n_answered)
{
    notifier_stop(notifier);
    assert_int_equal(n_answers, n_answered);
    notifier_test(notifier, take_answer, &n_answers);
    expect_answer(n_answered + 1, false, "the daemon is ending");
    notifier_take_reload(notifier, "refused");
    n_runs_by_stop = n_good + n_failed;
}

static void test_stop_while_idle(void **state)
{
    (void)state;
    begin(NEVER_MS);
    code = "certificate-missing";
    stop(0);
}

static void test_stop_while_looking(void **state)
{
    (void)state;
    begin(NEVER_MS);
    code = "certificate-missing";
    gate_shut(&look_gate);
    notifier_take_reload(notifier, "refused");
    gate_wait(&look_gate, &spawned_loop);
    notifier_test(notifier, take_answer, &n_answers);
    stop(1);
    gate_open(&look_gate);
}

static void test_stop_while_running(void **state)
{
    (void)state;
    begin(NEVER_MS);
    hold_runs();
    notifier_test(notifier, take_answer, &n_answers);
    wait_for_runs(1);
    stop(1);
}

static void stop_while_accepting(void)
{
    begin(NEVER_MS);
    hold_runs();
    change_to("certificate-missing");
    wait_for_runs(1);
    gate_shut(&clock_gate);
    release_run();
    gate_wait(&clock_gate, &spawned_loop);
    notifier_test(notifier, take_answer, &n_answers);
    stop(1);
    n_runs_by_stop = 1; /* it has ended, and is counted when it is kept */
}

static void test_stop_while_accepting(void **state)
{
    (void)state;
    stop_while_accepting();
    gate_open(&clock_gate);
    spawned_wait_for(&n_good, 1);
    folder_expect("notices", "\ttold\n");
}

/* It says so, without a next time. */
static void test_stop_and_not_kept(void **state)
{
    (void)state;
    stop_while_accepting();
    assert_int_equal(unlink(folder_path("notices")), 0);
    assert_int_equal(mkdir(folder_path("notices"), 0700), 0);
    gate_open(&clock_gate);
    spawned_wait_for(&n_good, 1);
    folder_expect("log", "was told 1 notice, but '");
    assert_int_equal(folder_count("log", "tried again"), 0);
}

static void test_nothing_to_run(void **state)
{
    struct notifier_options options = options_of(NEVER_MS);
    struct config *without = config_of("");

    (void)state;
    options.config = &without;
    assert_null(notifier_new(&options));
    options = options_of(NEVER_MS);
    options.directory = NULL;
    assert_null(notifier_new(&options));
    folder_expect("log",
                  "notify: nothing is told, because the directory of state: cannot be used\n");
    notifier_look(NULL);
    notifier_take_reload(NULL, "refused");
    notifier_test(NULL, take_answer, &n_answers);
    expect_answer(1, false, "no notify:");
    config_unref(without);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_delivered),
        WITH_SPAWNER(test_digest_after_news),
        WITH_SPAWNER(test_intervals),
        WITH_SPAWNER(test_again_until_delivered),
        WITH_SPAWNER(test_state_that_goes),
        WITH_SPAWNER(test_delivered_and_not_kept),
        WITH_SPAWNER(test_look_while_looking),
        WITH_SPAWNER(test_look_while_running),
        WITH_SPAWNER(test_test),
        WITH_SPAWNER(test_test_while_busy),
        WITH_SPAWNER(test_test_after_failure),
        WITH_SPAWNER(test_refused_reloads),
        WITH_SPAWNER(test_recheck),
        WITH_SPAWNER(test_stop_while_idle),
        WITH_SPAWNER(test_stop_while_looking),
        WITH_SPAWNER(test_stop_while_running),
        WITH_SPAWNER(test_stop_while_accepting),
        WITH_SPAWNER(test_stop_and_not_kept),
        WITH_SPAWNER(test_nothing_to_run),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
