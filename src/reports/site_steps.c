/* SPDX-License-Identifier: MIT */
#include "reports/site_steps.h"

#include "lib/base/arena.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "reports/report_store.h"
#include "reports/report_words.h"
#include "reports/site_attention.h"
#include "reports/site_domain.h"

/* When the last mx of the policy has been in it for long enough. 0: nobody knows. */
static int64_t steps_ready_unix_s(const struct site_domain *domain, int64_t ready_after_days)
{
    const struct policy *policy = domain->reports.policy;
    int64_t ready_unix_s = 0;

    for (size_t i = 0; i < policy->n_mx; i++) {
        int64_t since_unix_s = report_verdict_mx_since(domain->ledger, policy->mx[i]);

        if (since_unix_s == 0)
            return 0;
        since_unix_s += ready_after_days * REPORT_DAY_S;
        ready_unix_s = since_unix_s > ready_unix_s ? since_unix_s : ready_unix_s;
    }
    return ready_unix_s;
}

static struct site_step step_enforce(const struct site_domain *domain, int64_t ready_after_days)
{
    int64_t ready_unix_s;

    if (domain->reports.verdict.kind == REPORT_VERDICT_READY)
        return (struct site_step){"Enforce the policy now",
                                  "By the reports, no mail would be lost. Write mode: enforce for "
                                  "this domain, run mta-stsd --reload, then publish the new "
                                  "_mta-sts record.",
                                  0};
    ready_unix_s = steps_ready_unix_s(domain, ready_after_days);
    return (struct site_step){"Wait with mode enforce",
                              "Stay in mode testing until reports show that mode enforce is safe. "
                              "What reports say, below, names what is missing.",
                              ready_unix_s > domain->now_unix_s ? ready_unix_s : 0};
}

static struct site_step step_repair(const struct site_need *need, struct arena *arena)
{
    bool has_text = need->text[0] != '\0';

    return (struct site_step){
        need->title,
        report_words_print(arena, "%s%s%s", has_text ? report_words_cut(need->text, arena) : "",
                           has_text ? ". " : "", need->advice),
        0};
}

static struct site_step step_move(const struct site_domain *domain, struct arena *arena)
{
    uint32_t max_age_s = domain->reports.policy->max_age_s;
    char age[WHEN_SIZE];

    return (struct site_step){
        "Move the mail to other MX hosts",
        report_words_print(arena,
                           "Add the new hosts to the policy first, reload, and publish the new "
                           "record. Senders may hold the old policy for %s: point the MX records "
                           "to the new hosts only after that, and leave the old hosts in the "
                           "policy until no MX record names them. If the policy is changed today, "
                           "the MX records may change on this date.",
                           when_duration(max_age_s, age)),
        domain->now_unix_s + max_age_s};
}

/* RFC 8461 8.3, as mta-stsd --withdraw says it. */
static struct site_step step_leave(const struct site_domain *domain)
{
    int64_t until_unix_s = domain->now_unix_s + domain->reports.policy->max_age_s;

    return (struct site_step){"Leave MTA-STS",
                              "Write mode: none and max_age: 1d, reload, and publish the new "
                              "record. Go on serving that policy: if you begin today, the domain "
                              "and its records may be removed on this date.",
                              domain->held_until_unix_s > until_unix_s ? domain->held_until_unix_s
                                                                       : until_unix_s};
}

static struct site_step step_removal(const struct site_domain *domain)
{
    if (!domain->ledger)
        return (struct site_step){"Go on serving mode none",
                                  "Nobody knows how long senders may hold an earlier policy: the "
                                  "ledger is missing or damaged. Serve mode none for the longest "
                                  "max_age that the domain ever had.",
                                  0};
    if (domain->held_until_unix_s > 0)
        return (struct site_step){"Go on serving mode none",
                                  "Senders may hold an earlier policy until this date. Remove the "
                                  "domain and its records after it.",
                                  domain->held_until_unix_s};
    return (struct site_step){"Remove the domain now",
                              "No sender holds an earlier policy any more. Remove the domain from "
                              "the configuration, and its _mta-sts and mta-sts records.",
                              0};
}

size_t site_steps_list(const struct site_domain *domain, int64_t ready_after_days,
                       struct arena *arena, struct site_step ret_steps[static SITE_STEPS_MAX])
{
    const struct policy *policy = domain->reports.policy;
    struct site_need need;
    size_t n = 0;

    if (!policy)
        return 0;
    if (policy->mode == POLICY_MODE_NONE) {
        ret_steps[n++] = step_removal(domain);
        return n;
    }
    /* A warning is no reason to put off mode enforce. */
    if (site_attention_first(domain, arena, &need) &&
        need.urgency < (policy->mode == POLICY_TESTING ? SITE_WARNING : SITE_CHANCE))
        ret_steps[n++] = step_repair(&need, arena);
    else if (policy->mode == POLICY_TESTING)
        ret_steps[n++] = step_enforce(domain, ready_after_days);
    else
        ret_steps[n++] = (struct site_step){"Nothing to change", "The policy is enforced.", 0};
    ret_steps[n++] = step_move(domain, arena);
    ret_steps[n++] = step_leave(domain);
    return n;
}
