/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_pattern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

enum { LISTED_MAX = 1024 };

/* "chain+key chain+key", or why not. */
static const char *list_pairs(struct cert_pattern *pattern, const char *host)
{
    static char listed[LISTED_MAX];
    struct pattern_pair *pairs;
    struct err err;
    int n_pairs = cert_pattern_list(pattern, host, &pairs, &err);
    size_t used = 0;

    listed[0] = '\0';
    if (n_pairs < 0)
        return strcpy(listed, err.msg);
    for (int i = 0; i < n_pairs; i++)
        used += (size_t)snprintf(listed + used, sizeof(listed) - used, "%s%s+%s", i > 0 ? " " : "",
                                 pairs[i].chain, pairs[i].key);
    pattern_pairs_free(pairs, n_pairs);
    return listed;
}

static void make(const char *path)
{
    pki_write(path, "", NULL);
}

static void test_matches(void **state)
{
    static const struct {
        const char *chain, *key, *host, *want;
    } rows[] = {
        {"live/{host}*/c.pem", "live/{host}*/k.pem", "mta-sts.a.example",
         "live/mta-sts.a.example/c.pem+live/mta-sts.a.example/k.pem "
         "live/mta-sts.a.example-0001/c.pem+live/mta-sts.a.example-0001/k.pem"},
        {"live/{host}-*/c.pem", "keys/{domain}.*", "mta-sts.a.example",
         "live/mta-sts.a.example-0001/c.pem+keys/a.example.0001"},
        {"live/*.{domain}/c.pem", "*", "mta-sts.a.example", "live/mta-sts.a.example/c.pem+mta-sts"},
        {"live/{host}*/c.pem", "*", "mta-sts.b.example", ""},
        {"*.pem", "*.key", NULL, "x.pem+x.key y.pem+y.key"},
        {"{domain}/*.pem", "k*", "mta-sts.own", "own/1.pem+k1"},
        {"none/{host}*", "*", "a", "'none' cannot be listed: No such file or directory"},
        {"x.pem/{host}*", "*", "a", "'x.pem' cannot be listed: Not a directory"},
    };

    (void)state;
    make("live/mta-sts.a.example/c.pem");
    make("live/mta-sts.a.example-0001/c.pem");
    make("live/mta-sts.c.example/c.pem");
    make("x.pem");
    make("y.pem");
    make(".hidden.pem");
    make("own/1.pem");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_pattern *pattern = cert_pattern_new(rows[i].chain, rows[i].key);

        for (int again = 0; again < 2; again++)
            if (strcmp(list_pairs(pattern, rows[i].host), rows[i].want) != 0)
                fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want,
                         list_pairs(pattern, rows[i].host));
        cert_pattern_free(pattern);
    }
    cert_pattern_free(NULL);
}

/* A listing is kept for a tenth of a second; what changes then is seen, as often as it does. */
static void test_changes(void **state)
{
    const struct timespec patience = {.tv_nsec = 110 * 1000 * 1000};
    struct cert_pattern *pattern = cert_pattern_new("d/{host}*", "*");
    char path[32], want[256] = "";

    (void)state;
    assert_string_equal(list_pairs(pattern, "a"),
                        "'d' cannot be listed: No such file or directory");
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "d/a%d", i);
        make(path);
        snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s%s+%d", i > 0 ? " " : "",
                 path, i);
        nanosleep(&patience, NULL);
        assert_string_equal(list_pairs(pattern, "a"), want);
    }
    make("d/a5");
    cert_pattern_expire(pattern);
    strcat(want, " d/a5+5");
    assert_string_equal(list_pairs(pattern, "a"), want);
    cert_pattern_free(pattern);
}

static void test_limits_of_a_pattern(void **state)
{
    struct cert_pattern *kept = cert_pattern_new("d/{host}*", "*");
    struct cert_pattern *own = cert_pattern_new("{host}/*", "*");
    char path[32];

    (void)state;
    for (int i = 0; i <= PATTERN_PAIRS_MAX; i++) {
        snprintf(path, sizeof(path), "d/a%d", i);
        make(path);
    }
    assert_string_equal(list_pairs(kept, "a"), "more than 64 names in 'd' match; remove old ones");
    assert_string_equal(list_pairs(kept, "a64"), "d/a64+");
    for (int i = 0; i <= PATTERN_OWN_NAMES_MAX; i++) {
        snprintf(path, sizeof(path), "many/%d", i);
        if (i == 0)
            make(path);
        else
            assert_int_equal(link("many/0", path), 0);
    }
    assert_string_equal(list_pairs(own, "many"),
                        "'many' has more than 4096 names, where '*' would be too slow");
    cert_pattern_free(kept);
    cert_pattern_free(own);
}

#define IN_DIRECTORY(test) \
    cmocka_unit_test_setup_teardown(test, pki_enter_directory, pki_leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_matches),
        IN_DIRECTORY(test_changes),
        IN_DIRECTORY(test_limits_of_a_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
