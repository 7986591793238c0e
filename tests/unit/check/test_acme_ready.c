/* SPDX-License-Identifier: MIT */
#include "check/acme_ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/diag/diag.h"
#include "support/fake_dns.h"
#include "support/loaded.h"

#define HOST "mta-sts.a.example"

static const struct slice ours = SLICE_BYTES("\x2d\x43\x59\x19"); /* 45.67.89.25 */
static const struct slice other = SLICE_BYTES("\x2d\x43\x59\x1a");
static const struct slice ours_v6 =
    SLICE_BYTES("\x2a\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"); /* 2a01::1 */
static const struct slice nobody = SLICE_BYTES("\0\x05issue;");
static const struct slice iodef = SLICE_BYTES("\0\x05iodefmailto:a@a.example");

#define RECORDS(slice) .rdata = &(slice), .n_rdata = 1
#define A(of, slice)                                                       \
    {                                                                      \
        .name = (of), .type = DNS_TYPE_A, .status = DNS_OK, RECORDS(slice) \
    }
#define ALIAS(of, target, slice)                                                                  \
    {                                                                                             \
        .name = (of), .type = DNS_TYPE_A, .status = DNS_OK, RECORDS(slice), .canonical = (target) \
    }
#define AAAA(of, slice)                                                       \
    {                                                                         \
        .name = (of), .type = DNS_TYPE_AAAA, .status = DNS_OK, RECORDS(slice) \
    }
#define CAA(of, slice)                                                       \
    {                                                                        \
        .name = (of), .type = DNS_TYPE_CAA, .status = DNS_OK, RECORDS(slice) \
    }
#define TARGET "policy.provider.example"
#define BY_NAME "policy_host: {name: " TARGET "}"
#define BY_ADDRESS "policy_host: {addresses: [45.67.89.25, \"2A01:0::0001\"]}"

static const struct {
    const char *policy_host;
    struct fake_dns_row dns[5];
    const char *wanted; /* after the host */
} rows[] = {
    {BY_NAME, {A(HOST, ours), A(TARGET, ours)}, "ready"},
    {BY_NAME, {A(HOST, ours), A(TARGET, ours), AAAA(TARGET, ours_v6)}, "ready"},
    {BY_NAME,
     {A(HOST, ours), AAAA(HOST, ours_v6), A(TARGET, ours)},
     "waiting " HOST " has the address 2a01::1, not one of this server's; it is to point "
     "to " TARGET},
    {BY_NAME,
     {A(HOST, other), A(TARGET, ours)},
     "waiting " HOST " has the address 45.67.89.26, not one of this server's; it is to "
     "point to " TARGET},
    {BY_NAME, {ALIAS(HOST, TARGET, ours), A(TARGET, ours)}, "ready"},
    {BY_NAME,
     {ALIAS(HOST, "www.a.example", other), A(TARGET, ours)},
     "waiting " HOST " leads to 'www.a.example', which has the address 45.67.89.26, not one "
     "of this server's; it is to point to " TARGET},
    {BY_NAME,
     {{.name = HOST,
       .type = DNS_TYPE_A,
       .status = DNS_NXDOMAIN,
       .canonical = "polcy.provider.example"},
      A(TARGET, ours)},
     "waiting " HOST " leads to 'polcy.provider.example', which has no address; it is to point "
     "to " TARGET},
    {BY_NAME, {A(TARGET, ours)}, "waiting " HOST " has no address; it is to point to " TARGET},
    {BY_NAME, {A(HOST, ours)}, "waiting policy_host.name " TARGET " has no address"},
    {BY_NAME,
     {{.name = HOST, .type = DNS_TYPE_A, .status = DNS_FAILED}, A(TARGET, ours)},
     "waiting " HOST " cannot be looked up: is broken"},
    {BY_ADDRESS, {A(HOST, ours)}, "ready"},
    {BY_ADDRESS, {A(HOST, ours), AAAA(HOST, ours_v6)}, "ready"},
    {BY_ADDRESS,
     {A(HOST, other)},
     "waiting " HOST " has the address 45.67.89.26, not one of this server's; it is to "
     "point to 45.67.89.25"},
    {BY_ADDRESS,
     {A(HOST, ours), CAA(HOST, nobody)},
     "waiting a CAA record of " HOST " allows no certificate authority to issue"},
    {BY_ADDRESS,
     {A(HOST, ours), CAA("a.example", nobody)},
     "waiting a CAA record of a.example "
     "allows no certificate authority to issue"},
    {BY_ADDRESS,
     {A(HOST, ours), CAA("example", nobody)},
     "waiting a CAA record of example "
     "allows no certificate authority to issue"},
    /* The first name that has any counts. */
    {BY_ADDRESS, {A(HOST, ours), CAA(HOST, iodef), CAA("a.example", nobody)}, "ready"},
    {BY_ADDRESS,
     {A(HOST, ours), {.name = "a.example", .type = DNS_TYPE_CAA, .status = DNS_BOGUS}},
     "waiting the CAA records of a.example cannot be had, without which no certificate is "
     "issued: is broken"},
};

static char *ready_of(const char *policy_host, const struct fake_dns_row *dns_rows, size_t n_rows,
                      const char *host)
{
    char yaml[512], *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct config *config;
    struct fake_dns dns;
    uv_loop_t loop;

    snprintf(yaml, sizeof(yaml),
             "acme: {agree_to_terms: true}\nstate: /s\n%s\n"
             "domains: {a.example: {mx: [mx.a.example]}}\n",
             policy_host);
    config = loaded_config("%s", yaml);
    uv_loop_init(&loop);
    dns = fake_dns_of(&loop, dns_rows, n_rows);
    acme_ready_start(&dns.source, config, &host, 1, out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    config_unref(config);
    fclose(out);
    return text;
}

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char wanted[512], *text;
        size_t n = 0;

        while (n < ARRAY_LEN(rows[i].dns) && rows[i].dns[n].name)
            n++;
        text = ready_of(rows[i].policy_host, rows[i].dns, n, HOST);
        snprintf(wanted, sizeof(wanted), HOST " %s\n", rows[i].wanted);
        if (strcmp(text, wanted) != 0)
            fail_msg("row %zu: expected '%s', found '%s'", i, wanted, text);
        free(text);
    }
}

static void test_strangers(void **state)
{
    char *text = ready_of(BY_ADDRESS, NULL, 0, "mta-sts.b.example");

    (void)state;
    assert_string_equal(text, "mta-sts.b.example waiting it is the policy host of no domain in "
                              "the configuration\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
