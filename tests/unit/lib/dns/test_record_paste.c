/* SPDX-License-Identifier: MIT */
#include "lib/dns/record_paste.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

#define NAME "_mta-sts.example.com."

static void test_read(void **state)
{
    static const struct {
        struct slice text;
        const char *want; /* the values, a | behind each; or "!" and the message */
    } rows[] = {
        {SLICE_BYTES(""), "|"},
        {SLICE_BYTES("\n"), "|"},
        {SLICE_BYTES("v=STSv1; id=1"), "v=STSv1; id=1|"},
        {SLICE_BYTES(" v=STSv1; id=1 \r\n"), " v=STSv1; id=1 |"},
        {SLICE_BYTES("v=STSv1\\; id=1"), "v=STSv1\\; id=1|"}, /* what a sender sees */
        {SLICE_BYTES("v=STSv1; id=1\nv=spf1 a=b\n"), "v=STSv1; id=1|v=spf1 a=b|"},
        {SLICE_BYTES("\"v=STSv1; id=1\"\n"), "v=STSv1; id=1|"},
        {SLICE_BYTES("\"v=STSv1\\; id=1\"\n"), "v=STSv1; id=1|"},
        {SLICE_BYTES("\"v=STS\" \"v1; id\"\t\"=1\"\n"), "v=STSv1; id=1|"},
        {SLICE_BYTES("\"a\\\"\\\\\\059\\9\"\n"), "a\"\\;9|"},
        {SLICE_BYTES("\"a\"\r\n\"b\"\r\n"), "a|b|"},
        {SLICE_BYTES("policy.example.com.\n\"a\"\n"), "a|"}, /* dig +short by a CNAME */
        {SLICE_BYTES("policy.example.com.\n"), "policy.example.com.|"},
        {SLICE_BYTES(NAME " 300 IN TXT \"v=STSv1; id=1\"\n"), "v=STSv1; id=1|"},
        {SLICE_BYTES(NAME "\t300\tIN\tTXT\t\"v=STSv1\\;\" \" id=1\" ; comment\n"),
         "v=STSv1; id=1|"},
        {SLICE_BYTES("; <<>> DiG 9.18 <<>>\n;; ANSWER SECTION:\n" NAME " 300 IN txt \"a\"\n\n"
                     ";; Query time: 1 msec\n"),
         "a|"},
        {SLICE_BYTES("_mta-sts IN TXT ( \"v=STSv1; \"\n   \"id=1\" )\n_x IN TXT \"b\"\n"),
         "v=STSv1; id=1|b|"},
        {SLICE_BYTES("_mta-sts TXT v=STSv1\\; id=1;\n"), "v=STSv1; id=1;|"},
        {SLICE_BYTES("_mta-sts TXT v=STSv1; id=1;\n"), "v=STSv1; id=1;|"},
        {SLICE_BYTES(NAME "\ttext = \"v=STSv1; id=1\"\n"), "v=STSv1; id=1|"},
        {SLICE_BYTES("_mta-sts.example.com descriptive text \"v=STSv1; id=1\"\n"),
         "v=STSv1; id=1|"},
        {SLICE_BYTES("v=STSv1; id=1; x=a TXT b"), "v=STSv1; id=1; x=a TXT b|"},
        {SLICE_BYTES("\"v=STSv1; id=1\n"), "!has a quote (\") that is not closed"},
        {SLICE_BYTES("\"v=STSv1; id=1\\\""), "!has a quote"},
        {SLICE_BYTES("_x TXT \"a\" \"b\n"), "!has a quote"},
        {SLICE_BYTES("; <<>> DiG 9.18 <<>>\n;; no answer\n"), "!has no TXT record in it"},
        {SLICE_BYTES("\xff\xfev\0"), "!is UTF-16"},
        {SLICE_BYTES("\xfe\xff\0v"), "!is UTF-16"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct slice *rrs;
        struct err err;
        char seen[400] = "";
        size_t n_rrs;

        if (record_paste_read(rows[i].text, arena, &rrs, &n_rrs, &err) != 0) {
            snprintf(seen, sizeof(seen), "!%s", err.msg);
            seen[strlen(rows[i].want)] = '\0';
        } else {
            for (size_t k = 0; k < n_rrs; k++)
                snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%.*s|",
                         SLICE_ARG(rrs[k]));
        }
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want, seen);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
