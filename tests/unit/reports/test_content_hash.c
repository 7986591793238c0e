/* SPDX-License-Identifier: MIT */
#include "reports/content_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "reports/tls_report.h"

static void hash_of(const char *json, const char *domain, unsigned char *ret_hash)
{
    struct tls_policy policy = {.domain = domain};
    struct tls_report report = {.policies = &policy, .n_policies = 1};

    content_hash_compute(slice_of(json), domain ? &report : NULL, ret_hash);
}

/* Whether the hash of each is that of the first row. */
static void test_equal(void **state)
{
    static const struct {
        const char *json, *domain;
        int is_equal;
    } rows[] = {
        {"{\"a\":1}", "example.com", 1},
        {"{\"a\":1}\r\n", "example.com", 1},
        {"{\r\n\t\"a\": 1 }", "example.com", 1},
        {"{\"a\":2}", "example.com", 0},
        {"{\"A\":1}", "example.com", 0},
        {"{\"a\":1}", "example.org", 0},
        {"{\"a\":1}", NULL, 0},
        {"", "example.com", 0},
    };
    unsigned char first[CONTENT_HASH_LEN], hash[CONTENT_HASH_LEN];

    (void)state;
    hash_of(rows[0].json, rows[0].domain, first);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        hash_of(rows[i].json, rows[i].domain, hash);
        if ((memcmp(first, hash, sizeof(hash)) == 0) != rows[i].is_equal)
            fail_msg("row %zu: expected %s", i, rows[i].is_equal ? "equal" : "different");
    }
}

/* What is no report counts as it is. */
static void test_raw(void **state)
{
    unsigned char a[CONTENT_HASH_LEN], b[CONTENT_HASH_LEN];

    (void)state;
    hash_of("a b", NULL, a);
    hash_of("ab", NULL, b);
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal),
                                              cmocka_unit_test(test_raw)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
