/* SPDX-License-Identifier: MIT */
#include "lib/config/config.h"

#include <string.h>

#include "lib/config/sample.h"

static const char yaml[] = "policy_host: {name: policy.example.net}\n"
                           "report_host: reports.example.net\n"
                           "domains:\n"
                           "  b.example: {mx: [mx.b.example]}\n"
                           "  a.example: {mx: [mx.a.example]}\n"
                           "  a-b.example: {mx: [mx.a.example]}\n"
                           "  a.b.example: {mx: [mx.a.example]}\n"
                           "  c.example: {mta_sts: false, tls_rpt: [\"mailto:a@c.example\"]}\n"
                           "  B\xc3\xbc"
                           "cher.example: {mode: none}\n";

static void test_find_domain(void **state)
{
    static const struct {
        struct slice name;
        const char *want;
    } rows[] = {
        {{"", 0}, NULL},
        {{"a.example", 9}, "a.example"},
        {{"a-b.example", 11}, "a-b.example"},
        {{"a.b.example", 11}, "a.b.example"},
        {{"b.example", 9}, "b.example"},
        {{"c.example", 9}, "c.example"},
        {{"xn--bcher-kva.example", 21}, "xn--bcher-kva.example"},
        {{"b.exampl", 8}, NULL},
        {{"b.example.", 10}, NULL},
        {{"B.example", 9}, NULL}, /* names are asked for in stored form */
        {{"b.example\0", 10}, NULL},
        {{"x.b.example", 11}, NULL},
        {{"zzz", 3}, NULL},
    };
    struct sample sample = sample_load(yaml);

    (void)state;
    assert_int_equal(sample.config->n_domains, 6);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct domain *domain = config_find_domain(sample.config, rows[i].name);
        const char *seen = domain ? domain->name : NULL;

        if ((seen == NULL) != (rows[i].want == NULL) || (seen && strcmp(seen, rows[i].want) != 0))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want ? rows[i].want : "none",
                     seen ? seen : "none");
    }
    sample_done(&sample);
}

static void test_find_host(void **state)
{
    static const struct {
        const char *host, *want;
        bool is_own;
    } rows[] = {
        {"", NULL, false},
        {"mta-sts.", NULL, false},
        {"mta-sts.a.example", "a.example", false},
        {"mta-sts.c.example", NULL, false}, /* TLS reporting only */
        {"mta-sts.d.example", NULL, false},
        {"mta-sts.mta-sts.a.example", NULL, false},
        {"a.example", NULL, false},
        {"mta-stsa.example", NULL, false},
        {"policy.example.net", NULL, true},
        {"reports.example.net", NULL, true},
        {"example.net", NULL, false},
    };
    struct sample sample = sample_load(yaml);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice host = slice_of(rows[i].host);
        const struct domain *domain = config_find_policy_host(sample.config, host);
        const char *seen = domain ? domain->name : NULL;

        if ((seen == NULL) != (rows[i].want == NULL) || (seen && strcmp(seen, rows[i].want) != 0))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want ? rows[i].want : "none",
                     seen ? seen : "none");
        if (config_is_own_host(sample.config, host) != rows[i].is_own)
            fail_msg("row %zu: is our own or not", i);
    }
    sample_done(&sample);
}

static void test_no_own_hosts(void **state)
{
    struct sample sample = sample_load("domains: {a.example: {mode: none}}\n");

    (void)state;
    assert_false(config_is_own_host(sample.config, slice_of("")));
    assert_null(config_find_domain(sample.config, slice_of("b.example")));
    sample_done(&sample);
}

#define DOMAINS "domains: {a.example: {mode: none}}\n"
#define STATE "state: /state\n"
#define LISTEN "listen: [{address: \"[::]:443\""
#define TRUSTED ", proxy_protocol: {trusted: "

static void test_can_replace(void **state)
{
    static const struct {
        const char *current, *next, *want; /* NULL: it can */
    } rows[] = {
        {DOMAINS, DOMAINS, NULL},
        {DOMAINS, "domains: {b.example: {mode: none}}\nlog: {level: debug, access: text}\n", NULL},
        {DOMAINS, DOMAINS "listen: [{address: \"[::]:443\"}]\n", NULL}, /* the default, said */
        {DOMAINS, DOMAINS "listen: [{address: \"[::]:443\", tls: false}]\n", "listen"},
        {DOMAINS, DOMAINS "listen: [{address: \"[::]:444\"}]\n", "listen"},
        {DOMAINS, DOMAINS "listen: [{address: \"[::]:443\"}, {address: \"127.0.0.1:1\"}]\n",
         "listen"},
        {DOMAINS "listen: [{address: \"127.0.0.1:2\"}, {address: \"127.0.0.1:1\"}]\n",
         DOMAINS "listen: [{address: \"127.0.0.1:1\"}, {address: \"127.0.0.1:2\"}]\n", "listen"},
        {DOMAINS LISTEN "}]\n", DOMAINS LISTEN TRUSTED "['::1']}}]\n", "listen"},
        {DOMAINS LISTEN TRUSTED "['::1']}}]\n", DOMAINS LISTEN TRUSTED "['::1/128']}}]\n", NULL},
        {DOMAINS LISTEN TRUSTED "['::1']}}]\n", DOMAINS LISTEN TRUSTED "['::2']}}]\n", "listen"},
        {DOMAINS LISTEN TRUSTED "['::1']}}]\n", DOMAINS LISTEN TRUSTED "['::1', '::2']}}]\n",
         "listen"},
        {DOMAINS LISTEN TRUSTED "['::1']}}]\n", DOMAINS LISTEN "}]\n", "listen"},
        {DOMAINS, DOMAINS "workers: auto\n", NULL},
        {DOMAINS, DOMAINS "workers: 1\n", "workers"},
        {DOMAINS "workers: 2\n", DOMAINS "workers: 3\n", "workers"},
        {DOMAINS, DOMAINS "user: mta-stsd\nsandbox: on\n", NULL},
        {DOMAINS, DOMAINS "user: root\n", "user"},
        {DOMAINS "user: root\n", DOMAINS "user: nobody\n", "user"},
        {DOMAINS, DOMAINS "sandbox: off\n", "sandbox"},
        {DOMAINS STATE, DOMAINS STATE "on_change: {run: [/bin/a]}\n", "on_change"},
        {DOMAINS STATE "on_change: {run: [/bin/a]}\n", DOMAINS STATE, "on_change"},
        {DOMAINS STATE "on_change: {run: [/bin/a]}\n",
         DOMAINS STATE "on_change: {run: [/bin/a, b]}\n", "on_change"},
        {DOMAINS STATE "on_change: {run: [/bin/a, b]}\n",
         DOMAINS STATE "on_change: {run: [/bin/a, c]}\n", "on_change"},
        {DOMAINS STATE "on_change: {run: [/bin/a, b]}\n",
         DOMAINS STATE "on_change: {timeout: 5s, run: [/bin/a, b]}\n", NULL},
        {DOMAINS STATE, DOMAINS STATE "notify: {run: [/bin/a]}\n", "notify"},
        {DOMAINS STATE "notify: {run: [/bin/a, b]}\n", DOMAINS STATE "notify: {run: [/bin/a, c]}\n",
         "notify"},
        {DOMAINS STATE "notify: {run: [/bin/a, b]}\n",
         DOMAINS STATE "notify: {digest: off, cooldown: 1h, run: [/bin/a, b]}\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample current = sample_load(rows[i].current);
        struct sample next = sample_load(rows[i].next);
        const char *key = NULL;
        bool can = config_can_replace(current.config, next.config, &key);

        if (can != !rows[i].want || (!can && strcmp(key, rows[i].want) != 0))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want ? rows[i].want : "none",
                     key ? key : "none");
        sample_done(&current);
        sample_done(&next);
    }
}

static void test_references(void **state)
{
    struct sample sample = sample_load(yaml);
    struct config *config = config_ref(sample.config);

    (void)state;
    assert_ptr_equal(config, sample.config);
    config_unref(config);
    assert_non_null(config_find_domain(sample.config, slice_of("a.example")));
    config_unref(NULL);
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_domain),  cmocka_unit_test(test_find_host),
        cmocka_unit_test(test_no_own_hosts), cmocka_unit_test(test_can_replace),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
