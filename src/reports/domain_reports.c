/* SPDX-License-Identifier: MIT */
#include "reports/domain_reports.h"

#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/report_store.h"

/* The entries of a day and later; they are in the order of days. */
static struct report_entries entries_since(struct report_entries entries, int64_t day)
{
    while (entries.n > 0 && entries.list[0].day < day) {
        entries.list++;
        entries.n--;
    }
    return entries;
}

static int64_t whole_days(uint32_t seconds)
{
    return ((int64_t)seconds + REPORT_DAY_S - 1) / REPORT_DAY_S;
}

struct report_verdict_rules domain_reports_rules(const struct config *config)
{
    return (struct report_verdict_rules){.days = whole_days(config->ready_after_s),
                                         .late_days = whole_days(config->reports_late_s),
                                         .per_million = config->tolerated_per_million};
}

static int64_t served_since(const struct ledger_domain *ledger)
{
    return ledger && ledger->latest && ledger->latest->until_unix_s == 0
               ? ledger->latest->from_unix_s
               : 0;
}

int domain_reports_load(const struct domain_reports_source *source, const char *domain,
                        struct arena *arena, struct domain_reports *ret_reports, struct err *err)
{
    struct report_verdict_rules rules = domain_reports_rules(source->config);
    int64_t today = report_day_of(source->now_unix_s);
    int64_t shown_day = today - source->days;
    int64_t judged_day = report_verdict_first_day(&rules, source->now_unix_s);
    const struct domain *configured = config_find_domain(source->config, slice_of(domain));
    const struct policy *policy =
        configured && configured->document ? &configured->document->policy : NULL;
    const struct slice *mx = policy ? policy->mx : NULL;
    size_t n_mx = policy ? policy->n_mx : 0;
    bool is_whole = source->ledger && ledger_damaged_line(source->ledger) == 0;
    const struct ledger_domain *ledger =
        is_whole ? ledger_find(source->ledger, slice_of(domain)) : NULL;
    struct report_entries entries, judged_entries;
    struct policy_fetchers fetchers;
    struct report_tally judged;

    if (report_query_entries(source->database, domain,
                             shown_day < judged_day ? shown_day : judged_day,
                             today + REPORT_DAYS_AHEAD, arena, &entries, err) != 0 ||
        fetch_intake_find(source->database, domain, arena, &fetchers, err) != 0)
        return -1;
    *ret_reports = (struct domain_reports){.domain = domain,
                                           .policy = policy,
                                           .days = source->days,
                                           .fetchers = fetchers,
                                           .now_unix_s = source->now_unix_s,
                                           .served_since_unix_s = served_since(ledger),
                                           .entries = entries_since(entries, shown_day)};
    judged_entries = entries_since(entries, judged_day);
    report_tally_make(&ret_reports->entries, mx, n_mx, ledger, arena, &ret_reports->tally);
    report_tally_make(&judged_entries, mx, n_mx, ledger, arena, &judged);
    report_verdict_decide(
        &(struct report_verdict_case){
            .rules = &rules,
            .now_unix_s = source->now_unix_s,
            .policy = policy,
            .has_report_addresses = configured && configured->reporting,
            .ledger = ledger,
            .is_ledger_whole = is_whole,
            .tally = &judged,
            .checked = source->checks ? check_results_find(source->checks, domain) : NULL,
            .checked_unix_s = source->checks ? check_results_at_unix_s(source->checks) : 0,
        },
        arena, &ret_reports->verdict);
    return 0;
}
