/* SPDX-License-Identifier: MIT */
#include "lib/state/published_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/dns/record.h"

#define LINE "a.example example provider _mta-sts.a.example TXT 300 v=STSv1; id=1;"

static void test_line(void **state)
{
    char line[] = LINE, *printed = NULL;
    size_t len = 0;
    struct dns_record record;
    FILE *out = open_memstream(&printed, &len);

    (void)state;
    assert_true(published_line_parse(line, &record));
    assert_string_equal(record.domain, "a.example");
    assert_string_equal(record.zone, "example");
    assert_int_equal(record.side, SIDE_PROVIDER);
    assert_string_equal(record.name, "_mta-sts.a.example");
    assert_int_equal(record.type, RECORD_TXT);
    assert_int_equal(record.ttl_s, 300);
    assert_string_equal(record.value, "v=STSv1; id=1;");
    assert_null(record.id);
    published_line_print(&record, out);
    fclose(out);
    assert_string_equal(printed, LINE "\n");
    free(printed);
}

static void test_damaged(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "a.example",
        "a.example a.example provider mta-sts.a.example CNAME 300",
        "a.example a.example provider mta-sts.a.example CNAME 300 ",
        "a.example a.example nobody mta-sts.a.example CNAME 300 p.example",
        "a.example a.example provider mta-sts.a.example MX 300 p.example",
        "a.example a.example provider mta-sts.a.example CNAME -1 p.example",
        "a.example a.example provider mta-sts.a.example CNAME 4294967296 p.example",
        "a.example  a.example provider mta-sts.a.example CNAME 300 p.example",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct dns_record record;
        char *line = strdup(lines[i]);

        assert_false(published_line_parse(line, &record));
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
