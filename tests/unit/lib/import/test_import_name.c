/* SPDX-License-Identifier: MIT */
#include "lib/import/import_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_find(void **state)
{
    static const struct {
        const char *path, *want; /* NULL: no name */
    } rows[] = {
        {"", NULL},
        {"/", NULL},
        {"example.com.txt", "example.com"},
        {"example.com", "example.com"},
        {"EXAMPLE.com.txt", "example.com"},
        {"mta-sts.example.com.txt", "example.com"},
        {"MTA-STS.example.com", "example.com"},
        {"/srv/other.example/example.com.txt", "example.com"},
        {"mta-sts.example.com/.well-known/mta-sts.txt", "example.com"},
        {"/var/www/mta-sts.example.com/htdocs/v1.2/.well-known/mta-sts.txt", "example.com"},
        {"mta-sts.example.com/old.example.org/mta-sts.txt", "example.com"},
        {"example.com/public_html/.well-known/mta-sts.txt", "example.com"},
        {"a.example/b.example/mta-sts.txt", "b.example"},
        {"mta-sts.b\xc3\xbc"
         "cher.example/mta-sts.txt",
         "xn--bcher-kva.example"},
        {"mta-sts.txt", NULL},
        {"conf.d/policy.txt", NULL},
        {"v1.2/mta-sts.txt", NULL},
        {"mta-sts.localhost/mta-sts.txt", NULL},
        {"mta-sts./mta-sts.txt", NULL},
        {"mta-sts.a_b.example/mta-sts.txt", NULL},
        {"a.example\n/mta-sts.txt", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[DNS_NAME_MAX + 1] = "untouched";
        bool found = import_name_find(rows[i].path, name);

        if (found != (rows[i].want != NULL) ||
            strcmp(name, rows[i].want ? rows[i].want : "untouched") != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, name);
    }
}

static void test_look(void **state)
{
    static const struct {
        const char *base;
        enum import_look want;
    } rows[] = {
        {"", IMPORT_LOOKS_OTHER},
        {"mta-sts.txt", IMPORT_LOOKS_CERTAIN},
        {"MTA-STS.TXT", IMPORT_LOOKS_CERTAIN},
        {"example.com.txt", IMPORT_LOOKS_LIKELY},
        {"mta-sts.example.com.txt", IMPORT_LOOKS_LIKELY},
        {"example.com", IMPORT_LOOKS_OTHER},
        {"robots.txt", IMPORT_LOOKS_OTHER},
        {".txt", IMPORT_LOOKS_OTHER},
        {"example.com.txt.bak", IMPORT_LOOKS_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (import_name_look(rows[i].base) != rows[i].want)
            fail_msg("row %zu: %s", i, rows[i].base);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
