/* SPDX-License-Identifier: MIT */
#include "lib/config/settings.h"

#include <stdio.h>
#include <string.h>

#include "daemon/tls/cert_store.h"
#include "lib/config/sample.h"

/* The settings of a text, without what checks the whole. */
static struct config *resolve(struct sample *sample)
{
    struct config *config = memory_alloc(sizeof(*config));

    *config = (struct config){.n_references = 1, .arena = arena_new(0)};
    settings_build(&sample->raw.settings, config, sample->diag);
    sample->config = config;
    return config;
}

#define UNIX_107                                                                                   \
    "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaa"                                                                                        \
    "aaaaaaaaaa"

static void test_addresses(void **state)
{
    static const struct {
        const char *address;
        enum listen_kind kind;
        const char *host; /* NULL: refused */
        uint16_t port;
    } rows[] = {
        {"0.0.0.0:443", LISTEN_TCP, "0.0.0.0", 443},
        {"127.0.0.1:0", LISTEN_TCP, "127.0.0.1", 0},
        {"127.0.0.1:65535", LISTEN_TCP, "127.0.0.1", 65535},
        {"127.0.0.1:65536", LISTEN_TCP, NULL, 0},
        {"127.0.0.1:", LISTEN_TCP, NULL, 0},
        {"127.0.0.1:-1", LISTEN_TCP, NULL, 0},
        {"127.0.0.1", LISTEN_TCP, NULL, 0},
        {":443", LISTEN_TCP, NULL, 0},
        {"*:443", LISTEN_TCP, NULL, 0},
        {"443", LISTEN_TCP, NULL, 0},
        {"127.1:443", LISTEN_TCP, NULL, 0},
        {"localhost:443", LISTEN_TCP, NULL, 0},
        {"[::]:443", LISTEN_TCP, "::", 443},
        {"[2001:db8::1]:8443", LISTEN_TCP, "2001:db8::1", 8443},
        {"[::ffff:192.0.2.1]:1", LISTEN_TCP, "::ffff:192.0.2.1", 1},
        {"[::]", LISTEN_TCP, NULL, 0},
        {"[::]443", LISTEN_TCP, NULL, 0},
        {"[::443", LISTEN_TCP, NULL, 0},
        {"[]:443", LISTEN_TCP, NULL, 0},
        {"[:443", LISTEN_TCP, NULL, 0},
        {"::1:443", LISTEN_TCP, NULL, 0},
        {"[fe80::1%eth0]:443", LISTEN_TCP, NULL, 0},
        {"[127.0.0.1]:443", LISTEN_TCP, NULL, 0},
        {"unix:/s", LISTEN_UNIX, "/s", 0},
        {"unix:" UNIX_107, LISTEN_UNIX, UNIX_107, 0},
        {"unix:" UNIX_107 "a", LISTEN_UNIX, NULL, 0},
        {"unix:", LISTEN_UNIX, NULL, 0},
        {"unix:s", LISTEN_UNIX, NULL, 0},
        {"unix://", LISTEN_UNIX, "//", 0},
        {"UNIX:/s", LISTEN_UNIX, NULL, 0},
    };
    size_t n_failed = 0;

    (void)state;
    assert_int_equal(strlen(UNIX_107), 107);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct listen_address *listen;
        struct sample sample;
        char yaml[256];

        snprintf(yaml, sizeof(yaml), "listen: [{address: '%s'}]\n", rows[i].address);
        sample = sample_read(yaml);
        listen = resolve(&sample)->listen;
        if (sample.config->n_listen != (rows[i].host != NULL) ||
            (rows[i].host && (listen->kind != rows[i].kind || listen->port != rows[i].port ||
                              strcmp(listen->host, rows[i].host) != 0 ||
                              strcmp(listen->text, rows[i].address) != 0 || !listen->has_tls ||
                              listen->is_default || listen->place.column != 20))) {
            print_error("row %zu: %s\n", i, rows[i].address);
            n_failed++;
        }
        assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), !rows[i].host);
        sample_done(&sample);
    }
    assert_int_equal(n_failed, 0);
}

static void test_listeners(void **state)
{
    struct sample sample = sample_read("listen:\n"
                                       "  - {address: '127.0.0.1:1', tls: false}\n"
                                       "  - {address: '127.0.0.1:2', serve: challenges}\n"
                                       "  - {address: '127.0.0.1:3', tls: true, serve: policies}\n"
                                       "  - {address: '127.0.0.1:1'}\n"
                                       "  - {tls: true}\n");
    const struct config *config = resolve(&sample);

    (void)state;
    assert_int_equal(config->n_listen, 2);
    assert_false(config->listen[0].has_tls);
    assert_int_equal(config->listen[1].port, 3);
    assert_true(config->listen[1].has_tls);
    assert_true(sample_has(
        &sample, "listen",
        "f:3:37: note: listen[1].serve: without acme: there are no challenges to serve; the "
        "listener stays closed [key-idle]\n"
        "f:5:15: error: listen[3].address: '127.0.0.1:1' is listed twice; keep one of them "
        "[bad-value]\n"
        "f:6:5: error: listen[4]: the key 'address' is needed: \"address:port\", \"[IPv6]:port\" "
        "or \"unix:/path\" [missing-key]\n"));
    sample_done(&sample);
}

static void test_check(void **state)
{
    static const struct {
        const char *yaml;
        uint32_t every_s;
        const char *findings;
    } rows[] = {
        {"state: /s", 0, ""},
        {"{state: /s, check: {every: 1d}}", 86400, ""},
        {"{check: {every: 1d}}", 86400,
         "f:1:17: error: check.every: check needs state:, where the daemon keeps the results "
         "[missing-key]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i].yaml);

        assert_int_equal(resolve(&sample)->check_every_s, rows[i].every_s);
        assert_true(sample_has(&sample, rows[i].yaml, rows[i].findings));
        sample_done(&sample);
    }
}

static void test_on_change(void **state)
{
    static const struct {
        const char *yaml;
        size_t n_on_change;
        const char *last;
        uint32_t timeout_s;
        const char *findings;
    } rows[] = {
        {"state: /s", 0, NULL, 60, ""},
        {"{state: /s, on_change: {run: [/bin/a]}}", 1, "/bin/a", 60, ""},
        {"{state: /s, on_change: {timeout: 1h, run: [/bin/a, -b, 'c d']}}", 3, "c d", 3600, ""},
        {"{on_change: {run: [/bin/a]}}", 1, "/bin/a", 60,
         "f:1:19: error: on_change.run: on_change needs state:, where the daemon keeps which "
         "records were accepted [missing-key]\n"},
        {"{state: /s, on_change: {run: [publish, /bin/a]}}", 2, "/bin/a", 60,
         "f:1:31: error: on_change.run[0]: 'publish' is not the absolute path of a program, as "
         "/etc/mta-stsd/publish is [bad-value]\n"},
        {"{state: /s, on_change: {run: []}}", 0, NULL, 60,
         "f:1:30: error: on_change.run: the list is empty; give the path of a program, or leave "
         "on_change out [missing-key]\n"},
        {"{state: /s, on_change: {timeout: 5s}}", 0, NULL, 5,
         "f:1:24: error: on_change: the key 'run' is needed: absolute path of the program, and its "
         "arguments [missing-key]\n"},
        {"{state: /s, on_change: {run: [/bin/a], timeout: 61m}}", 1, "/bin/a", 60,
         "f:1:49: error: on_change.timeout: '61m' is not a duration between 1 and 3600 s, as in "
         "3600, 90m, 12h, 3d or 2w [bad-value]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i].yaml);
        const struct config *config = resolve(&sample);

        if (!sample_has(&sample, rows[i].yaml, rows[i].findings) ||
            config->n_on_change != rows[i].n_on_change ||
            config->on_change_timeout_s != rows[i].timeout_s ||
            (rows[i].last && strcmp(config->on_change[config->n_on_change - 1], rows[i].last) != 0))
            fail_msg("row %zu: %s", i, rows[i].yaml);
        sample_done(&sample);
    }
}

static void test_proxies(void **state)
{
    static const struct {
        const char *listener;
        bool has_proxy_protocol;
        size_t n_trusted;
        const char *findings;
    } rows[] = {
        {"address: '127.0.0.1:1'", false, 0, ""},
        {"address: '127.0.0.1:1', proxy_protocol: {trusted: [192.0.2.1]}", true, 1, ""},
        {"address: '127.0.0.1:1', proxy_protocol: {trusted: ['::1', 192.0.2.0/24]}", true, 2, ""},
        {"address: 'unix:/s', proxy_protocol: {trusted: [unix]}", true, 0, ""},
        {"address: 'unix:/s', proxy_protocol: {trusted: [unix, '::1']}", true, 0,
         "f:1:64: error: listen[0].proxy_protocol.trusted[1]: '::1' is not unix, the only peer "
         "that "
         "a unix socket has [bad-value]\n"},
        {"address: '127.0.0.1:1', proxy_protocol: {trusted: [unix, '::1']}", true, 1,
         "f:1:62: error: listen[0].proxy_protocol.trusted[0]: 'unix' is neither an address, as "
         "192.0.2.1 is, nor a network, as 192.0.2.0/24 or 2001:db8::/32 is [bad-value]\n"},
        {"address: '127.0.0.1:1', proxy_protocol: {trusted: [192.0.2.1/24, '::1']}", true, 1,
         "f:1:62: error: listen[0].proxy_protocol.trusted[0]: '192.0.2.1/24' is no network: there "
         "are bits behind the first 24 [bad-value]\n"},
        {"address: '127.0.0.1:1', proxy_protocol: {trusted: []}", true, 0,
         "f:1:61: error: listen[0].proxy_protocol.trusted: the list is empty, so that nobody could "
         "connect; name the proxies [missing-key]\n"},
        {"address: '127.0.0.1:1', proxy_protocol: {}", false, 0,
         "f:1:51: error: listen[0].proxy_protocol: the key 'trusted' is needed: addresses and "
         "networks of the proxies; [unix] where address is a unix socket [missing-key]\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct listen_address *listen;
        struct sample sample;
        char yaml[256];

        snprintf(yaml, sizeof(yaml), "listen: [{%s}]\n", rows[i].listener);
        sample = sample_read(yaml);
        listen = resolve(&sample)->listen;
        if (sample.config->n_listen != 1 || listen->n_trusted != rows[i].n_trusted ||
            listen->has_proxy_protocol != rows[i].has_proxy_protocol)
            fail_msg("row %zu: wanted %d with %zu networks, saw %d with %zu", i,
                     rows[i].has_proxy_protocol, rows[i].n_trusted, listen->has_proxy_protocol,
                     listen->n_trusted);
        if (!sample_has(&sample, "listen", rows[i].findings))
            fail_msg("row %zu: other findings", i);
        sample_done(&sample);
    }
}

static void test_defaults(void **state)
{
    struct sample sample = sample_read("{}");
    const struct config *config = resolve(&sample);

    (void)state;
    assert_int_equal(config->n_listen, 1);
    assert_string_equal(config->listen[0].text, "[::]:443");
    assert_string_equal(config->listen[0].host, "::");
    assert_int_equal(config->listen[0].port, 443);
    assert_true(config->listen[0].has_tls && config->listen[0].is_default);
    assert_string_equal(config->user, "mta-stsd");
    assert_true(config->has_sandbox);
    assert_int_equal(config->n_includes, 0);
    assert_int_equal(config->workers, 0);
    assert_int_equal(config->shutdown_delay_s, 0);
    assert_int_equal(config->log_level, LOG_INFO);
    assert_int_equal(config->access, ACCESS_OFF);
    assert_int_equal(config->n_sources, 1);
    assert_true(config->has_default_sources);
    assert_string_equal(config->sources[0].chain, "/etc/letsencrypt/live/{host}/fullchain.pem");
    assert_string_equal(config->sources[0].key, "/etc/letsencrypt/live/{host}/privkey.pem");
    assert_null(config->policy_host_name);
    assert_int_equal(config->n_policy_host_addresses, 0);
    assert_null(config->report_host);
    assert_null(config->delegation_zone);
    assert_int_equal(config->ttl_mta_sts_s, 300);
    assert_int_equal(config->ttl_policy_host_s, 3600);
    assert_int_equal(config->ttl_tls_rpt_s, 3600);
    sample_done(&sample);
}

static void test_values(void **state)
{
    struct sample sample = sample_read("user: nobody\n"
                                       "sandbox: off\n"
                                       "workers: 3\n"
                                       "shutdown_delay: 5s\n"
                                       "log: {level: error, access: json}\n"
                                       "ttl: {mta_sts: 0, policy_host: 1h, tls_rpt: 1w}\n"
                                       "policy_host: {addresses: [192.0.2.1, '2001:DB8::1']}\n"
                                       "report_host: R.example.\n"
                                       "delegation_zone: Z.example\n");
    const struct config *config = resolve(&sample);

    (void)state;
    assert_string_equal(config->user, "nobody");
    assert_false(config->has_sandbox);
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->shutdown_delay_s, 5);
    assert_int_equal(config->log_level, LOG_ERROR);
    assert_int_equal(config->access, ACCESS_JSON);
    assert_int_equal(config->ttl_mta_sts_s, 0);
    assert_int_equal(config->ttl_policy_host_s, 3600);
    assert_int_equal(config->ttl_tls_rpt_s, 604800);
    assert_int_equal(config->n_policy_host_addresses, 2);
    assert_string_equal(config->policy_host_addresses[0], "192.0.2.1");
    assert_string_equal(config->policy_host_addresses[1], "2001:DB8::1");
    assert_string_equal(config->report_host, "r.example");
    assert_string_equal(config->delegation_zone, "z.example");
    assert_true(sample_has(&sample, "values", ""));
    sample_done(&sample);
}

static void test_sources(void **state)
{
    struct sample sample = sample_read("certificates:\n"
                                       "  - {chain: '/a/{host}.pem', key: '/a/{host}.key'}\n"
                                       "  - {key: /b.key}\n"
                                       "  - {chain: /c.pem}\n");
    const struct config *config = resolve(&sample);

    (void)state;
    assert_int_equal(config->n_sources, 2);
    assert_string_equal(config->sources[0].chain, "/a/{host}.pem");
    assert_string_equal(config->sources[0].key, "/a/{host}.key");
    assert_string_equal(config->sources[1].chain, "/c.pem");
    assert_string_equal(config->sources[1].key, "/c.pem");
    assert_false(config->has_default_sources);
    assert_int_equal(config->sources_place.line, 2);
    sample_done(&sample);
}

/* Relative to the folder of the file that they stand in. */
static void test_relative_sources(void **state)
{
    struct sample sample = sample_read("certificates:\n"
                                       "  - {chain: 'a/{host}.pem', key: ../k}\n"
                                       "  - {chain: c.pem}\n");
    const struct config *config = resolve(&sample);
    size_t folder_len = (size_t)(strrchr(sample.file.path, '/') - sample.file.path) + 1;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(config->sources[i].chain, sample.file.path, folder_len);
    assert_string_equal(config->sources[0].chain + folder_len, "a/{host}.pem");
    assert_string_equal(config->sources[0].key + folder_len, "../k");
    assert_string_equal(config->sources[1].key + folder_len, "c.pem");
    sample_done(&sample);
}

/* Without TLS, no certificates are expected where certbot puts them. */
static void test_no_sources(void **state)
{
    static const char *const rows[] = {
        "certificates: []\n",
        "listen: [{address: '127.0.0.1:1', tls: false}]\n",
        "listen: [{address: '127.0.0.1:1', serve: challenges}]\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i]);
        const struct config *config = resolve(&sample);

        if (config->n_sources != 0 || config->has_default_sources)
            fail_msg("row %zu: %zu sources", i, config->n_sources);
        sample_done(&sample);
    }
}

/* For operators: where to ask, where to measure, and the bounds. */
static void test_operation(void **state)
{
    static const struct {
        const char *yaml;
        const char *control;
        bool has_default_control;
        const char *admin_host; /* NULL: off */
        uint16_t admin_port;
        bool has_default_admin;
        unsigned connections, per_source, removed;
        uint64_t memory; /* bytes; 0: auto */
    } rows[] = {
        {"{}", "/run/mta-stsd/control.sock", true, "127.0.0.1", 9847, true, 10000, 256, 5, 0},
        {"admin: off", "/run/mta-stsd/control.sock", true, NULL, 0, false, 10000, 256, 5, 0},
        {"control: /c", "/c", false, "127.0.0.1", 9847, true, 10000, 256, 5, 0},
        {"admin: \"127.0.0.1:9847\"", "/run/mta-stsd/control.sock", true, "127.0.0.1", 9847, false,
         10000, 256, 5, 0},
        {"admin: \"[::]:0\"", "/run/mta-stsd/control.sock", true, "::", 0, false, 10000, 256, 5, 0},
        {"limits: {connections: 16, per_source: 1, memory: 16M, removed: 0%}",
         "/run/mta-stsd/control.sock", true, "127.0.0.1", 9847, true, 16, 1, 0, 16 << 20},
        {"limits: {connections: 1000000, per_source: 1000000, memory: 1048576M, removed: 100%}",
         "/run/mta-stsd/control.sock", true, "127.0.0.1", 9847, true, 1000000, 1000000, 100,
         1ULL << 40},
        {"limits: {memory: auto}", "/run/mta-stsd/control.sock", true, "127.0.0.1", 9847, true,
         10000, 256, 5, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i].yaml);
        const struct config *config = resolve(&sample);
        const struct listen_address *admin = config->admin;

        print_message("row %zu: %s\n", i, rows[i].yaml);
        assert_true(sample_has(&sample, rows[i].yaml, ""));
        assert_string_equal(config->control, rows[i].control);
        assert_int_equal(config->has_default_control, rows[i].has_default_control);
        assert_int_equal(admin != NULL, rows[i].admin_host != NULL);
        if (admin) {
            assert_string_equal(admin->host, rows[i].admin_host);
            assert_int_equal(admin->port, rows[i].admin_port);
            assert_int_equal(admin->is_default, rows[i].has_default_admin);
            assert_false(admin->has_tls);
        }
        assert_int_equal(config->connections_max, rows[i].connections);
        assert_int_equal(config->per_source_max, rows[i].per_source);
        assert_int_equal(config->removed_percent, rows[i].removed);
        assert_int_equal(config->memory_max, rows[i].memory);
        sample_done(&sample);
    }
}

static void test_reports(void **state)
{
    static const struct {
        const char *yaml, *authserv_id, *finding;
        uint32_t ready_after_s, late_s, tolerated;
    } rows[] = {
        {"{}", NULL, "", 14 * 86400, 3 * 86400, 1000},
        {"reports: {authserv_id: mail.example.com, ready_after: 1d, late: 0s, tolerated: 0}",
         "mail.example.com", "", 86400, 0, 0},
        {"reports: {authserv_id: \"a b\"}", "a b",
         "f:1:24: error: reports.authserv_id: 'a b' is not one word, as the name of a mail "
         "server is [bad-value]\n",
         14 * 86400, 3 * 86400, 1000},
        {"reports: {authserv_id: \"a;\"}", "a;",
         "f:1:24: error: reports.authserv_id: 'a;' is not one word, as the name of a mail "
         "server is [bad-value]\n",
         14 * 86400, 3 * 86400, 1000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i].yaml);
        const struct config *config = resolve(&sample);

        print_message("row %zu: %s\n", i, rows[i].yaml);
        assert_true(sample_has(&sample, rows[i].yaml, rows[i].finding));
        assert_true(slice_eq(slice_of(config->authserv_id), slice_of(rows[i].authserv_id)));
        assert_int_equal(config->ready_after_s, rows[i].ready_after_s);
        assert_int_equal(config->reports_late_s, rows[i].late_s);
        assert_int_equal(config->tolerated_per_million, rows[i].tolerated);
        sample_done(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_on_change),
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_relative_sources),
        cmocka_unit_test(test_no_sources),
        cmocka_unit_test(test_operation),
        cmocka_unit_test(test_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
