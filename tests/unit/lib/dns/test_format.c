/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dns/format_row.h"
#include "lib/dns/sample.h"
#include "support/printed.h"

static void test_table(void **state)
{
    static const char *const names[] = {
        "zone",    "panel",      "nsupdate",          "json",
        "octodns", "dnscontrol", "terraform-route53", "terraform-cloudflare",
        "powerdns"};

    (void)state;
    assert_int_equal(n_dns_formats, ARRAY_LEN(names));
    for (size_t i = 0; i < n_dns_formats; i++) {
        assert_string_equal(dns_formats[i]->name, names[i]);
        assert_ptr_equal(dns_format_find(slice_of(names[i])), dns_formats[i]);
        assert_int_equal(dns_formats[i]->file_suffix[0], '.');
        assert_true(strlen(dns_formats[i]->what) > 0);
        assert_non_null(dns_formats[i]->print);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(dns_formats[k]->file_suffix, dns_formats[i]->file_suffix);
    }
    assert_null(dns_format_find(slice_of("")));
    assert_null(dns_format_find(slice_of("Zone")));
    assert_null(dns_format_find(slice_of("zones")));
}

static void trace_begin(struct dns_output *output)
{
    fprintf(output->out, "[%zu", output->n_records);
}

static void trace_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, " %s(%s", zone, output->previous ? "previous!" : "");
}

static void trace_print(struct dns_output *output, const struct dns_record *record)
{
    fprintf(output->out, " %s%zu%s", record->name, output->n_records,
            output->previous ? output->previous->name : "");
}

static void trace_end_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, ")%s", zone);
}

static void trace_end(struct dns_output *output)
{
    fprintf(output->out, " %zu]", output->n_records);
}

static void test_print(void **state)
{
    static const struct dns_format all = {
        .begin = trace_begin,
        .begin_zone = trace_begin_zone,
        .print = trace_print,
        .end_zone = trace_end_zone,
        .end = trace_end,
    };
    static const struct dns_format least = {.print = trace_print};
    static const struct dns_record records[] = {
        {.zone = "x", .name = "a"}, {.zone = "x", .name = "b"}, {.zone = "y", .name = "c"},
        {.zone = "z", .name = "d"}, {.zone = "x", .name = "e"},
    };
    const struct {
        const struct dns_format *format;
        size_t n_records;
        const char *want;
    } rows[] = {
        {&all, 0, "[0 0]"},
        {&all, 1, "[0 x( a0)x 1]"},
        {&all, 2, "[0 x( a0 b1a)x 2]"},
        {&all, 5, "[0 x( a0 b1a)x y( c2)y z( d3)z x( e4)x 5]"},
        {&least, 0, ""},
        {&least, 3, " a0 b1a c2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = printed(rows[i].format, records, rows[i].n_records);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

static void trace_set(struct dns_output *output, const struct dns_record *first)
{
    fprintf(output->out, "<%s", first->value);
}

static void trace_in_set(struct dns_output *output, const struct dns_record *record)
{
    (void)record;
    fprintf(output->out, " %zu", output->n_in_set);
}

static void trace_end_set(struct dns_output *output, const struct dns_record *last)
{
    fprintf(output->out, " %s>", last->value);
}

/* Records of one name and type; a withheld record is a set by itself. */
static void test_sets(void **state)
{
    static const struct dns_format format = {
        .begin_set = trace_set, .print = trace_in_set, .end_set = trace_end_set};
    static const struct dns_record records[] = {
        {.zone = "x", .name = "a", .type = RECORD_A, .value = "a"},
        {.zone = "x", .name = "a", .type = RECORD_A, .value = "b"},
        {.zone = "x", .name = "a", .type = RECORD_AAAA, .value = "c"},
        {.zone = "x", .name = "b", .type = RECORD_AAAA, .value = "d"},
        {.zone = "x", .name = "b", .type = RECORD_AAAA, .value = "e", .withheld = "not yet"},
        {.zone = "x", .name = "b", .type = RECORD_AAAA, .value = "f"},
        {.zone = "y", .name = "b", .type = RECORD_AAAA, .value = "g"},
    };
    char *seen = printed(&format, records, ARRAY_LEN(records));

    (void)state;
    assert_string_equal(seen, "<a 0 1 b><c 0 c><d 0 d><e 0 e><f 0 f><g 0 g>");
    free(seen);
}

static void sort_backwards(const struct dns_record **records, size_t n_records)
{
    for (size_t i = 0; i < n_records / 2; i++) {
        const struct dns_record *record = records[i];

        records[i] = records[n_records - 1 - i];
        records[n_records - 1 - i] = record;
    }
}

/* Within each zone, never across two. */
static void test_sort(void **state)
{
    static const struct dns_format format = {.print = trace_print, .sort = sort_backwards};
    static const struct dns_record records[] = {
        {.zone = "x", .name = "a"}, {.zone = "x", .name = "b"}, {.zone = "x", .name = "c"},
        {.zone = "y", .name = "d"}, {.zone = "y", .name = "e"},
    };
    char *seen = printed(&format, records, ARRAY_LEN(records));

    (void)state;
    assert_string_equal(seen, " c0 b1c a2b e3 d4e");
    free(seen);
}

static void test_zone_len(void **state)
{
    static const struct dns_record records[] = {
        {.zone = "x"}, {.zone = "x"}, {.zone = "xy"}, {.zone = "x"}};

    (void)state;
    assert_int_equal(dns_format_zone_len(records, 4), 2);
    assert_int_equal(dns_format_zone_len(records, 1), 1);
    assert_int_equal(dns_format_zone_len(records + 2, 2), 1);
    assert_int_equal(dns_format_zone_len(records + 3, 1), 1);
}

static void test_group(void **state)
{
    struct dns_record records[] = {
        {.zone = "b.example", .name = "1"}, {.zone = "a.example", .name = "2"},
        {.zone = "b.example", .name = "3"}, {.zone = "a.example", .name = "4"},
        {.zone = "a.example", .name = "5"},
    };
    char names[ARRAY_LEN(records) + 1] = "";

    (void)state;
    dns_format_group(records, ARRAY_LEN(records));
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        strcat(names, records[i].name);
    assert_string_equal(names, "24513");
    assert_int_equal(dns_format_zone_len(records, ARRAY_LEN(records)), 3);
    dns_format_group(NULL, 0);
}

static void test_relative_name(void **state)
{
    static const struct {
        const char *name, *zone, *want;
    } rows[] = {
        {"example.com", "example.com", "@"},
        {"a.example.com", "example.com", "a"},
        {"_smtp._tls.a.example.com", "example.com", "_smtp._tls.a"},
        {"aexample.com", "example.com", "aexample.com"},
        {"example.org", "example.com", "example.org"},
        {"com", "example.com", "com"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_record record = {.name = rows[i].name, .zone = rows[i].zone};
        struct slice seen = dns_relative_name(&record, "@");

        if (!slice_eq_text(seen, rows[i].want))
            fail_msg("row %zu: wanted %s, saw %.*s", i, rows[i].want, SLICE_ARG(seen));
    }
}

static void test_txt(void **state)
{
    static const struct {
        struct slice text;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {SLICE_BYTES("a"), "\"a\""},
        {SLICE_BYTES("v=STSv1; id=a;"), "\"v=STSv1; id=a;\""},
        {SLICE_BYTES("\"\\"), "\"\\\"\\\\\""},
        {SLICE_BYTES(" ~$@()"), "\" ~$@()\""},
        {SLICE_BYTES("\0\t\r\n\x1f\x7f"), "\"\\000\\009\\013\\010\\031\\127\""},
        {SLICE_BYTES("\xc3\xbc\xff"), "\"\\195\\188\\255\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = printed_slice(dns_print_txt, rows[i].text);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

/* Strings of 255 octets, whatever their escapes take. */
static void test_long_txt(void **state)
{
    static const struct {
        size_t len, n_strings;
    } rows[] = {{254, 1}, {255, 1}, {256, 2}, {510, 2}, {511, 3}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[511], want[1100], *end = want, *seen;

        memset(text, '"', sizeof(text));
        for (size_t k = 0; k < rows[i].len; k++)
            end = stpcpy(end, k == 0 ? "\"\\\"" : k % 255 == 0 ? "\" \"\\\"" : "\\\"");
        stpcpy(end, "\"");
        seen = printed_slice(dns_print_txt, (struct slice){text, rows[i].len});
        if (strcmp(seen, want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, want, seen);
        free(seen);
    }
}

static void test_visible(void **state)
{
    static const struct slice text = SLICE_BYTES(" a~\"\\;\n\0\x7f\xc3\xbc");
    char *seen = printed_slice(dns_print_visible, text);

    (void)state;
    assert_string_equal(seen, " a~\"\\;\\x0a\\x00\\x7f\\xc3\\xbc");
    free(seen);
}

static void test_rdata(void **state)
{
    static const struct {
        struct dns_record record;
        const char *want;
    } rows[] = {
        {{.type = RECORD_TXT, .value = "a b"}, "\"a b\""},
        {{.type = RECORD_CNAME, .value = "a.b"}, "a.b."},
        {{.type = RECORD_A, .value = "192.0.2.1"}, "192.0.2.1"},
        {{.type = RECORD_AAAA, .value = "2001:db8::1"}, "2001:db8::1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = dns_rdata_text(&rows[i].record);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_print),
        cmocka_unit_test(test_txt),           cmocka_unit_test(test_long_txt),
        cmocka_unit_test(test_visible),       cmocka_unit_test(test_rdata),
        cmocka_unit_test(test_sets),          cmocka_unit_test(test_sort),
        cmocka_unit_test(test_zone_len),      cmocka_unit_test(test_group),
        cmocka_unit_test(test_relative_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
