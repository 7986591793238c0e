/* SPDX-License-Identifier: MIT */
#include "lib/dns/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

static const char *const one_rua[] = {"mailto:a@example.com"};
static const char *const two_rua[] = {"mailto:a@example.com", "https://b.example/"};
static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", "::ffff:192.0.2.3",
                                        "192.0.2.2"};

/* Every field of every record, a line each. */
static void print_records(const struct dns_record *records, size_t n_records, char *text,
                          size_t size)
{
    FILE *out = fmemopen(text, size, "w");

    for (size_t i = 0; i < n_records; i++)
        fprintf(out, "%s %s %s %s %s %u '%s' %s %s %s\n", records[i].domain, records[i].zone,
                record_side_name(records[i].side), records[i].name,
                record_type_name(records[i].type), records[i].ttl_s, records[i].value,
                records[i].policy ? records[i].policy : "-", records[i].id ? records[i].id : "-",
                records[i].withheld ? records[i].withheld : "-");
    fclose(out);
}

/* Of a domain that is not delegated, and of one that is. */
#define A_COM "a.com com provider "
#define A_COM_ONCE "a.com com customer "
#define B_NET "a.com b.net provider "

#define STS A_COM "_mta-sts.a.com TXT 1 'v=STSv1; id=0f;' p 0f -\n"
#define STS_CNAME A_COM_ONCE "_mta-sts.a.com CNAME 1 '_mta-sts.a.com.b.net' p - -\n"
#define HOST_CNAME A_COM "mta-sts.a.com CNAME 2 'c.example' p - -\n"
#define HOST_ONCE A_COM_ONCE "mta-sts.a.com CNAME 2 'c.example' p - -\n"
#define TLS A_COM "_smtp._tls.a.com TXT 3 'v=TLSRPTv1; rua=mailto:a@example.com' p - -\n"
#define TLS_ONCE A_COM_ONCE "_smtp._tls.a.com TXT 3 'v=TLSRPTv1; rua=mailto:a@example.com' p - -\n"
#define TLS_CNAME "_smtp._tls.a.com CNAME 3 '_smtp._tls.a.com.b.net' p - -\n"

#define SPEC                                                                                     \
    .domain = "a.com", .zone = "com", .policy = "p", .ttl_mta_sts_s = 1, .ttl_policy_host_s = 2, \
    .ttl_tls_rpt_s = 3
#define HOSTED .id = "0f", .policy_host_name = "c.example"
#define REPORTED .rua = one_rua, .n_rua = 1
#define DELEGATED .delegation_zone = "b.net"

static void test_list(void **state)
{
    static const struct {
        struct domain_records_spec spec;
        const char *want;
    } rows[] = {
        {{SPEC}, ""},
        {{SPEC, .id = "0f"}, STS},
        {{SPEC, REPORTED}, TLS},
        {{SPEC, .policy_host_name = "c.example", .addresses = addresses, .n_addresses = 4,
          .withheld = "no", REPORTED},
         TLS}, /* without an id nothing of MTA-STS is listed */
        {{SPEC, HOSTED}, STS HOST_CNAME},
        {{SPEC, HOSTED, REPORTED}, STS HOST_CNAME TLS},
        {{SPEC, HOSTED, .addresses = addresses, .n_addresses = 4}, STS HOST_CNAME},
        {{SPEC, .id = "0f", .addresses = addresses, .n_addresses = 4},
         STS A_COM "mta-sts.a.com A 2 '192.0.2.1' p - -\n" A_COM
                   "mta-sts.a.com A 2 '192.0.2.2' p - -\n" A_COM
                   "mta-sts.a.com AAAA 2 '2001:db8::1' p - -\n" A_COM
                   "mta-sts.a.com AAAA 2 '::ffff:192.0.2.3' p - -\n"},
        {{SPEC, .rua = two_rua, .n_rua = 2},
         A_COM "_smtp._tls.a.com TXT 3 "
               "'v=TLSRPTv1; rua=mailto:a@example.com,https://b.example/' p - -\n"},
        {{SPEC, HOSTED, REPORTED, DELEGATED}, STS HOST_CNAME TLS},
        {{SPEC, HOSTED, REPORTED, DELEGATED, .delegates_mta_sts = true},
         STS_CNAME B_NET
         "_mta-sts.a.com.b.net TXT 1 'v=STSv1; id=0f;' p 0f -\n" HOST_ONCE TLS_ONCE},
        {{SPEC, HOSTED, REPORTED, DELEGATED, .delegates_tls_rpt = true},
         STS HOST_CNAME A_COM TLS_CNAME B_NET
         "_smtp._tls.a.com.b.net TXT 3 'v=TLSRPTv1; rua=mailto:a@example.com' p - -\n"},
        {{SPEC, HOSTED, REPORTED, .withheld = "no"},
         A_COM "_mta-sts.a.com TXT 1 'v=STSv1; id=0f;' p 0f no\n" HOST_CNAME TLS},
        {{SPEC, HOSTED, REPORTED, DELEGATED, .delegates_mta_sts = true, .delegates_tls_rpt = true,
          .withheld = "no"},
         STS_CNAME B_NET
         "_mta-sts.a.com.b.net TXT 1 'v=STSv1; id=0f;' p 0f no\n" HOST_ONCE A_COM_ONCE TLS_CNAME
             B_NET "_smtp._tls.a.com.b.net TXT 3 'v=TLSRPTv1; rua=mailto:a@example.com' p - -\n"},
        {{SPEC, REPORTED, DELEGATED, .delegates_tls_rpt = true},
         A_COM_ONCE TLS_CNAME B_NET
         "_smtp._tls.a.com.b.net TXT 3 'v=TLSRPTv1; rua=mailto:a@example.com' p - -\n"},
        {{.domain = "a.com", .zone = "a.com", .id = "0f"},
         "a.com a.com provider _mta-sts.a.com TXT 0 'v=STSv1; id=0f;' - 0f -\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct dns_record *records;
        char seen[1000] = "";
        size_t n_records = dns_records_list(&rows[i].spec, arena, &records);

        print_records(records, n_records, seen, sizeof(seen));
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted\n%ssaw\n%s", i, rows[i].want, seen);
        arena_free(arena);
    }
}

static void test_policy_host(void **state)
{
    static const char prefix[] = "mta-sts.";
    char longest[DNS_NAME_MAX + 1], buffer[POLICY_HOST_SIZE];

    (void)state;
    assert_string_equal(dns_policy_host_render("example.com", buffer), "mta-sts.example.com");
    memset(longest, 'a', DNS_NAME_MAX);
    longest[DNS_NAME_MAX] = '\0';
    assert_int_equal(strlen(dns_policy_host_render(longest, buffer)),
                     strlen(prefix) + DNS_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_policy_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
