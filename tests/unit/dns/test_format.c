/* SPDX-License-Identifier: MIT */
#include "dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/formats.h"
#include "dns/sample.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    } /* NULs inside count */

static void test_table(void **state)
{
    static const char *const names[] = {"zone", "panel", "nsupdate", "json"};

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

/* What `print` writes of a text; for free(). */
static char *written(void (*print)(struct slice, FILE *), struct slice text)
{
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    print(text, out);
    fclose(out);
    return seen;
}

static void test_txt(void **state)
{
    static const struct {
        struct slice text;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {BYTES("a"), "\"a\""},
        {BYTES("v=STSv1; id=a;"), "\"v=STSv1; id=a;\""},
        {BYTES("\"\\"), "\"\\\"\\\\\""},
        {BYTES(" ~$@()"), "\" ~$@()\""},
        {BYTES("\0\t\r\n\x1f\x7f"), "\"\\000\\009\\013\\010\\031\\127\""},
        {BYTES("\xc3\xbc\xff"), "\"\\195\\188\\255\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = written(dns_print_txt, rows[i].text);

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
        seen = written(dns_print_txt, (struct slice){text, rows[i].len});
        if (strcmp(seen, want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, want, seen);
        free(seen);
    }
}

static void test_visible(void **state)
{
    static const struct slice text = BYTES(" a~\"\\;\n\0\x7f\xc3\xbc");
    char *seen = written(dns_print_visible, text);

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
        char *seen = NULL;
        size_t len;
        FILE *out = open_memstream(&seen, &len);

        dns_print_rdata(&rows[i].record, out);
        fclose(out);
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),   cmocka_unit_test(test_print),
        cmocka_unit_test(test_txt),     cmocka_unit_test(test_long_txt),
        cmocka_unit_test(test_visible), cmocka_unit_test(test_rdata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
