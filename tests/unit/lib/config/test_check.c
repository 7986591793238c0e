/* SPDX-License-Identifier: MIT */
/*
 * Findings are about the entry that has a key, once. What is found at all is shown by data/config.
 */
#include <stdio.h>
#include <string.h>

#include "lib/config/policy_merge.h"
#include "lib/config/sample.h"

/* Compares what is found in the policy `own` on top of `base`, for the domain d.example. */
static bool check(const char *base, const char *own, const char *want)
{
    int result;
    bool good;
    char yaml[1024];
    struct sample sample;
    struct merged_policy merged;

    snprintf(yaml, sizeof(yaml), "policies:\n base: {%s}\n own: {%s}\n", base, own);
    sample = sample_read(yaml);
    assert_int_equal(sample.raw.policies.n_items, 2);
    merged = (struct merged_policy){
        .keys = raw_policy_merge(&sample.raw.policies.items[0].keys,
                                 &sample.raw.policies.items[1].keys),
        .own_keys = &sample.raw.policies.items[1].keys,
        .domain = "d.example",
        .path = "x",
        .place = sample.raw.policies.items[1].name.place,
        .needs_mx = true,
        .is_complete = true,
    };
    merged_policy_expand(&merged, NULL, sample.arena);
    result = merged_policy_check(&merged, sample.diag);
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
        /* An mx of the base is judged with the base, unless it differs for each domain. */
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
        /* Either of the two keys that make a finding may be the entry's own. */
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

/* A text that was refused when it was read is an error, but not a second finding. */
static void test_reported_before(void **state)
{
    struct field_text bad = {slice_of(""), {"f", 1, 1}};
    struct raw_policy keys = {
        .mx = {&bad, 1, {"f", 1, 1}},
        .tls_rpt = {&bad, 1, {"f", 1, 1}},
        .allow = {&bad, 1, {"f", 1, 1}},
    };
    struct merged_policy merged = {
        .keys = keys, .own_keys = &keys, .domain = "d.example", .path = "x", .needs_mx = true};
    struct sample sample = sample_open("");

    (void)state;
    merged_policy_expand(&merged, NULL, sample.arena);
    assert_int_equal(merged_policy_check(&merged, sample.diag), -1);
    raw_policy_check_allow(&keys, "x", sample.diag);
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), 0);
    sample_done(&sample);
}

/* `allow` silences warnings and notes, not errors. */
static void test_allowed(void **state)
{
    struct sample sample = sample_read("policies:\n p: {mx: [a_b, \"*.github.io\"], mode: enforce, "
                                       "max_age: 1h, tls_rpt: []}\n");
    struct merged_policy merged = {
        .keys = sample.raw.policies.items[0].keys,
        .own_keys = &sample.raw.policies.items[0].keys,
        .domain = "d.example",
        .path = "x",
        .allow = ~(finding_set)0,
    };

    (void)state;
    merged_policy_expand(&merged, NULL, sample.arena);
    assert_int_equal(merged_policy_check(&merged, sample.diag), -1);
    assert_true(sample_has(&sample, "allowed",
                           "f:2:11: error: x.mx[0]: 'a_b' has an underscore, which no host name "
                           "has [mx-syntax]\n"));
    sample_done(&sample);
}

/* What a body has beside the name of its one mx. */
enum {
    REST_LEN = sizeof("version: STSv1\r\nmode: testing\r\nmx: \r\nmax_age: 604800\r\n") - 1,
};

/* The length of a body is reported for the entry that has the list of mx. */
static void test_sizes(void **state)
{
    static const struct {
        size_t body_len;
        uint32_t list_line; /* of the entry's own list of mx; 0: it has none */
        const char *mx;
        finding_set allow;
        const char *want;
    } rows[] = {
        {POLICY_BODY_ADVISED, 2, "a", 0, ""},
        {POLICY_BODY_ADVISED + 1, 2, "a", 0,
         "f:1:1: warning: x: the policy has 4097 bytes; every sender takes one of up to 4096, and "
         "checkers warn above; give it fewer mx, perhaps a wildcard [body-long]\n"},
        {POLICY_BODY_ADVISED + 1, 0, "a", 0, ""},
        {POLICY_BODY_ADVISED + 1, 0, "{domain}", 0,
         "f:1:1: warning: x: the policy has 4097 bytes; every sender takes one of up to 4096, and "
         "checkers warn above; give it fewer mx, perhaps a wildcard [body-long]\n"},
        {POLICY_BODY_ADVISED + 1, 2, "a", UINT64_C(1) << FINDING_BODY_LONG, ""},
        {POLICY_BODY_MAX, 2, "a", UINT64_C(1) << FINDING_BODY_LONG, ""},
        {POLICY_BODY_MAX + 1, 0, "a", ~UINT64_C(0),
         "f:1:1: error: x: the policy is 10241 bytes, above 10240 bytes, where senders cut it off; "
         "give it fewer mx, perhaps a wildcard [body-too-large]\n"},
    };
    char text[POLICY_BODY_MAX];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct slice mx = {text, rows[i].body_len - REST_LEN};
        struct field_text item = {slice_of(rows[i].mx), {"f", 2, 2}};
        struct raw_policy own_keys = {.mx.place = {"f", rows[i].list_line, 1}};
        struct merged_policy merged = {
            .keys.mx = {&item, 1, {"f", 2, 1}},
            .own_keys = &own_keys,
            .policy = {.mode = POLICY_TESTING, .max_age_s = 604800, .mx = &mx, .n_mx = 1},
            .path = "x",
            .place = {"f", 1, 1},
            .allow = rows[i].allow,
        };
        struct sample sample = sample_open("");
        struct slice body;
        int result = merged_policy_render(&merged, sample.arena, sample.diag, &body);

        if (result == 0 ? body.len != rows[i].body_len : diag_count(sample.diag, LEVEL_ERROR) == 0)
            fail_msg("row %zu: a body of %zu bytes", i, result == 0 ? body.len : 0);
        if (!sample_has(&sample, "size", rows[i].want))
            fail_msg("row %zu failed", i);
        sample_done(&sample);
    }
}

/* Codes in findings that are not kept are not compared with all others. */
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
        cmocka_unit_test(test_ownership),  cmocka_unit_test(test_reported_before),
        cmocka_unit_test(test_allowed),    cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
