/* SPDX-License-Identifier: MIT */
#include "lib/config/policies.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/document.h"
#include "lib/config/sample.h"

struct listing {
    struct sample sample;
    struct config config;
    struct named_context context;
    struct named_list list;
};

static void listing_init(struct listing *listing, const char *yaml)
{
    listing->sample = sample_read(yaml);
    listing->config = (struct config){.arena = listing->sample.arena};
    listing->context = (struct named_context){
        .raw = &listing->sample.raw,
        .config = &listing->config,
        .documents = documents_new(listing->sample.arena),
        .diag = listing->sample.diag,
    };
    named_list_init(&listing->list, &listing->context);
}

static void listing_done(struct listing *listing)
{
    named_list_done(&listing->list);
    documents_free(listing->context.documents);
    sample_done(&listing->sample);
}

static void test_users(void **state)
{
    static const struct {
        const char *name;
        size_t n_users, n_plain;
        bool has_document, has_reporting, is_broken;
    } rows[] = {
        {"a", 4, 1, true, true, false},
        {"b", 1, 0, false, false, false},  /* overridden by all who use it */
        {"bad", 1, 1, false, false, true}, /* a finding says why */
        {"each", 1, 1, false, false, false},
        {"none", 0, 0, false, true, false},
    };
    struct listing listing;

    (void)state;
    listing_init(&listing, "policies:\n"
                           "  none: {tls_rpt: [\"mailto:a@a.example\"]}\n"
                           "  b: {mx: [b.example]}\n"
                           "  a: {mx: [a.example], tls_rpt: [\"mailto:a@a.example\"]}\n"
                           "  bad: {mx: [a_b.example]}\n"
                           "  each: {mx: [\"{domain}\"], tls_rpt: [\"mailto:a@{domain}\"]}\n"
                           "domains:\n"
                           "  a.example: a\n"
                           "  b.example: {policy: a, mode: none}\n"
                           "  c.example: {policy: a, mta_sts: false}\n"
                           "  d.example: {policy: b, id_salt: 1}\n"
                           "  e.example: {policy: bad, zone: example}\n"
                           "  f.example: each\n"
                           "  g.example: {mx: [a.example]}\n"
                           "  h.example: unknown\n"
                           "  i.example: {policy: a, max_age: 1d}\n");
    assert_int_equal(listing.list.n_items, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct named *named = &listing.list.items[i];

        if (strcmp(named->name, rows[i].name) != 0 || named->n_users != rows[i].n_users ||
            named->n_plain != rows[i].n_plain ||
            (named->document != NULL) != rows[i].has_document ||
            (named->reporting != NULL) != rows[i].has_reporting ||
            named->is_broken != rows[i].is_broken)
            fail_msg("row %zu: %s has %zu users, %zu of them plain", i, named->name, named->n_users,
                     named->n_plain);
    }
    listing_done(&listing);
}

/* A finding about a policy is shown while there is one user whom it concerns. */
static void test_silenced(void **state)
{
    static const struct {
        const char *keys, *domains;
        finding_set want;
    } rows[] = {
        {"max_age: 1h", "a.example: p", UINT64_C(1) << FINDING_MAX_AGE_SHORT},
        {"max_age: 1h", "a.example: {policy: p, allow: [max-age-short]}", 0},
        {"max_age: 1h", "a.example: {policy: p, allow: [max-age-short]}, b.example: p",
         UINT64_C(1) << FINDING_MAX_AGE_SHORT},
        {"max_age: 1h, allow: [max-age-short]", "a.example: p", 0},
        {"max_age: 1h", "",
         UINT64_C(1) << FINDING_POLICY_UNUSED | UINT64_C(1) << FINDING_MAX_AGE_SHORT},
        {"allow: [policy-unused]", "", 0},
        {"mode: enforce, max_age: 2w", "a.example: p", UINT64_C(1) << FINDING_ENFORCE_UNREPORTED},
        {"mode: enforce, max_age: 2w", "a.example: {policy: p, mode: none}", 0},
        {"mode: enforce, max_age: 2w", "a.example: {policy: p, tls_rpt: [\"mailto:a@a.example\"]}",
         0},
        {"mode: enforce, max_age: 2w",
         "a.example: {policy: p, tls_rpt: [\"mailto:a@a.example\"]}, b.example: {policy: p, "
         "id_salt: 1}",
         UINT64_C(1) << FINDING_ENFORCE_UNREPORTED},
        {"mode: enforce, max_age: 2w", "a.example: {policy: p, mta_sts: false}", 0},
        {"mode: enforce, tls_rpt: [\"mailto:a@a.example\"]", "a.example: p",
         UINT64_C(1) << FINDING_MAX_AGE_BELOW_TWO_WEEKS},
        {"mode: enforce, tls_rpt: [\"mailto:a@a.example\"]",
         "a.example: {policy: p, max_age: 2w}, b.example: {policy: p, mode: testing}", 0},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct listing listing;
        finding_set seen = 0;
        char yaml[1024];

        snprintf(yaml, sizeof(yaml), "policies: {p: {mx: [a.example], %s}}\ndomains: {%s}\n",
                 rows[i].keys, rows[i].domains);
        listing_init(&listing, yaml);
        for (int finding = 0; finding < FINDING_COUNT; finding++)
            if (diag_has(listing.sample.diag, (enum finding)finding))
                seen |= finding_bit((enum finding)finding);
        if (seen != rows[i].want) {
            print_error("row %zu: wanted %llx, saw %llx\n", i, (unsigned long long)rows[i].want,
                        (unsigned long long)seen);
            n_failed++;
        }
        listing_done(&listing);
    }
    assert_int_equal(n_failed, 0);
}

static void test_find(void **state)
{
    static const struct {
        struct slice name;
        const char *findings; /* NULL: it is found */
    } rows[] = {
        {{"standard", 8}, NULL},
        {{"a", 1}, NULL},
        {{"", 0}, ""}, /* reported when it was read */
        {{"standar", 7},
         "f:1:1: error: x: there is no policy 'standar' under policies:; did you mean 'standard'? "
         "[unknown-policy]\n"},
        {{"standard\0", 9},
         "f:1:1: error: x: there is no policy 'standard\\x00' under policies:; did you mean "
         "'standard'? [unknown-policy]\n"},
        {{"b", 1},
         "f:1:1: error: x: there is no policy 'b' under policies:; write it there, or name one "
         "that is [unknown-policy]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct raw_entry entry = {.policy = {rows[i].name, {"f", 1, 1}}};
        struct listing listing;
        const struct named *named;

        listing_init(&listing, "policies: {standard: {mode: none, allow: [policy-unused]}, "
                               "a: {mode: none, allow: [policy-unused]}}\n");
        named = named_list_find(&listing.list, &listing.context, &entry, "x");
        if ((named == NULL) != (rows[i].findings != NULL) ||
            (named && !slice_eq_text(rows[i].name, named->name)))
            fail_msg("row %zu: found %s", i, named ? named->name : "none");
        if (!sample_has(&listing.sample, "find", rows[i].findings ? rows[i].findings : ""))
            fail_msg("row %zu failed", i);
        listing_done(&listing);
    }
}

/* In a file that was read in part, a policy may stand where nobody has been. */
static void test_find_in_part(void **state)
{
    struct raw_entry entry = {.policy = {slice_of("b"), {"f", 1, 1}}};
    struct listing listing;

    (void)state;
    listing_init(&listing, "policies: {a: {mode: none}}\n@");
    assert_true(listing.sample.raw.is_cut);
    assert_null(named_list_find(&listing.list, &listing.context, &entry, "x"));
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_ERROR), 1);
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_NOTE), 0);
    listing_done(&listing);
}

/* Nobody is shown what a name beyond the findings kept may have meant. */
static void test_many_unknown(void **state)
{
    struct raw_entry entry = {.policy = {slice_of("standar"), {"f", 1, 1}}};
    struct listing listing;

    (void)state;
    listing_init(&listing, "policies: {standard: {mode: none}}\n");
    for (uint32_t i = 1; i <= DIAG_MAX + 1; i++) {
        entry.policy.place.line = i;
        assert_null(named_list_find(&listing.list, &listing.context, &entry, "x"));
    }
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_ERROR), DIAG_MAX + 1);
    listing_done(&listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),        cmocka_unit_test(test_silenced),
        cmocka_unit_test(test_find),         cmocka_unit_test(test_find_in_part),
        cmocka_unit_test(test_many_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
