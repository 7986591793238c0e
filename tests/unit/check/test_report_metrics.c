/* SPDX-License-Identifier: MIT */
#include "check/report_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/report.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "support/fixture.h"

static void test_all_verdicts_and_severities(void **state)
{
    char folder[] = "/tmp/metrics.XXXXXX", path[64];
    struct report_totals totals = {0};
    struct arena *arena = arena_new(0);
    struct slice bytes;
    struct err err;

    (void)state;
    totals.n_verdicts[VERDICT_ENFORCED] = 3;
    totals.n_verdicts[VERDICT_LOST] = 1;
    totals.n_dane_verdicts[VERDICT_ABSENT] = 2;
    totals.n_dane_verdicts[VERDICT_PARTLY_LOST] = 1;
    totals.n_findings[CHECK_ERROR] = 2;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/check.prom", folder);
    assert_int_equal(report_metrics_write(path, &totals, 1000000000, &err), 0);
    assert_int_equal(file_read(path, 4096, arena, &bytes, &err), 0);
    assert_true(
        fixture_equal("metrics",
                      "# HELP mtasts_check_domains Domains that were checked, by verdict.\n"
                      "# TYPE mtasts_check_domains gauge\n"
                      "mtasts_check_domains{verdict=\"absent\"} 0\n"
                      "mtasts_check_domains{verdict=\"unknown\"} 0\n"
                      "mtasts_check_domains{verdict=\"ignored\"} 0\n"
                      "mtasts_check_domains{verdict=\"none\"} 0\n"
                      "mtasts_check_domains{verdict=\"testing\"} 0\n"
                      "mtasts_check_domains{verdict=\"testing-unready\"} 0\n"
                      "mtasts_check_domains{verdict=\"enforced\"} 3\n"
                      "mtasts_check_domains{verdict=\"partly-lost\"} 0\n"
                      "mtasts_check_domains{verdict=\"lost\"} 1\n"
                      "# HELP mtasts_check_dane_domains Domains that were checked, by what DANE "
                      "demands of senders.\n"
                      "# TYPE mtasts_check_dane_domains gauge\n"
                      "mtasts_check_dane_domains{verdict=\"absent\"} 2\n"
                      "mtasts_check_dane_domains{verdict=\"unknown\"} 0\n"
                      "mtasts_check_dane_domains{verdict=\"enforced\"} 0\n"
                      "mtasts_check_dane_domains{verdict=\"partly-lost\"} 1\n"
                      "mtasts_check_dane_domains{verdict=\"lost\"} 0\n"
                      "# HELP mtasts_check_findings What was found, by severity.\n"
                      "# TYPE mtasts_check_findings gauge\n"
                      "mtasts_check_findings{severity=\"error\"} 2\n"
                      "mtasts_check_findings{severity=\"warning\"} 0\n"
                      "mtasts_check_findings{severity=\"note\"} 0\n"
                      "mtasts_check_findings{severity=\"unknown\"} 0\n"
                      "# HELP mtasts_check_finished_timestamp_seconds When the check ended.\n"
                      "# TYPE mtasts_check_finished_timestamp_seconds gauge\n"
                      "mtasts_check_finished_timestamp_seconds 1000000000\n",
                      bytes.ptr));
    arena_free(arena);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(report_metrics_write(path, &totals, 0, &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_verdicts_and_severities)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
