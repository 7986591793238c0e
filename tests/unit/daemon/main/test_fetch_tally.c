/* SPDX-License-Identifier: MIT */
#include "daemon/main/fetch_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/log_record.h"

#define POLICY "/.well-known/mta-sts.txt"

static struct log_record fetch_of(const char *host, const char *agent, const char *peer)
{
    struct log_record record = {.kind = LOG_RECORD_REQUEST,
                                .at_unix_ms = INT64_C(1764370000999),
                                .method = "GET",
                                .path = POLICY,
                                .status = 200};

    strncpy(record.server, host, sizeof(record.server) - 1);
    strncpy(record.agent, agent, sizeof(record.agent) - 1);
    strncpy(record.peer, peer, sizeof(record.peer) - 1);
    return record;
}

static void assert_prints(const struct fetch_tally *tally, const char *want)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    fetch_tally_print(tally, out);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void test_counts(void **state)
{
    struct fetch_tally *tally = fetch_tally_new(10);
    struct log_record record = fetch_of("mta-sts.example.com", "Google-SMTP-STS", "192.0.2.7:999");

    (void)state;
    assert_int_equal(fetch_tally_size(tally), 0);
    fetch_tally_add(tally, &record);
    record = fetch_of("MTA-STS.example.com:443", "Google-SMTP-STS", "[2001:db8:1:2::3]:9");
    record.at_unix_ms += 5000;
    fetch_tally_add(tally, &record);
    record = fetch_of("mta-sts.example.com", "", "");
    fetch_tally_add(tally, &record);
    record = fetch_of("mta-sts.example.net", "x", LOG_RECORD_PEER_UNKNOWN);
    fetch_tally_add(tally, &record);
    assert_int_equal(fetch_tally_size(tally), 3);
    assert_prints(tally, "example.com google 2 1764370000 1764370005 2001:db8:1::/48\n"
                         "example.com none 1 1764370000 1764370000 -\n"
                         "example.net other 1 1764370000 1764370000 -\n");
    fetch_tally_free(tally);
    fetch_tally_free(NULL);
}

static void test_prefix(void **state)
{
    struct fetch_tally *tally = fetch_tally_new(10);
    struct log_record record = fetch_of("mta-sts.a.example", "", "192.0.2.77:1");

    (void)state;
    fetch_tally_add(tally, &record);
    assert_prints(tally, "a.example none 1 1764370000 1764370000 192.0.2.0/24\n");
    fetch_tally_free(tally);
}

/* What is no fetch of a policy is not counted as one. */
static void test_others(void **state)
{
    struct fetch_tally *tally = fetch_tally_new(10);
    struct log_record good = fetch_of("mta-sts.example.com", "", "192.0.2.7:1"), record;

    (void)state;
    record = good, record.status = 404;
    fetch_tally_add(tally, &record);
    record = good, record.kind = LOG_RECORD_UNKNOWN_HOST;
    fetch_tally_add(tally, &record);
    record = good, strcpy(record.method, "HEAD");
    fetch_tally_add(tally, &record);
    record = good, strcpy(record.path, "/");
    fetch_tally_add(tally, &record);
    record = good, strcpy(record.server, "example.com");
    fetch_tally_add(tally, &record);
    record = good, strcpy(record.server, "mta-sts.bad name\n");
    fetch_tally_add(tally, &record);
    assert_int_equal(fetch_tally_size(tally), 0);
    fetch_tally_free(tally);
}

static void test_bound(void **state)
{
    struct fetch_tally *tally = fetch_tally_new(1);
    struct log_record record = fetch_of("mta-sts.a.example", "", "192.0.2.7:1");

    (void)state;
    fetch_tally_add(tally, &record);
    record = fetch_of("mta-sts.b.example", "", "192.0.2.7:1");
    fetch_tally_add(tally, &record);
    record = fetch_of("mta-sts.a.example", "", "192.0.2.7:1");
    fetch_tally_add(tally, &record);
    assert_prints(tally, "a.example none 2 1764370000 1764370000 192.0.2.0/24\n");
    fetch_tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
