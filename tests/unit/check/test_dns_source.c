/* SPDX-License-Identifier: MIT */
#include "check/dns_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

static void test_copy_needs_nothing_of_the_answer(void **state)
{
    struct arena *arena = arena_new(0);
    char canonical[] = "a.example", why[] = "x", bytes[] = "\0ab";
    struct slice rdata[] = {{bytes, 3}, {bytes, 1}};
    struct dns_answer answer = {.status = DNS_OK,
                                .secure = true,
                                .canonical = canonical,
                                .ttl_s = 5,
                                .rdata = rdata,
                                .n_rdata = 2,
                                .why = why};
    const struct dns_answer *copy = dns_answer_copy(&answer, arena);

    (void)state;
    memset(canonical, 'z', 3);
    memset(bytes, 'z', 3);
    memset(rdata, 0, sizeof(rdata));
    why[0] = 'z';
    assert_string_equal(copy->canonical, "a.example");
    assert_string_equal(copy->why, "x");
    assert_int_equal(copy->n_rdata, 2);
    assert_true(slice_eq(copy->rdata[0], (struct slice){"\0ab", 3}));
    assert_true(slice_eq(copy->rdata[1], (struct slice){"\0", 1}));
    assert_true(copy->secure);
    assert_int_equal(copy->ttl_s, 5);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy_needs_nothing_of_the_answer)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
