/* SPDX-License-Identifier: MIT */
/* What scan and orders say is the test's own. */
#include "daemon/main/certificate_conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/main/acme_orders.h"
#include "daemon/main/cert_scan.h"
#include "daemon/main/cert_states.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"

#define HOST "mta-sts.a.example"

enum {
    NOT_ORDERED = -1,
    ENDS_S = 1699999200, /* 14 November 2023, 22:00 UTC */
};

static bool has_ended, was_seen;
static struct cert_view seen;
static int order; /* a state, or NOT_ORDERED */
static struct acme_host_info ordered;

bool cert_scan_has_ended(struct cert_scan *scan)
{
    assert_null(scan);
    return has_ended;
}

int cert_scan_find(struct cert_scan *scan, const struct config *config, size_t domain,
                   struct cert_view *ret_view)
{
    assert_null(scan);
    assert_true(domain < config->n_domains);
    *ret_view = seen;
    return was_seen ? 0 : -1;
}

int acme_orders_find(struct acme_orders *orders, const char *name, struct acme_host_info *ret_info)
{
    assert_null(orders);
    assert_string_equal(name, HOST);
    *ret_info = ordered;
    return order == NOT_ORDERED ? -1 : 0;
}

static struct policy_document document;
static struct domain domains[] = {{.name = "a.example", .document = &document},
                                  {.name = "b.example"}}; /* TLS reporting only */
static const struct config config = {.domains = domains, .n_domains = ARRAY_LEN(domains)};

/* Fills the list, which has room for what a caller has to give. */
static void add(struct arena *arena, struct condition_list *ret_list)
{
    *ret_list = (struct condition_list){
        .conditions = arena_array(arena, ARRAY_LEN(domains), sizeof(struct condition)),
        .unclear = arena_array(arena, ARRAY_LEN(domains), sizeof(struct condition))};
    certificate_conditions_add(NULL, NULL, &config, arena, ret_list);
}

static const struct {
    enum finding finding;
    bool has_certificate; /* as the scan sees it */
    int order;
    bool has_ordered; /* as the orders see it */
    const char *reason, *code, *text;
} rows[] = {
    {FINDING_NONE, true, NOT_ORDERED, false, "", NULL, NULL},
    {FINDING_CERTIFICATE_MISSING, false, NOT_ORDERED, false, "", "certificate-missing", HOST ": "},
    {FINDING_CERTIFICATE_EXPIRED, true, NOT_ORDERED, false, "", "certificate-expired",
     "; valid until 14 November 2023"},
    /* What waits for somebody's DNS, or for its turn, is none of it. */
    {FINDING_CERTIFICATE_MISSING, false, ACME_MISSING, false, "", NULL, NULL},
    {FINDING_CERTIFICATE_MISSING, false, ACME_WAITING, false, "no address", NULL, NULL},
    {FINDING_CERTIFICATE_MISSING, false, ACME_FAILING, false, "no address", "not-issued",
     "No certificate was issued for " HOST ": no address"},
    {FINDING_CERTIFICATE_MISSING, false, ACME_PAUSED, false, "open a link", "not-issued",
     HOST ": open a link"},
    {FINDING_CERTIFICATE_EXPIRED, true, ACME_VALID, true, "", NULL, NULL},
    {FINDING_NONE, true, ACME_EXPIRING, true, "", "not-renewed",
     "The certificate of " HOST
     ", which ends on 14 November 2023, 22:00 UTC, is not renewed: it is waiting for its "
     "turn"},
    {FINDING_NONE, true, ACME_WAITING, true, "no address", "not-renewed",
     "is not renewed: no address"},
    {FINDING_NONE, true, ACME_FAILING, true, "no address", "not-renewed",
     "is not renewed: no address"},
    /* The files of certificates: are judged as if nothing were ordered. */
    {FINDING_NONE, true, ACME_FOREIGN, true, "", NULL, NULL},
    {FINDING_CERTIFICATE_EXPIRED, true, ACME_FOREIGN, true, "no address", "certificate-expired",
     "; valid until 14 November 2023"},
};

static void check_row(size_t row, const struct condition_list *list)
{
    const struct condition *found = list->conditions;

    if (list->n_conditions != (rows[row].code ? 1 : 0) || list->n_unclear != 0)
        fail_msg("row %zu: %zu conditions, %zu unclear", row, list->n_conditions, list->n_unclear);
    if (!rows[row].code)
        return;
    assert_int_equal(found->kind, CONDITION_CERTIFICATE);
    assert_true(slice_eq_text(found->domain, "a.example"));
    assert_true(found->advice.len > 0);
    if (!slice_eq_text(found->code, rows[row].code) || !strstr(found->text.ptr, rows[row].text))
        fail_msg("row %zu: expected %s, '%s', found %.*s, '%.*s'", row, rows[row].code,
                 rows[row].text, SLICE_ARG(found->code), SLICE_ARG(found->text));
}

static void test_conditions(void **state)
{
    (void)state;
    has_ended = was_seen = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct condition_list list;

        seen = (struct cert_view){.finding = rows[i].finding,
                                  .not_after_unix_s = rows[i].has_certificate ? ENDS_S : 0};
        order = rows[i].order;
        ordered = (struct acme_host_info){.state = order == NOT_ORDERED ? ACME_MISSING
                                                                        : (enum acme_state)order,
                                          .not_after_unix_s = rows[i].has_ordered ? ENDS_S : 0};
        snprintf(ordered.reason, sizeof(ordered.reason), "%s", rows[i].reason);
        add(arena, &list);
        assert_true(list.is_known[CONDITION_CERTIFICATE]);
        check_row(i, &list);
        arena_free(arena);
    }
}

/* Before a pass over all has ended nothing is known, and later a host that nobody has seen is
 * unclear, whatever the orders say of it. */
static void test_not_seen(void **state)
{
    struct arena *arena = arena_new(0);
    struct condition_list list;

    (void)state;
    seen = (struct cert_view){.finding = FINDING_CERTIFICATE_MISSING};
    order = ACME_FAILING;
    ordered = (struct acme_host_info){.state = ACME_FAILING};
    has_ended = was_seen = false;
    add(arena, &list);
    assert_false(list.is_known[CONDITION_CERTIFICATE]);
    assert_int_equal(list.n_conditions + list.n_unclear, 0);
    has_ended = true;
    add(arena, &list);
    assert_true(list.is_known[CONDITION_CERTIFICATE]);
    assert_int_equal(list.n_conditions, 0);
    assert_int_equal(list.n_unclear, 1);
    assert_true(condition_list_is_unclear(&list, CONDITION_CERTIFICATE, slice_of(domains[0].name)));
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_not_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
