/* SPDX-License-Identifier: MIT */
#include "lib/config/policy_merge.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/sample.h"

/* The policy `p` of a text "{keys}". */
static struct sample read_policy(const char *keys)
{
    char yaml[1024];
    struct sample sample;

    snprintf(yaml, sizeof(yaml), "policies: {p: {%s}}\n", keys);
    sample = sample_read(yaml);
    assert_int_equal(sample.raw.policies.n_items, 1);
    return sample;
}

static const struct raw_policy *keys_of(const struct sample *sample)
{
    return &sample->raw.policies.items[0].keys;
}

static void test_merge(void **state)
{
    struct sample base = read_policy("mode: enforce, mx: [a.example, b.example], max_age: 2w, "
                                     "tls_rpt: [\"mailto:a@a.example\"], id_salt: a");
    struct sample none = read_policy("allow: [max-age-short]");
    struct sample all = read_policy("mode: none, mx: [], max_age: 1d, tls_rpt: [], id_salt: b");
    struct raw_policy merged = raw_policy_merge(keys_of(&base), keys_of(&none));

    (void)state;
    assert_int_equal(merged.mode.value, POLICY_ENFORCE);
    assert_int_equal(merged.mx.n_items, 2);
    assert_int_equal(merged.max_age.value, 1209600);
    assert_int_equal(merged.tls_rpt.n_items, 1);
    assert_string_equal(merged.id_salt.text.ptr, "a");
    merged = raw_policy_merge(keys_of(&base), keys_of(&all));
    assert_int_equal(merged.mode.value, POLICY_MODE_NONE);
    assert_int_equal(merged.mx.n_items, 0);
    assert_int_equal(merged.max_age.value, 86400);
    assert_int_equal(merged.tls_rpt.n_items, 0);
    assert_string_equal(merged.id_salt.text.ptr, "b");
    sample_done(&base);
    sample_done(&none);
    sample_done(&all);
}

static void test_questions(void **state)
{
    static const struct {
        const char *keys;
        bool is_given, has_mx, has_rua, has_rua_with_host;
    } rows[] = {
        {"", false, false, false, false},
        {"allow: [body-long]", false, false, false, false},
        {"mode: testing", true, false, false, false},
        {"mx: []", true, false, false, false},
        {"max_age: 1w", true, false, false, false},
        {"tls_rpt: []", true, false, false, false},
        {"id_salt: 1", true, false, false, false},
        {"mx: [a.example, \"mx.{domain}\"]", true, true, false, false},
        {"mx: [\"{domain_dashed}.a.example\"]", true, true, false, false},
        {"mx: [\"{domain_dashe}.a.example\"]", true, false, false, false},
        {"mx: [\"{domain\", domain, \"{Domain}\"]", true, false, false, false},
        {"tls_rpt: [\"mailto:a@{domain}\"]", true, false, true, true},
        {"tls_rpt: [\"https:\"]", true, false, true, false},
        {"tls_rpt: [\"https://a.example/\"]", true, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = read_policy(rows[i].keys);
        const struct raw_policy *keys = keys_of(&sample);

        if (raw_policy_is_given(keys) != rows[i].is_given ||
            raw_policy_has_domain_mx(keys) != rows[i].has_mx ||
            raw_policy_has_domain_rua(keys, NULL) != rows[i].has_rua ||
            raw_policy_has_domain_rua(keys, "r.example") != rows[i].has_rua_with_host)
            fail_msg("row %zu (%s): a wrong answer", i, rows[i].keys);
        sample_done(&sample);
    }
}

static void test_allow(void **state)
{
    struct sample sample = read_policy("allow: [max-age-short, nonsense, '', body-long]");

    (void)state;
    assert_true(raw_policy_allow(keys_of(&sample)) ==
                (finding_bit(FINDING_MAX_AGE_SHORT) | finding_bit(FINDING_BODY_LONG) |
                 finding_bit(FINDING_NONE)));
    sample_done(&sample);
}

#define LONG_LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_expand_mx(void **state)
{
    static const struct {
        const char *mx, *want;
    } rows[] = {
        {"mail.example.com", "mail.example.com"},
        {"Mail.Example.COM.", "mail.example.com"},
        {"*.Example.COM.", "*.example.com"},
        {"{domain}", "d.example"},
        {"{domain}{domain}", "d.exampled.example"},
        {"{domain_dashed}.{domain}", "d-example.d.example"},
        {"a.{domain_dashed}", "a.d-example"},
        {"{domain_}.{domain}", "{domain_}.d.example"},
        {"*.{domain}.", "*.d.example"},
        {"a.{domain}.b", "a.d.example.b"},
        {"b\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"},
        {"*.B\xc3\x9c"
         "CHER.example",
         "*.xn--bcher-kva.example"},
        /* What has no stored form is left as it is, for the check to report. */
        {"a_b.example", "a_b.example"},
        {"*.", "*."},
        {"A@b", "A@b"},
        {"*.*.example", "*.*.example"},
        {"{domain", "{domain"},
        {LONG_LABEL "aaaa.example", LONG_LABEL "aaaa.example"},
        {LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".aaaaaaa.a",
         LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".aaaaaaa.a"}, /* 253 */
        {"*." LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".aaaaaaa.a",
         "*." LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".aaaaaaa.a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct field_text item = {slice_of(rows[i].mx), {"f", 1, 1}};
        struct merged_policy merged = {
            .keys.mx = {&item, 1, {"f", 1, 1}},
            .domain = "d.example",
        };
        struct arena *arena = arena_new(0);

        merged_policy_expand(&merged, NULL, arena);
        assert_int_equal(merged.policy.n_mx, 1);
        if (!slice_eq_text(merged.policy.mx[0], rows[i].want))
            fail_msg("row %zu: wanted %s, saw %.*s", i, rows[i].want,
                     SLICE_ARG(merged.policy.mx[0]));
        arena_free(arena);
    }
}

static void test_expand_rua(void **state)
{
    static const struct {
        const char *rua, *report_host, *want;
    } rows[] = {
        {"mailto:A@example.com", NULL, "mailto:A@example.com"},
        {"mailto:{domain}@reports.example", NULL, "mailto:d.example@reports.example"},
        {"https:", NULL, "https://mta-sts.d.example/tlsrpt"},
        {"https:", "r.example", "https://r.example/tlsrpt"},
        {"https:/", NULL, "https:/"},
        {"HTTPS:", NULL, "HTTPS:"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct field_text item = {slice_of(rows[i].rua), {"f", 1, 1}};
        struct merged_policy merged = {
            .keys.tls_rpt = {&item, 1, {"f", 1, 1}},
            .domain = "d.example",
        };
        struct arena *arena = arena_new(0);

        merged_policy_expand(&merged, rows[i].report_host, arena);
        assert_int_equal(merged.n_rua, 1);
        if (!slice_eq_text(merged.rua[0], rows[i].want))
            fail_msg("row %zu: wanted %s, saw %.*s", i, rows[i].want, SLICE_ARG(merged.rua[0]));
        arena_free(arena);
    }
}

/* The longest domain there may be, as our own intake's host. */
static void test_expand_longest(void **state)
{
    static const char domain[] = LONG_LABEL "." LONG_LABEL "." LONG_LABEL "." LONG_LABEL ".a";
    struct field_text item = {slice_of("https:"), {"f", 1, 1}};
    struct merged_policy merged = {.keys.tls_rpt = {&item, 1, {"f", 1, 1}}, .domain = domain};
    struct arena *arena = arena_new(0);

    (void)state;
    assert_int_equal(strlen(domain), 245);
    merged_policy_expand(&merged, NULL, arena);
    assert_int_equal(merged.rua[0].len, strlen("https://mta-sts./tlsrpt") + 245);
    assert_true(slice_ends_with(merged.rua[0], ".a/tlsrpt"));
    arena_free(arena);
}

static void test_defaults(void **state)
{
    static const struct {
        const char *keys;
        enum policy_mode mode;
        uint32_t max_age_s;
    } rows[] = {
        {"", POLICY_TESTING, 604800},
        {"mode: testing", POLICY_TESTING, 604800},
        {"mode: enforce", POLICY_ENFORCE, 604800},
        {"mode: none", POLICY_MODE_NONE, 86400},
        {"mode: none, max_age: 0", POLICY_MODE_NONE, 0},
        {"max_age: 31557600", POLICY_TESTING, 31557600},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = read_policy(rows[i].keys);
        struct merged_policy merged = {.keys = *keys_of(&sample), .domain = "d.example"};

        merged_policy_expand(&merged, NULL, sample.arena);
        if (merged.policy.mode != rows[i].mode || merged.policy.max_age_s != rows[i].max_age_s ||
            merged.policy.n_mx != 0)
            fail_msg("row %zu (%s): mode %d, max_age %u", i, rows[i].keys, (int)merged.policy.mode,
                     merged.policy.max_age_s);
        sample_done(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),      cmocka_unit_test(test_questions),
        cmocka_unit_test(test_allow),      cmocka_unit_test(test_expand_mx),
        cmocka_unit_test(test_expand_rua), cmocka_unit_test(test_expand_longest),
        cmocka_unit_test(test_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
