/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/dns/format_row.h"
#include "lib/dns/golden.h"

static void test_bytes(void **state)
{
    static const char want[] =
        "[\n"
        " {\"domain\": \"a.example.com\", \"zone\": \"example.com\", \"side\": \"customer\", "
        "\"name\": \"_mta-sts.a.example.com\", \"type\": \"TXT\", \"ttl\": 300, "
        "\"value\": \"v=STSv1; id=0a;\", \"strings\": [\"v=STSv1; id=0a;\"], \"policy\": null, "
        "\"id\": \"0a\", \"withheld\": \"no certificate\\u000ax IN A 192.0.2.9\", \"delete\": "
        "false},\n"
        " {\"domain\": \"a.example.com\", \"zone\": \"example.com\", \"side\": \"customer\", "
        "\"name\": \"mta-sts.a.example.com\", \"type\": \"A\", \"ttl\": 0, "
        "\"value\": \"192.0.2.1\", \"strings\": null, \"policy\": null, "
        "\"id\": null, \"withheld\": null, \"delete\": false}\n"
        "]\n";
    char *seen = printed(&dns_format_json, &sample[2], 2);

    (void)state;
    assert_string_equal(seen, want);
    free(seen);
}

static json_t *loaded(const struct dns_record *records, size_t n_records)
{
    char *text = printed(&dns_format_json, records, n_records);
    json_error_t error;
    json_t *array = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!array)
        fail_msg("line %d: %s in %s", error.line, error.text, text);
    assert_int_equal(json_array_size(array), n_records);
    free(text);
    return array;
}

static bool has_text(const json_t *object, const char *key, const char *want)
{
    const char *seen = json_string_value(json_object_get(object, key));

    return want ? seen && strcmp(seen, want) == 0 : json_is_null(json_object_get(object, key));
}

static void test_sample(void **state)
{
    json_t *array = loaded(sample, ARRAY_LEN(sample));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sample); i++) {
        const json_t *object = json_array_get(array, i);

        if (!has_text(object, "domain", sample[i].domain) ||
            !has_text(object, "zone", sample[i].zone) ||
            !has_text(object, "side", record_side_name(sample[i].side)) ||
            !has_text(object, "name", sample[i].name) ||
            !has_text(object, "type", record_type_name(sample[i].type)) ||
            json_integer_value(json_object_get(object, "ttl")) != sample[i].ttl_s ||
            !has_text(object, "value", sample[i].value) ||
            !has_text(object, "policy", sample[i].policy) ||
            !has_text(object, "id", sample[i].id) ||
            !has_text(object, "withheld", sample[i].withheld) || json_object_size(object) != 12)
            fail_msg("row %zu: saw %s", i, json_dumps(object, 0));
    }
    json_decref(array);
}

static void test_strings(void **state)
{
    static const struct {
        size_t len, n_strings, last_len;
    } rows[] = {{0, 1, 0}, {1, 1, 1}, {255, 1, 255}, {256, 2, 1}, {510, 2, 255}, {511, 3, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char value[512] = "";
        struct dns_record record = {.zone = "a", .name = "a", .type = RECORD_TXT, .value = value};
        const json_t *strings;
        json_t *array;

        memset(value, 'x', rows[i].len);
        array = loaded(&record, 1);
        strings = json_object_get(json_array_get(array, 0), "strings");
        if (json_array_size(strings) != rows[i].n_strings ||
            json_string_length(json_array_get(strings, rows[i].n_strings - 1)) != rows[i].last_len)
            fail_msg("row %zu: saw %s", i, json_dumps(strings, 0));
        json_decref(array);
    }
}

/* What tests/clients compares the files of the other formats with. */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_json, "records.json");
}

static void test_empty(void **state)
{
    (void)state;
    json_decref(loaded(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_sample),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
