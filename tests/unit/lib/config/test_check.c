/* SPDX-License-Identifier: MIT */
/*
 * Who is told: the owner of a key, once. What is found at all is shown by data/config.
 */
#include <stdio.h>

#include "lib/config/policy_merge.h"
#include "lib/config/sample.h"

/* What is said of the policy `own` on top of `base`, for the domain d.example. */
static bool check(const char *base, const char *own, const char *want)
{
    int result;
    bool good;
    char yaml[1024];
    struct sample sample;
    struct effective effective;

    snprintf(yaml, sizeof(yaml), "policies:\n base: {%s}\n own: {%s}\n", base, own);
    sample = sample_read(yaml);
    assert_int_equal(sample.raw.n_policies, 2);
    effective = (struct effective){
        .keys = raw_policy_merge(&sample.raw.policies[0].keys, &sample.raw.policies[1].keys),
        .own = &sample.raw.policies[1].keys,
        .domain = "d.example",
        .path = "x",
        .place = sample.raw.policies[1].name.place,
        .needs_mx = true,
        .is_whole = true,
    };
    effective_expand(&effective, NULL, sample.arena);
    result = effective_check(&effective, sample.diag);
    good = sample_has(&sample, own, want) &&
           result == (diag_count(sample.diag, LEVEL_ERROR) > 0 ? -1 : 0);
    sample_done(&sample);
    return good;
}

#define MX "mx: [a.example]"
#define UNREPORTED                                                                                \
    "mode enforce without tls_rpt: nobody would tell you about mail that is not delivered; give " \
    "an address, as in tls_rpt: [\"mailto:tlsrpt@example.com\"] [enforce-without-tls-rpt]\n"

static void test_ownership(void **state)
{
    static const struct {
        const char *base, *own, *want;
    } rows[] = {
        {MX, "", ""},
        {"", MX, ""},
        {"", "",
         "f:3:2: error: x: mode testing needs at least one mx, the MX hosts of the domain, as in "
         "mx: [mail.example.com] [mx-missing]\n"},
        {"mode: none", "", ""},
        {"mode: none", "mode: testing",
         "f:3:2: error: x: mode testing needs at least one mx, the MX hosts of the domain, as in "
         "mx: [mail.example.com] [mx-missing]\n"},
        /* An mx of the base's is the base's matter, unless it is another for each domain. */
        {"mx: [a_b.example]", "", ""},
        {"mx: [a_b.example]", "mx: [c_d.example]",
         "f:3:13: error: x.mx[0]: 'c_d.example' has an underscore, which no host name has "
         "[mx-syntax]\n"},
        {"mx: [a_b.example, \"mta-sts.{domain}\"]", "",
         "f:2:27: error: x.mx[1]: 'mta-sts.{domain}' is a policy host; an mx names a mail server "
         "[mx-is-policy-host]\n"},
        {MX ", max_age: 1h", "id_salt: 1", ""},
        {MX ", max_age: 1h", "max_age: 2h",
         "f:3:17: warning: x.max_age: 7200 s is below 1d (86400 s); Google and others ignore such "
         "a policy; write 1d or more [max-age-short]\n"},
        {MX ", max_age: 1h", "mode: none", ""},
        /* Of the two keys that make a finding, either may be one's own. */
        {MX ", max_age: 1w, tls_rpt: [\"mailto:a@b.example\"]", "mode: enforce",
         "f:3:14: note: x.mode: in mode enforce, max_age is 604800 s; 2w (1209600 s) or more "
         "protects better [max-age-below-two-weeks]\n"},
        {MX ", mode: enforce, tls_rpt: [\"mailto:a@b.example\"]", "max_age: 13d",
         "f:3:17: note: x.max_age: in mode enforce, max_age is 1123200 s; 2w (1209600 s) or more "
         "protects better [max-age-below-two-weeks]\n"},
        {MX ", mode: enforce, max_age: 1d, tls_rpt: [\"mailto:a@b.example\"]", "id_salt: 1", ""},
        {MX ", mode: enforce, max_age: 2w", "id_salt: 1", ""},
        {MX ", max_age: 2w", "mode: enforce", "f:3:14: warning: x.mode: " UNREPORTED},
        {MX ", max_age: 2w, mode: enforce, tls_rpt: [\"mailto:a@b.example\"]", "tls_rpt: []",
         "f:3:17: warning: x.tls_rpt: " UNREPORTED},
        {MX ", tls_rpt: [nobody]", "", ""},
        {MX ", tls_rpt: [nobody]", "tls_rpt: [anybody]",
         "f:3:18: error: x.tls_rpt[0]: 'anybody' is neither mailto: nor https: [rua-syntax]\n"},
        {MX ", tls_rpt: [\"{domain}\"]", "",
         "f:2:36: error: x.tls_rpt[0]: '{domain}' is neither mailto: nor https: [rua-syntax]\n"},
    };

    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        n_failed += !check(rows[i].base, rows[i].own, rows[i].want);
    assert_int_equal(n_failed, 0);
}

/* A bad text, reported when it was read, is an error still and no second finding. */
static void test_reported_before(void **state)
{
    struct field_text bad = {slice_of(""), {"f", 1, 1}};
    struct raw_policy keys = {
        .mx = {&bad, 1, {"f", 1, 1}},
        .tls_rpt = {&bad, 1, {"f", 1, 1}},
        .allow = {&bad, 1, {"f", 1, 1}},
    };
    struct effective effective = {
        .keys = keys, .own = &keys, .domain = "d.example", .path = "x", .needs_mx = true};
    struct sample sample = sample_open("");

    (void)state;
    effective_expand(&effective, NULL, sample.arena);
    assert_int_equal(effective_check(&effective, sample.diag), -1);
    raw_policy_check_allow(&keys, "x", sample.diag);
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), 0);
    sample_done(&sample);
}

/* `allow` silences what is no error. */
static void test_allowed(void **state)
{
    struct sample sample = sample_read("policies:\n p: {mx: [a_b, \"*.github.io\"], mode: enforce, "
                                       "max_age: 1h, tls_rpt: []}\n");
    struct effective effective = {
        .keys = sample.raw.policies[0].keys,
        .own = &sample.raw.policies[0].keys,
        .domain = "d.example",
        .path = "x",
        .allow = ~(finding_set)0,
    };

    (void)state;
    effective_expand(&effective, NULL, sample.arena);
    assert_int_equal(effective_check(&effective, sample.diag), -1);
    assert_true(sample_has(&sample, "allowed",
                           "f:2:11: error: x.mx[0]: 'a_b' has an underscore, which no host name "
                           "has [mx-syntax]\n"));
    sample_done(&sample);
}

/* Codes that nobody will see are not compared with all others. */
static void test_many_codes(void **state)
{
    struct field_text code = {slice_of("nonsense"), {"f", 1, 1}};
    struct raw_policy keys = {.allow = {&code, 1, {"f", 1, 1}}};
    struct sample sample = sample_open("");

    (void)state;
    for (uint32_t i = 1; i <= DIAG_MAX + 1; i++) {
        code.place.line = i;
        raw_policy_check_allow(&keys, "x", sample.diag);
    }
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), DIAG_MAX + 1);
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_reported_before),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_many_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
