/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"

#define ID_A " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
#define ID_B " bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
#define A_ENFORCE "serves a.example" ID_A "enforce 1000 a.example - - mx1,mx2\n"
#define A_NONE "serves a.example" ID_B "none 100 a.example - - mx1,mx2\n"

static struct ledger *ledger_of(const char *lines, const char *domain)
{
    static char bytes[4096];
    struct ledger *ledger;
    struct err err;

    snprintf(bytes, sizeof(bytes), LEDGER_HEAD "%s", lines);
    assert_int_equal(ledger_read_bytes(slice_of(bytes), NULL, domain, &ledger, &err), 0);
    return ledger;
}

static void test_periods(void **state)
{
    struct ledger *ledger = ledger_of("10 " A_ENFORCE "11 fetchable a.example\n"
                                      "20 fetchable a.example\n30 " A_NONE "50 ends a.example\n",
                                      NULL);
    const struct ledger_domain *domain = ledger_find(ledger, slice_of("a.example"));

    (void)state;
    assert_int_equal(domain->fetchable_unix_s, 11);
    assert_int_equal(domain->latest->from_unix_s, 30);
    assert_int_equal(domain->latest->until_unix_s, 50);
    assert_int_equal(domain->latest->earlier->from_unix_s, 10);
    assert_int_equal(domain->latest->earlier->until_unix_s, 30);
    assert_null(domain->latest->earlier->earlier);
    assert_null(ledger_find(ledger, slice_of("b.example")));
    assert_null(ledger_find(NULL, slice_of("a.example")));
    assert_ptr_equal(ledger_next(ledger, NULL), domain);
    assert_null(ledger_next(ledger, domain));
    ledger_free(ledger);
}

/* What senders hold goes on after the policy's end by its max_age, and mode none holds nobody. */
static void test_held(void **state)
{
    struct ledger *ledger = ledger_of("10 " A_ENFORCE "30 " A_NONE, NULL);
    const struct ledger_domain *domain = ledger_find(ledger, slice_of("a.example"));

    (void)state;
    assert_int_equal(ledger_held_until(domain, 40), 1030);
    assert_int_equal(ledger_held_until(domain, 1029), 1030);
    assert_int_equal(ledger_held_until(domain, 1030), 0);
    ledger_free(ledger);
    ledger = ledger_of("10 " A_ENFORCE, NULL);
    domain = ledger_find(ledger, slice_of("a.example"));
    assert_int_equal(ledger_held_until(domain, 5000), 6000); /* it is served still */
    assert_int_equal(ledger_enforced_until(domain, (struct slice){0}, 5000), 6000);
    assert_int_equal(ledger_enforced_until(domain, slice_of("mx2"), 5000), 0);
    assert_int_equal(ledger_enforced_until(domain, slice_of("mx3"), 5000), 6000);
    assert_int_equal(ledger_enforced_until(domain, slice_of("mx"), 5000), 6000);
    ledger_free(ledger);
}

/* Only a domain that is served no more can be over, and not before the last sender forgot it. */
static void test_over(void **state)
{
    struct ledger *ledger = ledger_of("10 " A_ENFORCE "30 " A_NONE "50 ends a.example\n"
                                      "10 serves b.example" ID_A "none 100 b.example - - -\n"
                                      "11 fetchable c.example\n",
                                      NULL);
    const struct ledger_domain *domain = ledger_find(ledger, slice_of("a.example"));

    (void)state;
    assert_false(ledger_is_over(domain, 1029));
    assert_true(ledger_is_over(domain, 1030));
    assert_false(ledger_is_over(ledger_find(ledger, slice_of("b.example")), 5000));
    assert_false(ledger_is_over(ledger_find(ledger, slice_of("c.example")), 5000));
    ledger_free(ledger);
}

/* The TXT in a zone goes with every policy that was served with it, in mode none too. */
static void test_delegated(void **state)
{
    struct ledger *ledger =
        ledger_of("10 serves a.example" ID_A "enforce 1000 a.example z.example - mx1\n"
                  "20 serves a.example" ID_A "none 2000 a.example - z.example mx1\n"
                  "30 " A_ENFORCE,
                  NULL);
    const struct ledger_domain *domain = ledger_find(ledger, slice_of("a.example"));

    (void)state;
    assert_int_equal(ledger_delegated_until(domain, slice_of("z.example"), 2029), 2030);
    assert_int_equal(ledger_delegated_until(domain, slice_of("z.example"), 2030), 0);
    assert_int_equal(ledger_delegated_until(domain, slice_of("y.example"), 40), 0);
    ledger_free(ledger);
}

static void test_one_domain(void **state)
{
    struct ledger *ledger = ledger_of("10 " A_ENFORCE "11 fetchable b.example\nbroken b.example\n"
                                      "12 fetchable xa.example\n",
                                      "a.example");

    (void)state;
    assert_non_null(ledger_find(ledger, slice_of("a.example")));
    assert_null(ledger_find(ledger, slice_of("b.example")));
    assert_null(ledger_find(ledger, slice_of("xa.example")));
    assert_int_equal(ledger_damaged_line(ledger), 0);
    ledger_free(ledger);
}

/* A damaged line is skipped and named; half a line at the end is no damage. */
static void test_damage(void **state)
{
    struct ledger *ledger =
        ledger_of("10 " A_ENFORCE "rubbish\n11 fetchable a.example\n12 fetchable b.exam", NULL);

    (void)state;
    assert_int_equal(ledger_damaged_line(ledger), 3);
    assert_int_equal(ledger_find(ledger, slice_of("a.example"))->fetchable_unix_s, 11);
    assert_null(ledger_find(ledger, slice_of("b.exam")));
    assert_int_equal(ledger_whole_len(ledger),
                     strlen(LEDGER_HEAD "10 " A_ENFORCE "rubbish\n11 fetchable a.example\n"));
    ledger_free(ledger);
}

static void test_no_ledger(void **state)
{
    struct ledger *ledger;
    struct err err;

    (void)state;
    assert_int_equal(ledger_read("/nowhere", NULL, &ledger, &err), 0);
    assert_null(ledger_next(ledger, NULL));
    ledger_free(ledger);
    assert_int_equal(ledger_read_bytes(slice_of("something\nelse\n"), NULL, NULL, &ledger, &err),
                     -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_int_equal(ledger_read("/etc/passwd", NULL, &ledger, &err), -1);
    assert_string_equal(err.msg, "'/etc/passwd/ledger' cannot be read: Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods),    cmocka_unit_test(test_held),
        cmocka_unit_test(test_over),       cmocka_unit_test(test_delegated),
        cmocka_unit_test(test_one_domain), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_ledger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
