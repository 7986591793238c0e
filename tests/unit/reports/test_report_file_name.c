/* SPDX-License-Identifier: MIT */
#include "reports/report_file_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_name(void **state)
{
    static const struct {
        const char *name, *domain; /* NULL: no report */
    } rows[] = {
        {"", NULL},
        {".json", NULL},
        {"!!!.json", NULL},
        {"a!b!1.json", NULL},
        {"a!b!1!2.json", "b"},
        {"google.com!example.com!1704067200!1704153599!001.json.gz", "example.com"},
        {"A!B.Example!1!2.JSON.GZ", "B.Example"},
        {"a!b!1!2.json.zip", "b"},
        {"a!b!1!2!3!4!5.json", "b"},
        {"a!!1!2.json", NULL},
        {"google.com!example.com!1704067200!1704153599.zip", NULL}, /* DMARC */
        {"google.com!example.com!1704067200!1704153599.xml.gz", NULL},
        {"a!b!1!2.gz", NULL},
        {"report.json", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice domain = SLICE_BYTES("untouched");
        int seen = report_file_name_parse(slice_of(rows[i].name), &domain);

        if (seen != (rows[i].domain ? 0 : -1) ||
            !slice_eq_text(domain, rows[i].domain ? rows[i].domain : "untouched"))
            fail_msg("row %zu: wanted %s, saw %d %.*s", i, rows[i].domain ? rows[i].domain : "none",
                     seen, SLICE_ARG(domain));
    }
}

static void test_json_ending(void **state)
{
    (void)state;
    assert_true(report_file_name_is_json(slice_of("report.json")));
    assert_true(report_file_name_is_json(slice_of("report.Json.Gz")));
    assert_false(report_file_name_is_json(slice_of("report.xml.gz")));
    assert_false(report_file_name_is_json(slice_of(".json")));
    assert_false(report_file_name_is_json(slice_of("json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_json_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
