/* SPDX-License-Identifier: MIT */
#include "lib/config/records_spec.h"

#include "lib/config/sample.h"
#include "lib/dns/record.h"

static void test_specs(void **state)
{
    struct sample sample = sample_load("policy_host: {name: policy.example.net}\n"
                                       "delegation_zone: sts.example.net\n"
                                       "ttl: {mta_sts: 1, policy_host: 2, tls_rpt: 3}\n"
                                       "policies: {p: {mx: [mx.example.net]}}\n"
                                       "domains:\n"
                                       "  a.example: p\n"
                                       "  b.c.example: {policy: p, zone: c.example, tls_rpt: "
                                       "[\"mailto:a@c.example\"], delegated: [mta-sts, tls-rpt]}\n"
                                       "  d.example: {mta_sts: false, tls_rpt: "
                                       "[\"mailto:a@d.example\"], delegated: [tls-rpt]}\n");
    const struct domain *domains = sample.config->domains;
    struct domain_records_spec plain = domain_records_spec_make(sample.config, &domains[0], NULL);
    struct domain_records_spec delegated =
        domain_records_spec_make(sample.config, &domains[1], "no certificate");
    struct domain_records_spec reporting =
        domain_records_spec_make(sample.config, &domains[2], NULL);

    (void)state;
    assert_string_equal(plain.domain, "a.example");
    assert_string_equal(plain.zone, "a.example");
    assert_string_equal(plain.policy, "p");
    assert_string_equal(plain.id, domains[0].document->id);
    assert_int_equal(plain.n_rua, 0);
    assert_string_equal(plain.policy_host_name, "policy.example.net");
    assert_int_equal(plain.n_addresses, 0);
    assert_string_equal(plain.delegation_zone, "sts.example.net");
    assert_false(plain.delegates_mta_sts || plain.delegates_tls_rpt);
    assert_int_equal(plain.ttl_mta_sts_s, 1);
    assert_int_equal(plain.ttl_policy_host_s, 2);
    assert_int_equal(plain.ttl_tls_rpt_s, 3);
    assert_null(plain.withheld);

    assert_string_equal(delegated.zone, "c.example");
    assert_null(delegated.policy); /* its tls_rpt makes it the domain's own */
    assert_int_equal(delegated.n_rua, 1);
    assert_string_equal(delegated.rua[0], "mailto:a@c.example");
    assert_true(delegated.delegates_mta_sts && delegated.delegates_tls_rpt);
    assert_string_equal(delegated.withheld, "no certificate");

    assert_null(reporting.id);
    assert_true(!reporting.delegates_mta_sts && reporting.delegates_tls_rpt);
    sample_done(&sample);
}

static void test_addresses(void **state)
{
    struct sample sample = sample_load("policy_host: {addresses: [192.0.2.1, \"2001:db8::1\"]}\n"
                                       "domains: {a.example: {mode: none}}\n");
    struct domain_records_spec spec =
        domain_records_spec_make(sample.config, &sample.config->domains[0], NULL);

    (void)state;
    assert_null(spec.policy_host_name);
    assert_null(spec.delegation_zone);
    assert_int_equal(spec.n_addresses, 2);
    assert_string_equal(spec.addresses[1], "2001:db8::1");
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specs),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
