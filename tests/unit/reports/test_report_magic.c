/* SPDX-License-Identifier: MIT */
#include "reports/report_magic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_magic(void **state)
{
    static const struct {
        struct slice bytes;
        enum report_magic want;
    } rows[] = {
        {SLICE_BYTES(""), REPORT_MAGIC_NONE},
        {SLICE_BYTES(" \r\n\t"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("\x1f"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("\x1f\x8b"), REPORT_MAGIC_GZIP},
        {SLICE_BYTES("\x1f\x8b\x08\0\0"), REPORT_MAGIC_GZIP},
        {SLICE_BYTES(" \x1f\x8b"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("PK\x03\x04"), REPORT_MAGIC_ZIP},
        {SLICE_BYTES("PK\x05\x06"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("{"), REPORT_MAGIC_JSON},
        {SLICE_BYTES("\r\n\t {\"a\""), REPORT_MAGIC_JSON},
        {SLICE_BYTES("\xef\xbb\xbf{"), REPORT_MAGIC_JSON},
        {SLICE_BYTES("\xef\xbb\xbf"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("\xef\xbb{"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("\0{"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("<?xml"), REPORT_MAGIC_NONE},
        {SLICE_BYTES("[{"), REPORT_MAGIC_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum report_magic seen = report_magic_of(rows[i].bytes);

        if (seen != rows[i].want)
            fail_msg("row %zu: wanted %d, saw %d", i, (int)rows[i].want, (int)seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
