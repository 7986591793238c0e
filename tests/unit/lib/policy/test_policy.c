/* SPDX-License-Identifier: MIT */
#include "lib/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_mode_find(void **state)
{
    static const struct {
        struct slice name;
        enum policy_mode want;
    } rows[] = {
        {{NULL, 0}, POLICY_MODE_COUNT},
        {SLICE_BYTES(""), POLICY_MODE_COUNT},
        {SLICE_BYTES("testing"), POLICY_TESTING},
        {SLICE_BYTES("enforce"), POLICY_ENFORCE},
        {SLICE_BYTES("none"), POLICY_MODE_NONE},
        {SLICE_BYTES("None"), POLICY_MODE_COUNT},
        {SLICE_BYTES("ENFORCE"), POLICY_MODE_COUNT},
        {SLICE_BYTES("enforc"), POLICY_MODE_COUNT},
        {SLICE_BYTES("enforced"), POLICY_MODE_COUNT},
        {SLICE_BYTES("none\0"), POLICY_MODE_COUNT},
        {SLICE_BYTES("none "), POLICY_MODE_COUNT},
        {SLICE_BYTES("n\xc3\xb6ne"), POLICY_MODE_COUNT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum policy_mode seen = policy_mode_find(rows[i].name);

        if (seen != rows[i].want)
            fail_msg("row %zu: wanted mode %d, saw %d", i, (int)rows[i].want, (int)seen);
    }
}

static void test_mode_name_round_trip(void **state)
{
    (void)state;
    for (enum policy_mode mode = 0; mode < POLICY_MODE_COUNT; mode++)
        assert_int_equal(policy_mode_find(slice_of(policy_mode_name(mode))), mode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode_find),
        cmocka_unit_test(test_mode_name_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
