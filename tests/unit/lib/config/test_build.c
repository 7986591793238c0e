/* SPDX-License-Identifier: MIT */
#include "lib/config/build.h"

#include <string.h>

#include "lib/config/sample.h"

static const struct domain *find(const struct sample *sample, const char *name)
{
    const struct domain *domain = config_find_domain(sample->config, slice_of(name));

    if (!domain)
        fail_msg("there is no %s", name);
    return domain;
}

static void test_order(void **state)
{
    static const char *const want[] = {"a.example", "a.example.org", "a0.example", "b.example",
                                       "xn--bcher-kva.example"};
    struct sample sample = sample_load("policies: {p: {mx: [mx.example]}}\n"
                                       "domains: {B\xc3\x9c"
                                       "CHER.example: p, b.example: p, a0.example: p, "
                                       "a.example.org: p, A.example.: p}\n");

    (void)state;
    assert_int_equal(sample.config->n_domains, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(sample.config->domains[i].name, want[i]);
    assert_int_equal(sample.config->domains[0].place.line, 2);
    sample_done(&sample);
}

enum {
    MANY = 5000,
};

/* Many entries with one name keep their order. */
static void test_many_duplicates(void **state)
{
    struct sample sample = sample_open("");
    FILE *out = fopen(sample.file.path, "w");
    char *seen;

    (void)state;
    fputs("policies: {p: {mode: none}}\ndomains:\n", out);
    for (size_t i = 0; i < MANY; i++)
        fputs("  a.example: p\n", out);
    fclose(out);
    sample.config = config_load(sample.file.path, sample.diag);
    assert_null(sample.config);
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), MANY - 1);
    seen = sample_findings(&sample);
    assert_true(slice_starts_with(
        slice_of(seen), "f:4:3: error: domains.a.example: the domain is given already at f:3:3; "
                        "keep one of them [duplicate-domain]\n"
                        "f:5:3: error: domains.a.example: the domain is given already at f:4:3; "));
    free(seen);
    sample_done(&sample);
}

/* What is the same for several domains is held once. */
static void test_sharing(void **state)
{
    struct sample sample =
        sample_load("policies:\n"
                    "  p: {mx: [mx.example], tls_rpt: [\"mailto:a@b.example\"]}\n"
                    "  same: {mx: [MX.example]}\n"
                    "  each: {mx: [\"{domain}\"], tls_rpt: [\"mailto:a@{domain}\"]}\n"
                    "domains:\n"
                    "  a.example: p\n"
                    "  b.example: p\n"
                    "  c.example: {mx: [mx.example]}\n"
                    "  d.example: same\n"
                    "  e.example: {policy: p, mode: none}\n"
                    "  f.example: {policy: p, id_salt: 1}\n"
                    "  g.example: {policy: p, tls_rpt: [\"mailto:a@g.example\"]}\n"
                    "  h.example: {policy: p, mta_sts: false}\n"
                    "  i.example: each\n"
                    "  j.example: {policy: each, mx: [mx.example]}\n");
    const struct domain *a = find(&sample, "a.example"), *b = find(&sample, "b.example");
    const struct domain *e = find(&sample, "e.example"), *f = find(&sample, "f.example");
    const struct domain *g = find(&sample, "g.example"), *h = find(&sample, "h.example");
    const struct domain *i = find(&sample, "i.example"), *j = find(&sample, "j.example");

    (void)state;
    assert_ptr_equal(a->document, b->document);
    assert_ptr_equal(a->reporting, b->reporting);
    assert_ptr_equal(a->document, find(&sample, "c.example")->document);
    assert_ptr_equal(a->document, find(&sample, "d.example")->document);
    assert_null(find(&sample, "c.example")->reporting);
    assert_true(e->document != a->document);
    assert_ptr_equal(e->reporting, a->reporting);
    assert_true(f->document != a->document);
    assert_ptr_equal(f->reporting, a->reporting);
    assert_ptr_equal(g->document, a->document);
    assert_string_equal(g->reporting->rua[0], "mailto:a@g.example");
    assert_null(h->document);
    assert_ptr_equal(h->reporting, a->reporting);
    assert_string_equal(i->document->policy.mx[0].ptr, "i.example");
    assert_string_equal(i->reporting->rua[0], "mailto:a@i.example");
    assert_ptr_equal(j->document, a->document);
    assert_string_equal(j->reporting->rua[0], "mailto:a@j.example");
    sample_done(&sample);
}

static void test_attributes(void **state)
{
    static const struct {
        const char *name, *zone, *policy_name;
        unsigned delegated;
        finding_set allow;
    } rows[] = {
        {"a.example", "a.example", "p", 0, UINT64_C(1) << FINDING_BODY_LONG},
        {"b.c.example", "c.example", "p", DELEGATED_MTA_STS | DELEGATED_TLS_RPT,
         UINT64_C(1) << FINDING_BODY_LONG},
        {"d.example", "d.example", "p", DELEGATED_TLS_RPT,
         UINT64_C(1) << FINDING_BODY_LONG | UINT64_C(1) << FINDING_CERTIFICATE_CHAIN},
        {"e.example", "example", NULL, DELEGATED_MTA_STS, UINT64_C(1) << FINDING_BODY_LONG},
        {"f.example", "f.example", NULL, 0, 0},
    };
    struct sample sample = sample_load(
        "delegation_zone: sts.example\n"
        "policies: {p: {mx: [mx.example], tls_rpt: [\"mailto:a@b.example\"], allow: [body-long]}}\n"
        "domains:\n"
        "  a.example: p\n"
        "  b.c.example: {policy: p, zone: C.example., delegated: [mta-sts, tls-rpt]}\n"
        "  d.example: {policy: p, delegated: [tls-rpt], allow: [certificate-chain]}\n"
        "  e.example: {policy: p, mode: none, zone: example, delegated: [mta-sts]}\n"
        "  f.example: {mode: none}\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct domain *domain = find(&sample, rows[i].name);
        const char *policy = domain->policy_name;

        if (strcmp(domain->zone, rows[i].zone) != 0 || domain->delegated != rows[i].delegated ||
            domain->allow != rows[i].allow ||
            (policy ? !rows[i].policy_name || strcmp(policy, rows[i].policy_name) != 0
                    : rows[i].policy_name != NULL))
            fail_msg("row %zu: %s: zone %s, policy %s, delegated %u, allow %llx", i, domain->name,
                     domain->zone, policy ? policy : "none", domain->delegated,
                     (unsigned long long)domain->allow);
    }
    sample_done(&sample);
}

/* What names no policy takes the one that is named default. */
static void test_default_policy(void **state)
{
    struct sample sample = sample_load(
        "domains:\n"
        "  a.example:\n"
        "  b.example: {}\n"
        "  c.example: {mx: [own.example]}\n"
        "  d.example: other\n"
        "  e.example: {mta_sts: false}\n"
        "policies:\n"
        "  default: {mx: [mx.example], mode: enforce, tls_rpt: [\"mailto:a@b.example\"], "
        "max_age: 2w}\n"
        "  other: {mx: [mx.example]}\n");
    const struct domain *a = find(&sample, "a.example"), *c = find(&sample, "c.example");

    (void)state;
    assert_string_equal(a->policy_name, "default");
    assert_ptr_equal(a->document, find(&sample, "b.example")->document);
    assert_int_equal(c->document->policy.mode, POLICY_ENFORCE);
    assert_true(slice_eq_text(c->document->policy.mx[0], "own.example"));
    assert_int_equal(find(&sample, "d.example")->document->policy.mode, POLICY_TESTING);
    assert_null(find(&sample, "e.example")->document);
    assert_ptr_equal(find(&sample, "e.example")->reporting, a->reporting);
    sample_done(&sample);
}

/* An alias is as if the entry were written once more under its name. */
static void test_aliases(void **state)
{
    struct sample sample = sample_load(
        "delegation_zone: z.example\n"
        "domains:\n"
        "  a.example: {mx: [\"mx.{domain}\"], zone: example, aliases: [B.example., c.test], "
        "delegated: [mta-sts], allow: [body-long]}\n"
        "  d.example: {mx: [mx.example], max_age: 1h, aliases: [e.example]}\n");
    const struct domain *b = find(&sample, "b.example"), *c = find(&sample, "c.test");

    (void)state;
    assert_true(slice_eq_text(b->document->policy.mx[0], "mx.b.example"));
    assert_string_equal(b->zone, "example");
    assert_string_equal(c->zone, "c.test");
    assert_int_equal(c->delegated, DELEGATED_MTA_STS);
    assert_true(c->allow == finding_bit(FINDING_BODY_LONG));
    assert_ptr_equal(find(&sample, "d.example")->document, find(&sample, "e.example")->document);
    assert_int_equal(diag_count(sample.diag, LEVEL_WARNING), 1);
    sample_done(&sample);
}

/* One mistake is one finding: a domain on a broken policy is judged only by its own keys. */
static void test_no_echo(void **state)
{
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"policies: {p: {mx: [a_b.example, \"a_b.{domain}\"]}}\n"
         "domains: {a.example: p, b.example: {policy: p, id_salt: 1}}\n",
         "f:1:21: error: policies.p.mx[0]: 'a_b.example' has an underscore, which no host name has "
         "[mx-syntax]\n"
         "f:1:34: error: policies.p.mx[1]: 'a_b.{domain}' has an underscore, which no host name "
         "has [mx-syntax]\n"},
        {"policies: {p: {mx: mx.example}}\n"
         "domains: {a.example: p, b.example: {policy: p, zone: c.example, tls_rpt: [x], delegated: "
         "[tls-rpt]}}\n",
         "f:1:20: error: policies.p.mx: expected a list, as in [mail.example.com], found "
         "'mx.example'; put it in brackets: ['mx.example'] [wrong-type]\nf:2:54: error: "
         "domains.b.example.zone: 'c.example' does not contain "
         "'b.example'; a zone is the domain itself or one above it [bad-value]\nf:2:75: error: "
         "domains.b.example.tls_rpt[0]: 'x' is neither mailto: nor https: [rua-syntax]\n"},
        {"domains: {a.example: {mta_sts: no}, b.example: {policy: [], mta_sts: false, allow: "
         "[x]}}\n",
         "f:1:32: error: domains.a.example.mta_sts: 'no' is not one of true, false, on, off "
         "[bad-value]\n"
         "f:1:57: error: domains.b.example.policy: expected a string, found a list; put a string "
         "with "
         "brackets, braces or a final colon in quotes [wrong-type]\nf:1:85: error: "
         "domains.b.example.allow[0]: 'x' is not the code of a finding, which is in [] at the end "
         "of its line [bad-value]\n"},
        {"domains: {a.example: {mx: [mx.example], mode: enforce, tls_rpt: x, max_age: x}}\n",
         "f:1:65: error: domains.a.example.tls_rpt: expected a list, as in "
         "[\"mailto:tlsrpt@example.com\"], found 'x'; put it in brackets: ['x'] "
         "[wrong-type]\nf:1:77: error: domains.a.example.max_age: 'x' is not a "
         "duration between 0 and 31557600 s, as in 3600, 90m, 12h, 3d or 2w [bad-value]\n"},
        {"policies: {p: {mode: testing}}\n"
         "domains: {a.example: {policy: p, id_salt: 1}, b.example: {policy: p, max_age: 2w}}\n",
         "f:1:12: error: policies.p: mode testing needs at least one mx, the MX hosts of the "
         "domain, "
         "as in mx: [mail.example.com] [mx-missing]\n"},
        {"delegation_zone: a_b\n"
         "domains: {a.example: {mode: none, mx: [b.example], delegated: [mta-sts]}}\n",
         "f:1:18: error: delegation_zone: 'a_b' is no domain name: it has '_' in it; letters, "
         "digits and inner hyphens may be [bad-name]\n"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_load(rows[i].yaml);

        n_failed += !sample_has(&sample, rows[i].yaml, rows[i].want);
        sample_done(&sample);
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),          cmocka_unit_test(test_many_duplicates),
        cmocka_unit_test(test_sharing),        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_default_policy), cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_no_echo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
