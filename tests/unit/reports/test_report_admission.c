/* SPDX-License-Identifier: MIT */
#include "reports/report_admission.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "reports/peer_proof.h"
#include "reports/report_database.h"
#include "reports/report_scope.h"
#include "support/loaded.h"
#include "support/stored.h"

#define REPORT(id, domain)                                                                   \
    "{\"organization-name\":\"O\",\"contact-info\":\"a@sender.example\",\"report-id\":\"" id \
    "\",\"date-range\":{\"start-datetime\":\"2026-01-01T00:00:00Z\"},\"policies\":["         \
    "{\"policy\":{\"policy-type\":\"sts\"" domain "}}]}"
#define OURS ",\"policy-domain\":\"example.com\""

static uint64_t now_ms;

static uint64_t read_monotonic(const struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static const struct clock admission_clock = {.monotonic_ms = read_monotonic};

static bool name_of(const char *address, char ret_name[static DNS_NAME_MAX + 1])
{
    (void)address;
    strcpy(ret_name, "mail.sender.example");
    return true;
}

static bool has_address(const char *name, const char *address)
{
    return strcmp(name, "mail.sender.example") == 0 && strcmp(address, "192.0.2.1") == 0;
}

static const struct peer_resolver admission_resolver = {name_of, has_address};

struct admission_case {
    struct stored stored;
    struct config *config;
    struct report_scope *scope;
    struct peer_proofs *proofs;
    struct report_admission *admission;
};

static void case_open(struct admission_case *admission_case)
{
    stored_open(&admission_case->stored);
    admission_case->config = loaded_config("domains: {example.com: {mx: [mx.example.com]}}\n"
                                           "policy_host: {name: p.example.net}\n");
    admission_case->scope = report_scope_new(admission_case->config, NULL, STORED_NOW);
    admission_case->proofs = peer_proofs_new(&admission_resolver, &admission_clock);
    admission_case->admission = report_admission_new(&(struct report_admission_parts){
        .database = admission_case->stored.database,
        .scope = admission_case->scope,
        .proofs = admission_case->proofs,
        .clock = &admission_clock,
    });
}

static void case_close(struct admission_case *admission_case)
{
    report_admission_free(admission_case->admission);
    peer_proofs_free(admission_case->proofs);
    report_scope_free(admission_case->scope);
    config_unref(admission_case->config);
    stored_close(&admission_case->stored);
}

static int add_text(struct admission_case *admission_case, const char *text,
                    enum report_certainty certainty, const char *peer)
{
    const struct report_part part = {.bytes = slice_of(text), .certainty = certainty};
    const struct report_meta meta = {
        .received_unix_s = STORED_NOW, .transport = REPORT_BY_HTTPS, .peer = slice_of(peer)};
    struct err err;

    return report_admission_add(admission_case->admission, &part, &meta, &err);
}

static void expect_line(const struct admission_case *admission_case, const char *want)
{
    struct report_admission_counts counts = report_admission_counts(admission_case->admission);
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    report_admission_counts_print(&counts, out);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void test_outcomes(void **state)
{
    struct admission_case admission_case;
    struct err err;

    (void)state;
    case_open(&admission_case);
    expect_line(&admission_case, "");
    assert_int_equal(add_text(&admission_case, "nothing", REPORT_PART_POSSIBLE, ""), 0);
    expect_line(&admission_case, "");
    assert_false(report_admission_is_due(admission_case.admission));
    assert_int_equal(add_text(&admission_case, REPORT("1", OURS), REPORT_PART_DECLARED, ""), 0);
    expect_line(&admission_case, "1 report: 1 new\n");
    assert_int_equal(add_text(&admission_case, REPORT("1", OURS), REPORT_PART_POSSIBLE, ""), 0);
    assert_int_equal(
        add_text(&admission_case, REPORT("1", OURS ",\"x\":1"), REPORT_PART_DECLARED, ""), 0);
    assert_int_equal(add_text(&admission_case, REPORT("2", ""), REPORT_PART_DECLARED, ""), 0);
    assert_int_equal(add_text(&admission_case, "nothing", REPORT_PART_DECLARED, ""), 0);
    expect_line(&admission_case,
                "5 reports: 1 new, 1 known already, 1 of an id that another report has too, with "
                "other content, 1 about other domains, kept aside, 1 unreadable, kept aside\n");
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0); /* of nothing */
    assert_int_equal(stored_number(&admission_case.stored, "SELECT count(*) FROM report"), 2);
    assert_int_equal(stored_number(&admission_case.stored,
                                   "SELECT count(*) FROM aside WHERE reason = "
                                   "'is neither JSON nor gzip'"),
                     1);
    case_close(&admission_case);
}

static void test_fault_and_hint(void **state)
{
    const struct report_meta meta = {.received_unix_s = STORED_NOW, .transport = REPORT_BY_MAIL};
    struct report_part part = {.bytes = slice_of(REPORT("1", OURS)),
                               .certainty = REPORT_PART_DECLARED,
                               .fault = "the mail is too deep"};
    struct admission_case admission_case;
    struct err err;

    (void)state;
    case_open(&admission_case);
    assert_int_equal(report_admission_add(admission_case.admission, &part, &meta, &err), 0);
    part = (struct report_part){.bytes = slice_of(REPORT("1", "")),
                                .certainty = REPORT_PART_DECLARED,
                                .domain_hint = slice_of("Example.com")};
    assert_int_equal(report_admission_add(admission_case.admission, &part, &meta, &err), 0);
    expect_line(&admission_case, "2 reports: 1 new, 1 unreadable, kept aside\n");
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_int_equal(stored_number(&admission_case.stored,
                                   "SELECT count(*) FROM aside WHERE reason = "
                                   "'the mail is too deep'"),
                     1);
    case_close(&admission_case);
}

static void test_peer(void **state)
{
    struct admission_case admission_case;
    struct err err;

    (void)state;
    case_open(&admission_case);
    assert_int_equal(
        add_text(&admission_case, REPORT("1", OURS), REPORT_PART_DECLARED, "192.0.2.1"), 0);
    assert_int_equal(
        add_text(&admission_case, REPORT("2", OURS), REPORT_PART_DECLARED, "192.0.2.2"), 0);
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_int_equal(stored_number(&admission_case.stored,
                                   "SELECT count(*) FROM report WHERE proof = 2 AND "
                                   "proven_domain = 'sender.example' AND report_id = '1'"),
                     1);
    assert_int_equal(
        stored_number(&admission_case.stored, "SELECT count(*) FROM report WHERE proof = 0"), 1);
    case_close(&admission_case);
}

/* A group ends by its age or its size; what was not committed is gone. */
static void test_groups(void **state)
{
    struct admission_case admission_case;
    struct err err;

    (void)state;
    case_open(&admission_case);
    assert_int_equal(add_text(&admission_case, REPORT("1", OURS), REPORT_PART_DECLARED, ""), 0);
    now_ms += REPORT_GROUP_AGE_MS - 1;
    assert_false(report_admission_is_due(admission_case.admission));
    now_ms++;
    assert_true(report_admission_is_due(admission_case.admission));
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_false(report_admission_is_due(admission_case.admission));
    for (int i = 0; i < REPORT_GROUP_MAX; i++) {
        assert_false(report_admission_is_due(admission_case.admission));
        assert_int_equal(add_text(&admission_case, REPORT("2", OURS), REPORT_PART_DECLARED, ""), 0);
    }
    assert_true(report_admission_is_due(admission_case.admission));
    report_admission_free(admission_case.admission);
    admission_case.admission = NULL;
    assert_int_equal(stored_number(&admission_case.stored, "SELECT count(*) FROM report"), 1);
    case_close(&admission_case);
}

/* After an error the group is rolled back, and the next report begins another. */
static void test_failing_database(void **state)
{
    struct admission_case admission_case;
    struct err err;

    (void)state;
    case_open(&admission_case);
    assert_int_equal(add_text(&admission_case, REPORT("1", OURS), REPORT_PART_DECLARED, ""), 0);
    assert_int_equal(stored_number(&admission_case.stored, "PRAGMA max_page_count = 1") > 0, 1);
    for (int i = 0; i < 3000; i++) {
        char text[512];

        snprintf(text, sizeof(text), "no report %d %0300d", i, i);
        if (add_text(&admission_case, text, REPORT_PART_DECLARED, "") != 0)
            break;
        assert_int_not_equal(i, 2999);
    }
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_int_equal(stored_number(&admission_case.stored, "SELECT count(*) FROM report"), 0);
    assert_int_equal(add_text(&admission_case, REPORT("2", OURS), REPORT_PART_DECLARED, ""), 0);
    assert_int_equal(report_admission_commit(admission_case.admission, &err), 0);
    assert_int_equal(stored_number(&admission_case.stored, "SELECT count(*) FROM report"), 1);
    case_close(&admission_case);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_fault_and_hint),
        cmocka_unit_test(test_peer),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_failing_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
