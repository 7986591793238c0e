/* SPDX-License-Identifier: MIT */
#include "check/mx_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/connection_pace.h"
#include "check/mx_host.h"
#include "check/mx_visit.h"
#include "lib/base/slice.h"
#include "support/fake_dns.h"

/* Hosts without addresses need no server: DNS is asked twice for each visit. */
struct run {
    uv_loop_t loop;
    struct fake_dns dns;
    struct mx_hosts *hosts;
    char seen[1024];
    unsigned n_again; /* how often the first callback asks again */
};

static void run_open(struct run *run, size_t n_at_once)
{
    struct mx_tools tools = {.loop = &run->loop, .dns = &run->dns.source, .port = 25};

    memset(run, 0, sizeof(*run));
    assert_int_equal(uv_loop_init(&run->loop), 0);
    run->dns = fake_dns_of(&run->loop, NULL, 0);
    run->hosts = mx_hosts_new(&tools, n_at_once);
}

static void run_close(struct run *run)
{
    mx_hosts_free(run->hosts);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    assert_int_equal(run->dns.n_open, 0);
    assert_int_equal(uv_loop_close(&run->loop), 0);
}

static void note_seen(void *context, const void *seen)
{
    const struct mx_host *host = seen;
    struct run *run = context;
    size_t len = strlen(run->seen);

    snprintf(run->seen + len, sizeof(run->seen) - len, "%s%s", len ? ", " : "", host->name);
    if (run->n_again > 0) {
        run->n_again--;
        mx_hosts_ask(run->hosts, host->name, note_seen, run);
    }
}

static void visits_a_host_once(void **state)
{
    struct run run;

    (void)state;
    run_open(&run, 8);
    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "b.example", note_seen, &run);
    assert_string_equal(run.seen, "");
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_string_equal(run.seen, "a.example, a.example, b.example");
    assert_string_equal(run.dns.asked, "A a.example, AAAA a.example, A b.example, AAAA b.example");

    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    assert_string_equal(run.seen, "a.example, a.example, b.example");
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_string_equal(run.seen, "a.example, a.example, b.example, a.example");
    assert_string_equal(run.dns.asked, "A a.example, AAAA a.example, A b.example, AAAA b.example");
    run_close(&run);
}

static void a_callback_may_ask_again(void **state)
{
    struct run run;

    (void)state;
    run_open(&run, 8);
    run.n_again = 4;
    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_string_equal(run.seen,
                        "a.example, a.example, a.example, a.example, a.example, a.example");
    run_close(&run);
}

static void visits_so_many_at_a_time(void **state)
{
    struct run run;

    (void)state;
    run_open(&run, 2);
    mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "b.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "c.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "d.example", note_seen, &run);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_string_equal(run.seen, "a.example, b.example, c.example, d.example");
    assert_int_equal(run.dns.n_most, 4); /* two questions each */
    run_close(&run);
}

static void can_be_freed_at_any_time(void **state)
{
    (void)state;
    for (int n_turns = 0; n_turns < 4; n_turns++) {
        struct run run;
        run_open(&run, 1);
        mx_hosts_ask(run.hosts, "a.example", note_seen, &run);
        mx_hosts_ask(run.hosts, "b.example", note_seen, &run);
        for (int i = 0; i < n_turns; i++)
            uv_run(&run.loop, UV_RUN_NOWAIT);
        run_close(&run);
    }
    mx_hosts_free(NULL);
}

static void count_seen(void *context, const void *host)
{
    unsigned *n_seen = context;

    (void)host;
    ++*n_seen;
}

/* The oldest is dropped, and asked for again. */
static void keeps_a_bounded_number(void **state)
{
    unsigned n_seen = 0;
    struct run run;

    (void)state;
    run_open(&run, 64);
    for (unsigned i = 0; i <= MX_HOSTS_KEPT; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%u.example", i);
        mx_hosts_ask(run.hosts, name, count_seen, &n_seen);
    }
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_int_equal(n_seen, MX_HOSTS_KEPT + 1);
    run.dns.asked[0] = '\0';
    mx_hosts_ask(run.hosts, "1.example", note_seen, &run);
    mx_hosts_ask(run.hosts, "0.example", note_seen, &run);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    assert_string_equal(run.dns.asked, "A 0.example, AAAA 0.example");
    assert_string_equal(run.seen, "1.example, 0.example");
    run_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_a_host_once),       cmocka_unit_test(a_callback_may_ask_again),
        cmocka_unit_test(visits_so_many_at_a_time), cmocka_unit_test(can_be_freed_at_any_time),
        cmocka_unit_test(keeps_a_bounded_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
