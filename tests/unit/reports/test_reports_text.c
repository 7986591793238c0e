/* SPDX-License-Identifier: MIT */
#include "reports/reports_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "support/fixture.h"
#include "support/reported.h"

static const char sample[] =
    "example.com: NOT YET (mode testing)\n"
    "  - it is so.\n"
    "    Do this.\n"
    "  - it is otherwise.\n"
    "  Who reported, in the last 30 days:\n"
    "  - google.com (verified by DKIM): 1000 sessions under the policy succeeded, 2 failed, "
    "5 sessions without a policy, and some of an unknown number; from 4 October 2024 to "
    "5 October 2024\n"
    "  - b.example (from a file): 1 session under the policy succeeded, 0 failed; this may be the "
    "mail of its reports alone; on 6 October 2024\n"
    "  - c.example (verified by its address): 0 sessions under the policy succeeded, 0 failed, "
    "3 sessions under an earlier policy or an unknown one; on 6 October 2024\n"
    "  - 'Evil\\x0d\\x0aCorp' (unverified): 0 sessions under the policy succeeded, 1 failed; on "
    "6 October 2024\n"
    "  Large senders that did not: microsoft.com, mail.ru.\n"
    "  What failed:\n"
    "  - google.com found a certificate that has expired (certificate-expired) at MX host "
    "mx1.example.com: 2 sessions, on 4 October 2024; reason given: 'x\\x1b[31m'\n"
    "  - google.com found that an MX host does not follow the policy, often because no mx covers "
    "it "
    "(validation-failure) at MX host mx2.example.com: an unknown number of sessions, on "
    "5 October 2024; the mx of the policy served now are others\n"
    "  - 'Evil\\x0d\\x0aCorp' reported a failure of a type that no RFC knows (without a type): "
    "1 session, on 6 October 2024; unverified\n"
    "  1 of the entries contradicts another report with the same id.\n"
    "  1 unverified report was one too many, and is not kept.\n";

static void assert_prints(const struct domain_reports *reports, const char *want)
{
    struct arena *arena = arena_new(0);
    char *seen;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    reports_text_print(reports, arena, out);
    fclose(out);
    assert_true(fixture_equal("the text", want, seen));
    free(seen);
    arena_free(arena);
}

static void test_sample(void **state)
{
    struct arena *arena = arena_new(0);
    struct domain_reports reports = reported_sample(arena);

    (void)state;
    assert_prints(&reports, sample);
    arena_free(arena);
}

static void test_nothing(void **state)
{
    struct domain_reports reports = {.domain = "example.com",
                                     .verdict = {.kind = REPORT_VERDICT_NO_DATA}};

    (void)state;
    assert_prints(&reports, "example.com: NO DATA (no policy)\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_sample),
                                              cmocka_unit_test(test_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
