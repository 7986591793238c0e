/* SPDX-License-Identifier: MIT */
#include "check/check_apart.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

static void test_find(void **state)
{
    static const struct {
        const char *user, *want;
    } cases[] = {{"nobody", "nobody"}, {"root", "root"}, {"no-such-user-here", "nobody"}};
    struct account account;
    struct err err;

    (void)state;
    if (geteuid() != 0) {
        assert_int_equal(check_apart_find(NULL, &account, &err), 0);
        assert_int_equal(account.uid, geteuid());
        assert_false(account.needs_switch);
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config config = {.user = cases[i].user};

        assert_int_equal(check_apart_find(&config, &account, &err), 0);
        assert_string_equal(account.name, cases[i].want);
        assert_int_equal(account.needs_switch, strcmp(cases[i].want, "root") != 0);
    }
}

/* What the work leaves where both processes see it. */
struct trace {
    pid_t pid;
    uid_t before, after;
    struct account account;
};

static enum exit_status work_drops(void *context)
{
    struct trace *trace = context;
    struct err err;

    trace->pid = getpid();
    trace->before = geteuid();
    if (check_apart_drop(&trace->account, &err) != 0)
        return STATUS_FAILED;
    trace->after = geteuid();
    return STATUS_FINDINGS;
}

static enum exit_status work_crashes(void *context)
{
    (void)context;
    raise(SIGKILL);
    return STATUS_GOOD;
}

static struct trace *trace_new(const char *user)
{
    struct trace *trace =
        mmap(NULL, sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct err err;

    assert_true(trace != MAP_FAILED);
    assert_int_equal(check_apart_find(&(struct config){.user = user}, &trace->account, &err), 0);
    return trace;
}

static void test_run(void **state)
{
    struct trace *trace;
    enum exit_status status;
    struct err err;

    (void)state;
    if (geteuid() != 0)
        skip();
    trace = trace_new("nobody");
    assert_int_equal(check_apart_run(&trace->account, work_drops, trace, &status, &err), 0);
    assert_int_equal(status, STATUS_FINDINGS);
    assert_int_not_equal(trace->pid, getpid());
    assert_int_equal(trace->before, 0);
    assert_int_equal(trace->after, trace->account.uid);
    assert_int_equal(geteuid(), 0);
    assert_int_equal(check_apart_run(&trace->account, work_crashes, trace, &status, &err), -1);
    assert_string_equal(err.msg, "the process that checks has ended by signal 9 (Killed)");
    munmap(trace, sizeof(*trace));
}

/* The user that this process has, or that the configuration wants to be root. */
static void test_run_in_this_process(void **state)
{
    struct trace *trace = trace_new("root");
    enum exit_status status;
    struct err err;

    (void)state;
    assert_int_equal(check_apart_run(&trace->account, work_drops, trace, &status, &err), 0);
    assert_int_equal(status, STATUS_FINDINGS);
    assert_int_equal(trace->pid, getpid());
    assert_int_equal(trace->after, trace->before);
    munmap(trace, sizeof(*trace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_run),
                                       cmocka_unit_test(test_run_in_this_process)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
