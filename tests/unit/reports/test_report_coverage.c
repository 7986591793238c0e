/* SPDX-License-Identifier: MIT */
#include "reports/report_coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "reports/report_tally.h"

static void test_missing(void **state)
{
    static const struct reporter_tally google = {.name = "google.com"},
                                       mail_ru = {.name = "corp.mail.ru"},
                                       evil = {.name = "notmicrosoft.com"},
                                       microsoft = {.name = "microsoft.com"};
    static const struct {
        const struct reporter_tally *reporters[3];
        size_t n_reporters;
        const char *missing[4];
    } rows[] = {
        {{NULL}, 0, {"google.com", "microsoft.com", "mail.ru", NULL}},
        {{&google}, 1, {"microsoft.com", "mail.ru", NULL}},
        {{&evil, &mail_ru}, 2, {"google.com", "microsoft.com", NULL}},
        {{&google, &mail_ru, &microsoft}, 3, {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct report_tally tally = {.reporters = rows[i].reporters,
                                     .n_reporters = rows[i].n_reporters};

        for (size_t nth = 0; nth < 4; nth++) {
            const char *missing = report_coverage_missing(&tally, nth);

            if (!slice_eq(slice_of(missing), slice_of(rows[i].missing[nth])))
                fail_msg("row %zu: expected %s, found %s", i, rows[i].missing[nth], missing);
            if (!missing)
                break;
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_missing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
