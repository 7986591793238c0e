/* SPDX-License-Identifier: MIT */
#include "check/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define POLICY .has_record = true, .has_policy = true

static void test_verdicts(void **state)
{
    static const struct {
        struct verdict_facts facts;
        const char *code, *text;
    } rows[] = {
        {{.is_dns_unanswered = true, .is_record_absent = true},
         "unknown",
         "unknown: MTA-STS could not be tried from here"},
        {{.is_record_absent = true}, "absent", "no MTA-STS: senders do not have to verify TLS"},
        {{.has_policy = true}, "ignored", "ignored: senders do not get the policy"},
        {{.has_record = true}, "ignored", "ignored: senders do not get the policy"},
        {{.has_record = true, .is_host_untried = true},
         "unknown",
         "unknown: MTA-STS could not be tried from here"},
        {{POLICY, .mode = POLICY_MODE_NONE, .n_mx = 1, .n_refused = 1},
         "none",
         "off: the mode is none, senders act as without a policy"},
        {{POLICY, .mode = POLICY_TESTING, .n_mx = 2},
         "testing",
         "testing: enforce would work today"},
        {{POLICY, .mode = POLICY_TESTING, .n_mx = 2, .n_refused = 2},
         "testing-unready",
         "testing: if the mode were enforce, senders would refuse all 2 MX hosts"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 2},
         "enforced",
         "enforced: senders deliver with verified TLS"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 3, .n_untried = 2},
         "enforced",
         "enforced: senders deliver with verified TLS; 2 of 3 MX hosts could not be tried from "
         "here"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 2, .n_refused = 1, .n_untried = 1},
         "partly-lost",
         "mail is at risk: senders refuse 1 of 2 MX hosts; 1 of 2 MX hosts could not be tried "
         "from here"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 1, .n_refused = 1},
         "lost",
         "mail is lost: senders refuse the only MX host"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum verdict verdict = verdict_of(&rows[i].facts);
        char text[VERDICT_TEXT_MAX];

        verdict_text(verdict, &rows[i].facts, text);
        if (strcmp(verdict_code(verdict), rows[i].code) != 0 || strcmp(text, rows[i].text) != 0)
            fail_msg("row %zu: %s: %s", i, verdict_code(verdict), text);
    }
}

#define REFUSED_BY_DANE .n_mx = 1, .n_dane = 1, .n_dane_refused = 1, .n_dane_only_refused = 1

static void test_dane_verdicts(void **state)
{
    static const struct {
        struct verdict_facts facts;
        const char *code, *dane_code, *text;
    } rows[] = {
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 1, .n_dane = 1},
         "enforced",
         "enforced",
         "enforced: senders deliver with verified TLS"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 1, .n_untried = 1, .n_dane = 1,
          .n_dane_untried = 1},
         "enforced",
         "unknown",
         "enforced: senders deliver with verified TLS; the only MX host could not be tried from "
         "here"},
        {{POLICY, .mode = POLICY_ENFORCE, REFUSED_BY_DANE},
         "enforced",
         "lost",
         "mail is at risk: senders with MTA-STS alone deliver with verified TLS; senders with "
         "DANE refuse the only MX host"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 2, .n_dane = 2, .n_dane_refused = 1,
          .n_dane_only_refused = 1},
         "enforced",
         "partly-lost",
         "mail is at risk: senders with MTA-STS alone deliver with verified TLS; senders with "
         "DANE refuse 1 of 2 MX hosts"},
        {{POLICY, .mode = POLICY_TESTING, REFUSED_BY_DANE},
         "testing",
         "lost",
         "testing: enforce would work today; senders with DANE refuse the only MX host"},
        {{POLICY, .mode = POLICY_MODE_NONE, REFUSED_BY_DANE},
         "none",
         "lost",
         "off: the mode is none, senders with MTA-STS alone act as without a policy; senders with "
         "DANE refuse the only MX host"},
        {{.is_record_absent = true, REFUSED_BY_DANE},
         "absent",
         "lost",
         "no MTA-STS: senders with MTA-STS alone do not have to verify TLS; senders with DANE "
         "refuse the only MX host"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 1, .n_refused = 1, .n_dane = 1,
          .n_dane_refused = 1},
         "lost",
         "lost",
         "mail is lost: senders refuse the only MX host"},
        {{POLICY, .mode = POLICY_ENFORCE, .n_mx = 2, .n_refused = 2, .n_dane = 1,
          .n_dane_only_accepted = 1},
         "lost",
         "enforced",
         "mail is at risk: senders with MTA-STS alone refuse all 2 MX hosts; senders with DANE "
         "deliver to 1 of 2 MX hosts"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum verdict verdict = verdict_of(&rows[i].facts);
        const char *dane_code = verdict_code(verdict_of_dane(&rows[i].facts));
        char text[VERDICT_TEXT_MAX];

        verdict_text(verdict, &rows[i].facts, text);
        if (strcmp(verdict_code(verdict), rows[i].code) != 0 ||
            strcmp(dane_code, rows[i].dane_code) != 0 || strcmp(text, rows[i].text) != 0)
            fail_msg("row %zu: %s, %s: %s", i, verdict_code(verdict), dane_code, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts),
                                       cmocka_unit_test(test_dane_verdicts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
