/* SPDX-License-Identifier: MIT */
#include "lib/dns/terraform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dns/format_row.h"
#include "lib/dns/record.h"
#include "support/printed.h"

static void test_text(void **state)
{
    static const struct {
        struct slice text;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {SLICE_BYTES("v=STSv1; id=a;"), "\"v=STSv1; id=a;\""},
        {SLICE_BYTES("\"\\"), "\"\\\"\\\\\""},
        {SLICE_BYTES("$ % { } $a %a"), "\"$ % { } $a %a\""},
        {SLICE_BYTES("${a} %{b}"), "\"$${a} %%{b}\""},
        {SLICE_BYTES("$${a} %%{b}"), "\"$$${a} %%%{b}\""},
        {SLICE_BYTES("$%{"), "\"$%%{\""},
        {{"a${", 2}, "\"a$\""}, /* only what the slice holds is looked at */
        {SLICE_BYTES("\0\n\x1f\x7f~"), "\"\\u0000\\u000a\\u001f\\u007f~\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = printed_slice(terraform_print_text, rows[i].text);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

/* What is printed of a record in zone "b". */
static char *resource_of(struct dns_record record, const char *part)
{
    static const struct terraform_provider provider = {"res", "zones"};
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    record.zone = "x-y.b";
    terraform_begin_zone(&provider, record.zone, out);
    fputs("}\n", out);
    terraform_begin_resource(&provider, &record, part, out);
    terraform_end_resource(&record, out);
    fclose(out);
    return seen;
}

static void test_resource(void **state)
{
    static const struct {
        struct dns_record record;
        const char *part, *want;
    } rows[] = {
        {{.name = "_smtp._tls.1a.x-y.b", .type = RECORD_TXT},
         NULL,
         "\ndata \"zones\" \"mta-sts-zone_x-y_b\" {\n}\n"
         "\nresource \"res\" \"_smtp__tls_1a_x-y_b\" {\n"
         "  zone_id = data.zones.mta-sts-zone_x-y_b.zone_id\n"
         "  name    = \"_smtp._tls.1a.x-y.b\"\n"
         "  type    = \"TXT\"\n"
         "}\n"},
        {{.name = "a.x-y.b", .type = RECORD_AAAA, .withheld = "not\nyet"},
         "1::a.b",
         "\ndata \"zones\" \"mta-sts-zone_x-y_b\" {\n}\n"
         "\n# withheld: not\\x0ayet\n"
         "resource \"res\" \"a_x-y_b_1--a-b\" {\n"
         "  count   = 0\n"
         "  zone_id = data.zones.mta-sts-zone_x-y_b.zone_id\n"
         "  name    = \"a.x-y.b\"\n"
         "  type    = \"AAAA\"\n"
         "\n  lifecycle {\n    prevent_destroy = true\n  }\n"
         "}\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = resource_of(rows[i].record, rows[i].part);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
