/* SPDX-License-Identifier: MIT */
#include "reports/reports_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "support/reported.h"

static json_t *printed_json(const struct domain_reports *reports)
{
    struct arena *arena = arena_new(0);
    char *seen;
    size_t len;
    struct json_writer writer = {.out = open_memstream(&seen, &len), .indent = 2};
    json_t *root;

    reports_json_print(reports, arena, &writer);
    fclose(writer.out);
    root = json_loadb(seen, len, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        fail_msg("no JSON: %s", seen);
    free(seen);
    arena_free(arena);
    return root;
}

static const char *text_at(const json_t *root, const char *list, size_t index, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(root, list), index), key));
}

static const json_t *value_at(const json_t *root, const char *list, size_t index, const char *key)
{
    return json_object_get(json_array_get(json_object_get(root, list), index), key);
}

static void test_sample(void **state)
{
    struct arena *arena = arena_new(0);
    struct domain_reports reports = reported_sample(arena);
    json_t *root = printed_json(&reports);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(root, "domain")), "example.com");
    assert_string_equal(json_string_value(json_object_get(root, "verdict")), "NOT YET");
    assert_string_equal(json_string_value(json_object_get(root, "mode")), "testing");
    assert_int_equal(json_integer_value(json_object_get(root, "days")), 30);
    assert_string_equal(text_at(root, "reasons", 0, "advice"), "Do this");
    assert_true(json_is_null(value_at(root, "reasons", 1, "advice")));
    assert_int_equal(json_array_size(json_object_get(root, "reporters")), 4);
    assert_string_equal(text_at(root, "reporters", 0, "name"), "google.com");
    assert_string_equal(text_at(root, "reporters", 0, "proof"), "dkim");
    assert_string_equal(text_at(root, "reporters", 0, "first_day"), "2024-10-04");
    assert_int_equal(json_integer_value(value_at(root, "reporters", 0, "successful")), 1000);
    assert_int_equal(json_integer_value(value_at(root, "reporters", 0, "failed")), 2);
    assert_int_equal(json_integer_value(value_at(root, "reporters", 0, "without_policy")), 5);
    assert_true(json_is_true(value_at(root, "reporters", 0, "has_unknown_counts")));
    assert_true(json_is_true(value_at(root, "reporters", 1, "is_echo")));
    assert_int_equal(json_integer_value(value_at(root, "reporters", 2, "other_policy")), 3);
    assert_string_equal(text_at(root, "reporters", 3, "name"), "Evil\r\nCorp");
    assert_string_equal(text_at(root, "failures", 0, "type"), "certificate-expired");
    assert_string_equal(text_at(root, "failures", 0, "class"), "negotiation");
    assert_true(json_is_null(value_at(root, "failures", 1, "sessions")));
    assert_true(json_is_true(value_at(root, "failures", 1, "is_cured")));
    assert_true(json_is_null(value_at(root, "failures", 2, "type")));
    assert_int_equal(json_array_size(json_object_get(root, "entries")), 6);
    assert_true(json_is_null(value_at(root, "entries", 2, "successful")));
    assert_string_equal(text_at(root, "entries", 1, "policy_type"), "no-policy-found");
    assert_int_equal(json_integer_value(json_object_get(root, "conflicts")), 1);
    assert_int_equal(json_integer_value(json_object_get(root, "refused")), 1);
    assert_int_equal(json_array_size(json_object_get(root, "missing_reporters")), 2);
    json_decref(root);
    arena_free(arena);
}

static void test_nothing(void **state)
{
    struct domain_reports reports = {.domain = "example.com",
                                     .verdict = {.kind = REPORT_VERDICT_NO_DATA}};
    json_t *root = printed_json(&reports);

    (void)state;
    assert_true(json_is_null(json_object_get(root, "mode")));
    assert_int_equal(json_array_size(json_object_get(root, "entries")), 0);
    json_decref(root);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_sample),
                                              cmocka_unit_test(test_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
