/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/tls/cert_store_check.h"
#include "lib/config/config.h"
#include "support/loaded.h"

static struct cert_states *states_of(const char *yaml, const struct cert_states *before)
{
    struct config *config = loaded_config("%s", yaml);
    struct cert_states *states = cert_states_new(config, before);

    assert_ptr_equal(cert_states_config(states), config);
    config_unref(config);
    return states;
}

#define A_AND_C "domains: {a.example: {mode: none}, c.example: {mode: none}}"

/* Without a certificate, as they are at hand here; tests of the scan's daemon have some. */
static struct cert_news take(struct cert_states *states, size_t domain, uint32_t mark,
                             enum finding finding)
{
    return cert_states_take(states, domain, mark,
                            &(struct cert_state){.findings = finding_bit(finding)});
}

static void test_first_look(void **state)
{
    struct cert_states *states = states_of(A_AND_C, NULL);
    struct cert_counts counts;
    struct cert_news news;

    (void)state;
    cert_states_count(states, &counts);
    assert_int_equal(counts.n_hosts[FINDING_CERTIFICATE_MISSING], 0);
    assert_true(cert_states_is_due(states, 1, 0));
    news = take(states, 1, 7, FINDING_CERTIFICATE_MISSING);
    assert_true(news.is_wrong && news.is_changed && news.has_new_files);
    assert_false(news.is_fetchable || news.was_unfetchable);
    assert_false(cert_states_is_due(states, 1, 7));
    assert_true(cert_states_is_due(states, 1, 8));
    assert_true(cert_states_is_due(states, 0, 7));
    news = take(states, 1, 7, FINDING_CERTIFICATE_MISSING);
    assert_true(news.is_wrong && news.was_unfetchable);
    assert_false(news.is_changed || news.has_new_files);
    news = take(states, 1, 8, FINDING_CERTIFICATE_NOT_YET_VALID);
    assert_true(news.is_wrong && news.is_changed && news.has_new_files);
    assert_true(cert_states_is_due(states, 1, 8)); /* time is the cure */
    cert_states_count(states, &counts);
    assert_int_equal(counts.n_hosts[FINDING_CERTIFICATE_MISSING], 0);
    assert_int_equal(counts.n_hosts[FINDING_CERTIFICATE_NOT_YET_VALID], 1);
    assert_int_equal(counts.earliest_expiry_unix_s, 0);
    cert_states_free(states);
    cert_states_free(NULL);
}

static void test_next_configuration(void **state)
{
    struct cert_states *before = states_of(A_AND_C, NULL), *states;

    (void)state;
    take(before, 0, 1, FINDING_CERTIFICATE_MISSING);
    take(before, 1, 3, FINDING_CERTIFICATE_CHAIN);
    states = states_of("domains: {b.example: {mode: none}, c.example: {mode: none}, d.example: "
                       "{mode: none}}",
                       before);
    cert_states_free(before);
    assert_true(cert_states_is_due(states, 0, 1));
    assert_false(cert_states_is_due(states, 1, 3));
    assert_true(cert_states_is_due(states, 2, 3));
    cert_states_free(states);
}

/* What a domain allows is not wrong; without a certificate of its own it is not counted. */
static void test_allowed(void **state)
{
    struct cert_states *states = states_of("domains: {a.example: {mode: none, allow: "
                                           "[certificate-missing]}, b.example: {mode: none, "
                                           "allow: [certificate-name]}}",
                                           NULL);
    struct cert_counts counts;
    struct cert_news news = take(states, 0, 1, FINDING_CERTIFICATE_MISSING);

    (void)state;
    assert_true(news.is_fetchable && !news.is_wrong);
    assert_false(take(states, 0, 2, FINDING_CERTIFICATE_MISSING).is_fetchable);
    news = take(states, 1, 1, FINDING_CERTIFICATE_NAME);
    assert_false(news.is_fetchable || news.is_wrong);
    cert_states_count(states, &counts);
    assert_int_equal(counts.n_hosts[FINDING_NONE], 1);
    assert_true(take(states, 0, 3, FINDING_CERTIFICATE_UNREADABLE).is_wrong);
    cert_states_count(states, &counts);
    assert_int_equal(counts.n_hosts[FINDING_CERTIFICATE_UNREADABLE], 1);
    cert_states_free(states);
}

static void test_behind_a_proxy(void **state)
{
    struct cert_states *states =
        states_of("listen: [{address: \"127.0.0.1:80\", tls: false}]\n" A_AND_C, NULL);
    struct cert_news news = take(states, 0, 0, FINDING_CERTIFICATE_MISSING);
    struct cert_counts counts;

    (void)state;
    assert_true(news.is_fetchable && !news.is_wrong);
    cert_states_count(states, &counts);
    assert_int_equal(counts.n_hosts[FINDING_NONE], 0);
    cert_states_free(states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_look),
        cmocka_unit_test(test_next_configuration),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_behind_a_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
