/* SPDX-License-Identifier: MIT */
#include "lib/state/fetch_sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_agents(void **state)
{
    static const struct {
        const char *agent;
        enum fetch_sender sender;
    } cases[] = {
        {"Google-SMTP-STS", FETCH_SENDER_GOOGLE},
        {"google-smtp-sts/2", FETCH_SENDER_GOOGLE},
        {"Not Google-SMTP-STS", FETCH_SENDER_OTHER},
        {"Google", FETCH_SENDER_OTHER},
        {"postfix-mta-sts-resolver", FETCH_SENDER_PMSR},
        {"postfix-tlspol/1.8.18", FETCH_SENDER_TLSPOL},
        {"Go-http-client/1.1", FETCH_SENDER_GO},
        {"okhttp/4.9.0", FETCH_SENDER_JAVA},
        {"curl/7.88.1", FETCH_SENDER_CHECKER},
        {"mta-stsd-check", FETCH_SENDER_CHECKER},
        {"", FETCH_SENDER_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(fetch_sender_of(slice_of(cases[i].agent)), cases[i].sender);
}

/* A file of one version is read by the next: words stay. */
static void test_words(void **state)
{
    (void)state;
    for (enum fetch_sender sender = 0; sender < FETCH_SENDER_COUNT; sender++) {
        assert_int_equal(fetch_sender_find(slice_of(fetch_sender_word(sender))), sender);
        assert_true(slice_find_byte(slice_of(fetch_sender_word(sender)), ' ') > 1);
        assert_string_not_equal(fetch_sender_name(sender), "");
    }
    assert_int_equal(fetch_sender_find(slice_of("Google")), FETCH_SENDER_COUNT);
    assert_int_equal(fetch_sender_find(slice_of("")), FETCH_SENDER_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agents),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
