/* SPDX-License-Identifier: MIT */
#include "lib/config/acme_settings.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/sample.h"

#define REST "policy_host: {name: p.example}\ndomains: {a.example: {mx: [mx.a.example]}}\n"

static struct sample load(const char *acme, const char *rest)
{
    char yaml[2048];

    snprintf(yaml, sizeof(yaml), "acme: {%s}\n%s", acme, rest);
    return sample_load(yaml);
}

static void test_nothing(void **state)
{
    struct sample sample = sample_load("state: /s\n" REST);

    (void)state;
    assert_null(sample.config->acme);
    assert_true(sample.config->has_default_sources);
    sample_done(&sample);
}

static void test_defaults(void **state)
{
    struct sample sample = load("agree_to_terms: true", "state: /s\n" REST);
    const struct acme_settings *acme = sample.config->acme;

    (void)state;
    assert_string_equal(acme->directory, "https://acme-v02.api.letsencrypt.org/directory");
    assert_null(acme->account_email);
    assert_null(acme->eab_path);
    assert_null(acme->challenges_at);
    assert_true(acme->has_orders);
    assert_int_equal(acme->renew_before_s, 0);
    assert_int_equal(acme->orders_per_hour, 90);
    /* Certificates are where they are put, and nowhere else. */
    assert_int_equal(sample.config->n_sources, 1);
    assert_string_equal(sample.config->sources[0].chain, "/s/certificates/{host}/certificate.pem");
    assert_string_equal(sample.config->sources[0].key, "/s/certificates/{host}/key.pem");
    assert_false(sample.config->has_default_sources);
    sample_done(&sample);
}

static void test_all_keys(void **state)
{
    struct sample sample =
        load("agree_to_terms: true, directory: staging, account_email: a@b.example, "
             "external_account_binding: /eab, renew_before: 10d, orders_per_hour: 1000, "
             "orders: false, challenges_at: 'http://o.example/'",
             "state: /s\ncertificates: [{chain: /c.pem}]\n" REST);
    const struct acme_settings *acme = sample.config->acme;

    (void)state;
    assert_string_equal(acme->directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    assert_string_equal(acme->account_email, "a@b.example");
    assert_string_equal(acme->eab_path, "/eab");
    assert_string_equal(acme->challenges_at, "http://o.example");
    assert_false(acme->has_orders);
    assert_int_equal(acme->renew_before_s, 864000);
    assert_int_equal(acme->orders_per_hour, 1000);
    /* What the YAML names comes first. */
    assert_int_equal(sample.config->n_sources, 2);
    assert_string_equal(sample.config->sources[0].chain, "/c.pem");
    assert_string_equal(sample.config->sources[1].chain, "/s/certificates/{host}/certificate.pem");
    sample_done(&sample);
}

static void test_what_is_missing(void **state)
{
    static const struct {
        const char *acme, *rest, *findings;
    } rows[] = {
        {"orders: true", "state: /s\n" REST,
         "f:1:7: error: acme: the key 'agree_to_terms' is needed: true: you have read the terms of "
         "service of the certificate authority and agree; without that it gives no account "
         "[missing-key]\n"},
        {"agree_to_terms: false", "state: /s\n" REST,
         "f:1:24: error: acme.agree_to_terms: without agreement the certificate authority gives no "
         "account; read its terms of service, and write true if you agree [bad-value]\n"},
        {"agree_to_terms: true", REST,
         "f:1:24: error: acme: acme needs state:, where the daemon keeps the account's key and the "
         "certificates [missing-key]\n"},
        {"agree_to_terms: true", "state: /s\ndomains: {a.example: {mx: [mx.a.example]}}\n",
         "f:1:24: error: acme: acme needs policy_host:, to see before an order that "
         "mta-sts.<domain> points there [missing-key]\n"},
        {"agree_to_terms: true, challenges_at: 'http://o.example'", "state: /s\n" REST,
         "f:1:45: error: acme.challenges_at: is for a replica that does not order; write orders: "
         "false, or leave challenges_at out [key-conflict]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = load(rows[i].acme, rows[i].rest);

        if (!sample_has(&sample, rows[i].acme, rows[i].findings))
            fail_msg("row %zu", i);
        sample_done(&sample);
    }
}

static void test_values(void **state)
{
    static const struct {
        const char *key, *value;
        bool is_good;
    } rows[] = {
        {"directory", "production", true},
        {"directory", "https://ca.example/dir", true},
        {"directory", "https://ca.example:14000/dir?a=b", true},
        {"directory", "http://ca.example/dir", false},
        {"directory", "https://", false},
        {"directory", "Staging", false},
        {"directory", "https://ca.example/d r", false},
        {"account_email", "a@b", true},
        {"account_email", "mailto:a@b.example", false},
        {"account_email", "a", false},
        {"account_email", "@b.example", false},
        {"account_email", "a@", false},
        {"account_email", "a@b@c", false},
        {"account_email", "a b@c", false},
        {"challenges_at", "http://o.example", true},
        {"challenges_at", "http://o.example:80/", true},
        {"challenges_at", "http://", false},
        {"challenges_at", "http:///", false},
        {"challenges_at", "https://o.example", false},
        {"challenges_at", "http://o.example/path", false},
        {"challenges_at", "http://o.example?a", false},
        {"challenges_at", "http://o.example#a", false},
        {"challenges_at", "h", false},
        {"renew_before", "1h", true},
        {"renew_before", "3599", false},
        {"renew_before", "366d", false},
        {"orders_per_hour", "1", true},
        {"orders_per_hour", "0", false},
        {"orders_per_hour", "10000", true},
        {"orders_per_hour", "10001", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char acme[256];
        struct sample sample;

        snprintf(acme, sizeof(acme), "agree_to_terms: true, orders: false, %s: \"%s\"", rows[i].key,
                 rows[i].value);
        sample = load(acme, "state: /s\n" REST);
        if (!sample.config == rows[i].is_good)
            fail_msg("row %zu: %s '%s'", i, rows[i].key, rows[i].value);
        sample_done(&sample);
    }
}

/* 100 domains at 45 days are renewed every 30 days, if nothing else is said. */
static void test_rate(void **state)
{
    static const struct {
        const char *acme;
        size_t n_domains;
        bool has_finding;
    } rows[] = {
        {"agree_to_terms: true, orders_per_hour: 1", 720, false},
        {"agree_to_terms: true, orders_per_hour: 1", 721, true},
        {"agree_to_terms: true, orders_per_hour: 2", 1440, false},
        {"agree_to_terms: true, orders_per_hour: 2", 1441, true},
        {"agree_to_terms: true, orders_per_hour: 1, renew_before: 15d", 720, false},
        {"agree_to_terms: true, orders_per_hour: 1, renew_before: 44d", 24, false},
        {"agree_to_terms: true, orders_per_hour: 1, renew_before: 44d", 25, true},
        {"agree_to_terms: true, orders_per_hour: 1, renew_before: 60d", 2, true},
        {"agree_to_terms: true, orders_per_hour: 1, orders: false", 1441, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *yaml, *seen;
        size_t len;
        FILE *out = open_memstream(&yaml, &len);
        struct sample sample;

        fprintf(out,
                "acme: {%s}\nstate: /s\npolicy_host: {name: p.example}\n"
                "policies: {default: {mx: [mx.a.example]}}\ndomains:\n",
                rows[i].acme);
        for (size_t j = 0; j < rows[i].n_domains; j++)
            fprintf(out, "- d%zu.example\n", j);
        fclose(out);
        sample = sample_load(yaml);
        seen = sample_findings(&sample);
        if (strstr(seen, "[acme-rate]") ? !rows[i].has_finding : rows[i].has_finding)
            fail_msg("row %zu: '%s'", i, seen);
        free(seen);
        free(yaml);
        sample_done(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),  cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_keys), cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_values),   cmocka_unit_test(test_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
