/* SPDX-License-Identifier: MIT */
#include "lib/config/policies.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/document.h"
#include "lib/config/sample.h"

struct listing {
    struct sample sample;
    struct config config;
    struct build_context context;
    bool is_usable; /* the last domain's policy, for it */
};

static void add_user(void *context, const struct raw_domain *domain)
{
    struct listing *listing = context;
    struct named_policy *policy =
        named_policies_find(&listing->sample.raw.policies, domain, true, listing->sample.diag);

    if (policy)
        named_policy_add_user(policy, domain);
}

static void listing_init(struct listing *listing, const char *yaml)
{
    struct sample *sample = &listing->sample;

    *sample = sample_open(yaml);
    raw_config_read(sample->file.path, 0, sample->arena, sample->arena, sample->diag, &sample->raw);
    listing->config = (struct config){.arena = sample->arena};
    listing->context = (struct build_context){
        .config = &listing->config,
        .documents = documents_new(sample->arena),
        .diag = sample->diag,
        .scratch = arena_new(0),
    };
    named_policies_prepare(&sample->raw.policies, &listing->context);
    raw_config_parse_domains(&sample->raw, sample->arena, sample->diag, add_user, listing);
    named_policies_report(&sample->raw.policies, &listing->context,
                          diag_count(sample->diag, LEVEL_ERROR) == 0);
}

static void listing_done(struct listing *listing)
{
    documents_free(listing->context.documents);
    arena_free(listing->context.scratch);
    sample_done(&listing->sample);
}

static void test_users(void **state)
{
    static const struct {
        const char *name;
        size_t n_users, n_mx_users;
        bool has_document, has_reporting, is_broken;
    } rows[] = {
        {"a", 5, 2, true, true, false},      {"b", 1, 1, true, false, false},
        {"bad", 1, 1, false, false, true}, /* a finding says why */
        {"each", 1, 1, false, false, false}, {"none", 0, 0, false, true, false},
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
                           "  i.example: {policy: a, max_age: 1d}\n"
                           "  j.example: {policy: a, mx: [b.example]}\n");
    assert_int_equal(listing.sample.raw.policies.n_items, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct named_policy *policy = &listing.sample.raw.policies.items[i];

        if (!slice_eq_text(policy->name.text, rows[i].name) || policy->n_users != rows[i].n_users ||
            policy->n_mx_users != rows[i].n_mx_users ||
            (policy->document != NULL) != rows[i].has_document ||
            (policy->reporting != NULL) != rows[i].has_reporting ||
            policy->is_broken != rows[i].is_broken)
            fail_msg("row %zu: %s has %zu users, %zu of its mx", i, policy->name.text.ptr,
                     policy->n_users, policy->n_mx_users);
    }
    listing_done(&listing);
}

static void look_whether_usable(void *context, const struct raw_domain *domain)
{
    struct listing *listing = context;

    listing->is_usable = named_policy_is_usable(&listing->sample.raw.policies.items[0], domain);
}

static bool usable_seen(struct listing *listing)
{
    raw_config_parse_domains(&listing->sample.raw, listing->sample.arena, listing->sample.diag,
                             look_whether_usable, listing);
    return listing->is_usable;
}

/* Which domains can be built on a policy that lacks something. */
static void test_usable(void **state)
{
    static const struct {
        const char *policy, *domain;
        bool is_usable;
    } rows[] = {
        {"mx: [a.example]", "p", true},
        {"mx: [\"{domain}\"]", "p", true},
        {"mx: [a_b]", "{policy: p, mx: [a.example]}", false},
        {"mx: a", "{policy: p, mx: [a.example]}", false},
        {"mode: none", "{policy: p, mode: testing}", true}, /* the domain lacks an mx */
        {"mode: testing", "p", false},
        {"mode: testing", "{policy: p, id_salt: 1}", false},
        {"mode: testing", "{policy: p, mode: enforce}", false},
        {"mode: testing", "{policy: p, mode: none}", true},
        {"mode: testing", "{policy: p, mta_sts: false}", true},
        {"mode: testing", "{policy: p, mx: [a.example]}", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct listing listing;
        const struct named_policy *policy;
        char yaml[256];

        snprintf(yaml, sizeof(yaml), "policies: {p: {%s}}\ndomains: {a.example: %s}\n",
                 rows[i].policy, rows[i].domain);
        listing_init(&listing, yaml);
        policy = &listing.sample.raw.policies.items[0];
        assert_int_equal(policy->n_users, 1);
        if (usable_seen(&listing) != rows[i].is_usable)
            fail_msg("row %zu: %s", i, yaml);
        listing_done(&listing);
    }
}

/* A finding about a policy is shown if it concerns at least one user. */
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

static const struct named_policy *find_named(struct listing *listing, struct slice name,
                                             uint32_t line)
{
    struct raw_domain domain = {.policy = {name, {"f", line, 1}}, .path = "x"};

    return named_policies_find(&listing->sample.raw.policies, &domain, listing->sample.raw.is_cut,
                               listing->sample.diag);
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
        struct listing listing;
        const struct named_policy *policy;

        listing_init(&listing, "policies: {standard: {mode: none, allow: [policy-unused]}, "
                               "a: {mode: none, allow: [policy-unused]}}\n");
        policy = find_named(&listing, rows[i].name, 1);
        if ((policy == NULL) != (rows[i].findings != NULL) ||
            (policy && !slice_eq(rows[i].name, policy->name.text)))
            fail_msg("row %zu: found %s", i, policy ? policy->name.text.ptr : "none");
        if (!sample_has(&listing.sample, "find", rows[i].findings ? rows[i].findings : ""))
            fail_msg("row %zu failed", i);
        listing_done(&listing);
    }
}

/* A policy may stand in the part of a file that could not be read. */
static void test_find_in_part(void **state)
{
    struct listing listing;

    (void)state;
    listing_init(&listing, "policies: {a: {mode: none}}\n@");
    assert_true(listing.sample.raw.is_cut);
    assert_null(find_named(&listing, slice_of("b"), 1));
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_ERROR), 1);
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_NOTE), 0);
    listing_done(&listing);
}

/* No name is suggested in a finding that is not kept. */
static void test_many_unknown(void **state)
{
    struct listing listing;

    (void)state;
    listing_init(&listing, "policies: {standard: {mode: none}}\n");
    for (uint32_t i = 1; i <= DIAG_MAX + 1; i++)
        assert_null(find_named(&listing, slice_of("standar"), i));
    assert_int_equal(diag_count(listing.sample.diag, LEVEL_ERROR), DIAG_MAX + 1);
    listing_done(&listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),        cmocka_unit_test(test_usable),
        cmocka_unit_test(test_silenced),     cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_in_part), cmocka_unit_test(test_many_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
