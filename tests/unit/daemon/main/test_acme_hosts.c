/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "daemon/tls/cert_install.h"
#include "daemon/tls/cert_store_check.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/acme_home.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"
#define C "mta-sts.c.example"

#define ABC "a.example: {}, b.example: {}, c.example: {}"

enum {
    DAY_S = 24 * 60 * 60,
};

static struct acme_home home;
static struct acme_stats stats;
static struct acme_hosts *hosts;

static int set_up(void **state)
{
    struct acme_hosts_options options;
    const struct cert_state nothing = {.certificate = NULL};

    (void)state;
    acme_home_open(&home);
    options = (struct acme_hosts_options){
        .commands = home.commands, .clock = &acme_home_clock, .stats = &stats, .seed = 1};
    hosts = acme_hosts_new(&options, home.config);
    acme_hosts_see(hosts, A, &nothing);
    acme_hosts_see(hosts, B, &nothing);
    acme_hosts_see(hosts, C, &nothing);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    acme_hosts_free(hosts);
    acme_home_close(&home);
    return 0;
}

/* The hosts that are picked, with spaces between them. */
static const char *picked(void)
{
    static char text[256];
    char names[8][POLICY_HOST_SIZE];
    int64_t wait_s;
    size_t n = acme_hosts_pick(hosts, 8, names, &wait_s);

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, names[i]);
    }
    return text;
}

/* What the reload of a configuration makes of hosts that wait. */
static const struct {
    const char *domains, *policy_host, *tried;
} reloads[] = {
    /* Who changes nothing has changed something elsewhere. */
    {ABC, "name: p.example", A " " B " " C},
    {"a.example: {}, b.example: {mode: enforce}, c.example: {}", "name: p.example", B},
    {"a.example: {}, b.example: {zone: b.example}, c.example: {zone: example}", "name: p.example",
     C},
    {"b.example: {}, c.example: {}", "name: p.example", ""},
    /* Nobody has looked at its certificate yet, so that one is not tried. */
    {ABC ", d.example: {}", "name: p.example", ""},
    {ABC ", d.example: {}", "name: q.example", A " " B " " C},
    {ABC ", d.example: {}", "addresses: [192.0.2.1]", A " " B " " C},
    {"a.example: {}, b.example: {}, c.example: {mta_sts: false, tls_rpt: "
     "['mailto:a@b.example']}",
     "name: p.example", ""},
};

static void test_reloads(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(reloads); i++) {
        struct config *next;

        set_up(state);
        next = acme_home_config(&home, reloads[i].domains, reloads[i].policy_host);
        assert_string_equal(picked(), A " " B " " C);
        acme_hosts_fail(hosts, A, ACME_NOT_READY, "no address", 0);
        acme_hosts_fail(hosts, B, ACME_NOT_READY, "no address", 0);
        acme_hosts_fail(hosts, C, ACME_NOT_READY, "no address", 0);
        assert_string_equal(picked(), "");
        acme_hosts_set_config(hosts, next);
        if (strcmp(picked(), reloads[i].tried) != 0)
            fail_msg("row %zu", i);
        config_unref(next);
        tear_down(state);
    }
}

/* Addresses are compared one by one. */
static void test_addresses(void **state)
{
    struct config *was = acme_home_config(&home, ABC, "addresses: [192.0.2.1, 192.0.2.2]");
    struct config *is =
        acme_home_config(&home, ABC ", d.example: {}", "addresses: [192.0.2.1, 192.0.2.3]");

    (void)state;
    acme_hosts_set_config(hosts, was);
    picked();
    acme_hosts_fail(hosts, A, ACME_NOT_READY, "no address", 0);
    acme_hosts_set_config(hosts, is);
    assert_string_equal(picked(), A);
    config_unref(was);
    config_unref(is);
}

/* An order that has failed has cost something: a reload makes it no better. */
static void test_reload_after_a_refusal(void **state)
{
    (void)state;
    picked();
    acme_hosts_fail(hosts, A, ACME_REFUSED, "unauthorized", 0);
    acme_hosts_set_config(hosts, home.config);
    assert_string_equal(picked(), "");
    acme_home_now += ACME_TOUCH_S;
    acme_hosts_fail(hosts, B, ACME_REFUSED, "unauthorized", 0);
    acme_hosts_set_config(hosts, home.config);
    assert_string_equal(picked(), A);
}

/* Why nothing has happened yet to hosts that could be ordered. */
static void test_turn(void **state)
{
    struct acme_host_info info;
    FILE *note;

    (void)state;
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_string_equal(info.reason, "");
    assert_int_equal(mkdir(acme_home_path(&home, "certificates/" A), 0755), 0);
    note = fopen(acme_home_path(&home, "certificates/" A "/directory"), "w");
    fputs("https://staging.ca.example/dir\n", note);
    fclose(note);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_string_equal(info.reason, "its certificate is of another authority than acme.directory "
                                     "says, and is ordered anew");
    for (int i = 0; i < 90; i++)
        assert_true(acme_hosts_begin_order(hosts, B));
    assert_int_equal(acme_hosts_find(hosts, C, &info), 0);
    assert_string_equal(info.reason, "it waits for its turn: acme.orders_per_hour allows 90 "
                                     "orders an hour");
    assert_int_equal(info.next_unix_s, acme_home_now + 60 * 60);
}

static void test_host_that_leaves(void **state)
{
    struct config *next = acme_home_config(&home, "a.example: {}", "name: p.example");
    const struct cert_install_dates dates = {acme_home_now, acme_home_now + DAY_S};
    const struct cert_state nothing = {.certificate = NULL};
    struct acme_host_info info;

    (void)state;
    picked();
    acme_hosts_set_config(hosts, next);
    assert_true(acme_hosts_begin_order(hosts, A));
    assert_false(acme_hosts_begin_order(hosts, B));
    acme_hosts_put_back(hosts, B);
    acme_hosts_fail(hosts, B, ACME_REFUSED, "no", 0);
    acme_hosts_succeed(hosts, C, &dates, ACME_JUST_ISSUED);
    acme_hosts_see(hosts, C, &nothing);
    assert_int_equal(acme_hosts_find(hosts, B, &info), -1);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_MISSING);
    config_unref(next);
}

static void test_what_is_known(void **state)
{
    const struct cert_install_dates dates = {acme_home_now, acme_home_now + 90 * DAY_S};
    struct acme_host_info info;

    (void)state;
    assert_string_equal(picked(), A " " B " " C);
    acme_hosts_succeed(hosts, A, &dates, ACME_JUST_ISSUED);
    acme_hosts_fail(hosts, B, ACME_STOPPED, "open a link", 0);
    acme_hosts_put_back(hosts, C);
    acme_hosts_count(hosts);
    assert_int_equal(stats.n_hosts[ACME_VALID], 1);
    assert_int_equal(stats.n_hosts[ACME_PAUSED], 1);
    assert_int_equal(stats.n_hosts[ACME_MISSING], 1);
    assert_int_equal(stats.earliest_expiry_unix_s, dates.not_after_unix_s);
    assert_int_equal(stats.held_until_unix_s, 0);
    assert_int_equal(acme_hosts_find(hosts, B, &info), 0);
    assert_string_equal(info.reason, "open a link");
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_string_equal(info.reason, "");
    assert_int_equal(info.not_after_unix_s, dates.not_after_unix_s);
    assert_string_equal(picked(), C);
}

/* A new certificate that is over already: the clock is wrong, which is said, and the next is not
 * ordered at once. */
static void test_wrong_clock(void **state)
{
    const struct cert_install_dates dates = {acme_home_now - 60 * DAY_S,
                                             acme_home_now - 15 * DAY_S};
    struct acme_host_info info;

    (void)state;
    assert_string_equal(picked(), A " " B " " C);
    acme_hosts_succeed(hosts, A, &dates, ACME_JUST_ISSUED);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_FAILING);
    assert_non_null(strstr(info.reason, "this machine's clock is wrong: it says "));
    assert_string_equal(picked(), "");
    /* One that was kept since an earlier order tells nothing of the clock. */
    acme_hosts_succeed(hosts, B, &dates, ACME_OF_EARLIER_ORDER);
    assert_string_equal(picked(), B);
    acme_home_now -= 60 * DAY_S;
    assert_string_equal(picked(), "");
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_VALID);
    assert_string_equal(info.reason, "");
}

/* A host that nothing has befallen shows what it waits for, as long as it does. */
static void test_reason_of_a_hold(void **state)
{
    struct acme_host_info info;

    (void)state;
    assert_string_equal(picked(), A " " B " " C);
    acme_hosts_hold_until(hosts, "no such directory", acme_home_now + 100);
    acme_hosts_put_back(hosts, A);
    acme_hosts_fail(hosts, B, ACME_REFUSED, "unauthorized", acme_home_now + 3000);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_string_equal(info.reason, "no such directory");
    assert_int_equal(info.next_unix_s, acme_home_now + 100);
    assert_int_equal(acme_hosts_find(hosts, B, &info), 0);
    assert_string_equal(info.reason, "unauthorized");
    assert_int_equal(info.next_unix_s, acme_home_now + 3000);
    acme_home_now += 100;
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_string_equal(info.reason, "");
}

/* The authority is spared for longer each time, this machine is not. */
static void test_holds(void **state)
{
    static const struct {
        void (*hold)(struct acme_hosts *hosts, const char *reason);
        int64_t least_s, most_s; /* of the fourth time */
    } rows[] = {{acme_hosts_hold, ACME_HOLD_S * 8 * 3 / 4, ACME_HOLD_S * 8 * 5 / 4},
                {acme_hosts_wait, ACME_HOLD_S * 3 / 4, ACME_HOLD_S * 5 / 4}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        set_up(state);
        for (int n = 0; n < 4; n++) {
            acme_home_now += DAY_S;
            rows[i].hold(hosts, "why");
        }
        acme_hosts_count(hosts);
        assert_in_range(stats.held_until_unix_s - acme_home_now, rows[i].least_s, rows[i].most_s);
        assert_string_equal(picked(), "");
        acme_home_now += rows[i].most_s;
        acme_hosts_count(hosts);
        assert_int_equal(stats.held_until_unix_s, 0);
        assert_string_equal(picked(), A " " B " " C);
        tear_down(state);
    }
}

#define WITH_HOSTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reloads),
        WITH_HOSTS(test_addresses),
        WITH_HOSTS(test_reload_after_a_refusal),
        WITH_HOSTS(test_host_that_leaves),
        WITH_HOSTS(test_turn),
        WITH_HOSTS(test_what_is_known),
        WITH_HOSTS(test_wrong_clock),
        WITH_HOSTS(test_reason_of_a_hold),
        cmocka_unit_test(test_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
