/* SPDX-License-Identifier: MIT */
#include "check/caa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define LE "letsencrypt.org"

struct record {
    unsigned flags;
    const char *tag, *value;
};

static const struct {
    struct record records[3]; /* up to one without a tag */
    const char *identity;     /* NULL: unknown */
    const char *fault;        /* NULL: allowed */
} rows[] = {
    {{{0, "issue", LE}}, LE, NULL},
    {{{0, "ISSUE", "LetsEncrypt.org"}}, LE, NULL},
    {{{0, "issue", " letsencrypt.org ; validationmethods=http-01"}}, LE, NULL},
    {{{0, "issue", LE "; accounturi=https://ca.example/1"}}, LE, NULL},
    {{{0, "issue", LE ";validationmethods=dns-01"}},
     LE,
     "does not allow the method http-01: 'letsencrypt.org;validationmethods=dns-01'"},
    {{{0, "issue", LE "; validationmethods=x-http-01, http-012"}, {0, "issue", "other.example"}},
     LE,
     "does not allow the method http-01: 'letsencrypt.org; validationmethods=x-http-01, http-012'"},
    {{{0, "issue", LE "; validationmethods="}},
     LE,
     "does not allow the method http-01: 'letsencrypt.org; validationmethods='"},
    {{{0, "issue", LE "; a=b; validationmethods=dns-01 , http-01 ;"}}, LE, NULL},
    {{{0, "issue", LE ";validationmethods=dns-01,http-01"}}, LE, NULL},
    {{{0, "issue", "other.example"}}, LE, "allows 'other.example', but not letsencrypt.org"},
    {{{0, "issue", "other.example"}, {0, "issue", LE}}, LE, NULL},
    {{{0, "issue", "xletsencrypt.org"}}, LE, "allows 'xletsencrypt.org', but not letsencrypt.org"},
    {{{0, "issue", ";"}}, LE, "allows no certificate authority to issue"},
    {{{0, "issue", ""}}, LE, "allows no certificate authority to issue"},
    {{{0, "issuewild", ";"}}, LE, NULL},
    {{{0, "iodef", "mailto:a@example.com"}}, LE, NULL},
    {{{128, "issue", LE}}, LE, NULL},
    {{{128, "tbs", "unknown"}, {0, "issue", LE}},
     LE,
     "is critical and has the tag 'tbs', which no certificate authority may ignore"},
    {{{0, "tbs", "unknown"}}, LE, NULL},
    {{{0, "issue", "other.example"}}, NULL, NULL},
    {{{0, "issue", ";"}}, NULL, "allows no certificate authority to issue"},
};

static struct slice record_rdata(const struct record *record, char *buffer)
{
    size_t tag_len = strlen(record->tag);

    buffer[0] = (char)record->flags;
    buffer[1] = (char)tag_len;
    memcpy(buffer + 2, record->tag, tag_len);
    memcpy(buffer + 2 + tag_len, record->value, strlen(record->value));
    return (struct slice){buffer, 2 + tag_len + strlen(record->value)};
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char bytes[3][128], fault[CAA_FAULT_MAX] = "";
        struct slice rdata[3];
        size_t n = 0;
        bool is_allowed;

        while (n < 3 && rows[i].records[n].tag) {
            rdata[n] = record_rdata(&rows[i].records[n], bytes[n]);
            n++;
        }
        is_allowed = caa_allows(rdata, n, rows[i].identity, fault);
        if (is_allowed != !rows[i].fault || (!is_allowed && strcmp(fault, rows[i].fault) != 0))
            fail_msg("row %zu: %s '%s'", i, is_allowed ? "allowed" : "refused", fault);
    }
}

static void test_broken_records(void **state)
{
    static const struct slice broken[] = {SLICE_BYTES(""), SLICE_BYTES("\x00"),
                                          SLICE_BYTES("\x00\x00"), SLICE_BYTES("\x00\x05issu")};
    char fault[CAA_FAULT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_true(caa_allows(&broken[i], 1, LE, fault));
}

static void test_identities(void **state)
{
    (void)state;
    assert_string_equal(caa_identity_of("https://acme-v02.api.letsencrypt.org/directory"), LE);
    assert_string_equal(caa_identity_of("https://acme-staging-v02.api.letsencrypt.org/directory"),
                        LE);
    assert_string_equal(caa_identity_of("https://acme.zerossl.com"), "sectigo.com");
    assert_null(caa_identity_of("https://ca.example/acme.zerossl.com"));
    assert_null(caa_identity_of(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_broken_records),
        cmocka_unit_test(test_identities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
