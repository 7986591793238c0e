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

/* Written from doc.powerdns.com/authoritative/http-api/zone.html, "Creating new RRset". */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_powerdns, "powerdns.json");
}

/* The objects that stand one after the other in `text`, as one array. */
static json_t *loaded(const char *text)
{
    json_t *array = json_array();

    while (*text != '\0') {
        json_error_t error;
        json_t *object = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);

        if (!object)
            fail_msg("line %d: %s in %s", error.line, error.text, text);
        json_array_append_new(array, object);
        text += error.position;
        text += strspn(text, "\n");
    }
    return array;
}

/* p: one of two addresses at a name, o: a TXT at another, w: a withheld one. */
static struct dns_record record_of(char letter)
{
    switch (letter) {
    case 'p':
        return (struct dns_record){
            .zone = "b", .name = "a.b", .type = RECORD_A, .value = "192.0.2.1"};
    case 'o':
        return (struct dns_record){.zone = "b", .name = "c.b", .type = RECORD_TXT, .value = "x"};
    default:
        return (struct dns_record){
            .zone = "b", .name = "d.b", .type = RECORD_TXT, .value = "y", .withheld = "not yet"};
    }
}

/* Sets are whole and none is withheld, wherever a withheld one stands among them. */
static void test_sets(void **state)
{
    static const struct {
        const char *letters;
        size_t n_sets, n_last; /* the last: records of the last set */
    } rows[] = {
        {"w", 0, 0},    {"wp", 1, 1},   {"pw", 1, 1},   {"ppp", 1, 3},
        {"wppo", 2, 1}, {"owpp", 2, 2}, {"wwow", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n_records = strlen(rows[i].letters);
        struct dns_record records[4];
        char *text;
        json_t *array;
        const json_t *sets, *last;

        for (size_t k = 0; k < n_records; k++)
            records[k] = record_of(rows[i].letters[k]);
        text = printed(&dns_format_powerdns, records, n_records);
        array = loaded(text);
        sets = json_object_get(json_array_get(array, 0), "rrsets");
        last = json_array_get(sets, json_array_size(sets) - 1);
        if (json_array_size(array) != 1 || !json_is_array(sets) ||
            json_array_size(sets) != rows[i].n_sets ||
            json_array_size(json_object_get(last, "records")) != rows[i].n_last)
            fail_msg("row %zu: wanted %zu sets, saw %s", i, rows[i].n_sets, text);
        json_decref(array);
        free(text);
    }
}

static void test_empty(void **state)
{
    char *text = printed(&dns_format_powerdns, NULL, 0);

    (void)state;
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
