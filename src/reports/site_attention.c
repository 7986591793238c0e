/* SPDX-License-Identifier: MIT */
#include "reports/site_attention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "reports/check_results.h"
#include "reports/report_words.h"
#include "reports/site_domain.h"

struct attention_group {
    struct site_attention_group group;
    struct site_attention_row *rows;
    size_t n_space;
    const char *key; /* urgency, code and advice */
    UT_hash_handle hh;
};

struct site_attention {
    struct arena *arena;
    struct attention_group *groups;
    struct attention_group **sorted;
};

enum {
    NEEDS_MAX = 64, /* of a domain */
    GROUP_KEY_SIZE = 512,
};

struct attention_needs {
    struct site_need list[NEEDS_MAX];
    size_t n;
    struct arena *arena;
};

struct site_attention *site_attention_new(void)
{
    struct site_attention *attention = memory_alloc(sizeof(*attention));

    *attention = (struct site_attention){.arena = arena_new(0)};
    return attention;
}

void site_attention_free(struct site_attention *attention)
{
    if (!attention)
        return;
    for (struct attention_group *each = attention->groups; each; each = each->hh.next)
        free(each->rows);
    HASH_CLEAR(hh, attention->groups);
    free(attention->sorted);
    arena_free(attention->arena);
    free(attention);
}

static const char *attention_copy(struct site_attention *attention, const char *text)
{
    return arena_copy(attention->arena, slice_of(text));
}

static struct attention_group *attention_group_of(struct site_attention *attention,
                                                  enum site_urgency urgency, const char *code,
                                                  const char *title, const char *advice)
{
    struct attention_group *found;
    char key[GROUP_KEY_SIZE];

    snprintf(key, sizeof(key), "%d %s %s", (int)urgency, code, advice);
    HASH_FIND_STR(attention->groups, key, found);
    if (found)
        return found;
    found = arena_alloc(attention->arena, sizeof(*found));
    found->key = attention_copy(attention, key);
    found->group = (struct site_attention_group){.urgency = urgency,
                                                 .code = attention_copy(attention, code),
                                                 .title = attention_copy(attention, title),
                                                 .advice = attention_copy(attention, advice)};
    HASH_ADD_KEYPTR(hh, attention->groups, found->key, strlen(found->key), found);
    return found;
}

void site_attention_add_row(struct site_attention *attention, enum site_urgency urgency,
                            const char *code, const char *title, const char *advice,
                            const struct site_attention_row *row)
{
    struct attention_group *found = attention_group_of(attention, urgency, code, title, advice);
    size_t n = found->group.n_rows;
    const char *text;

    if (n > 0 && strcmp(found->rows[n - 1].domain, row->domain) == 0)
        return; /* its page says all of it */
    if (n == found->n_space) {
        found->n_space = n > 0 ? 2 * n : 4;
        found->rows = memory_resize(found->rows, found->n_space, sizeof(*found->rows));
    }
    text = report_words_cut(row->text, attention->arena);
    found->rows[n] = (struct site_attention_row){attention_copy(attention, row->domain),
                                                 attention_copy(attention, text)};
    found->group.rows = found->rows;
    found->group.n_rows = n + 1;
}

static void needs_add(struct attention_needs *needs, struct site_need need)
{
    if (needs->n < NEEDS_MAX)
        needs->list[needs->n++] = need;
}

/* By what senders do with the domain: an error of a domain that loses mail may be the reason. */
static enum site_urgency urgency_of_finding(const struct checked_domain *checked,
                                            const struct checked_kind *kind)
{
    if (strcmp(kind->severity, "error") != 0)
        return SITE_WARNING;
    if (strcmp(checked->verdict, "lost") == 0 || strcmp(checked->verdict, "partly-lost") == 0)
        return SITE_LOST;
    return strcmp(checked->verdict, "testing-unready") == 0 ? SITE_UNREADY : SITE_NO_POLICY;
}

static void needs_of_check(const struct site_domain *domain, struct attention_needs *needs)
{
    for (size_t i = 0; domain->checked && i < domain->checked->n_findings; i++) {
        const struct checked_finding *finding = &domain->checked->findings[i];

        needs_add(needs, (struct site_need){urgency_of_finding(domain->checked, finding->kind),
                                            finding->kind->code, finding->kind->meaning,
                                            finding->kind->advice, finding->text});
    }
}

/* Of each state but good and unknown. */
static const struct site_need certificate_needs[SITE_CERTIFICATE_COUNT] = {
    [SITE_CERTIFICATE_ENDING] = {SITE_SOON, "certificate-ending",
                                 "The policy host's certificate ends soon.",
                                 "See why it was not renewed, and renew it.", "ends on"},
    [SITE_CERTIFICATE_EXPIRED] = {SITE_NO_POLICY, "certificate-expired",
                                  "The policy host's certificate has expired: senders refuse it.",
                                  "Renew the certificate.", "expired on"},
    [SITE_CERTIFICATE_EARLY] = {SITE_NO_POLICY, "certificate-early",
                                "The policy host's certificate is not yet valid: senders refuse "
                                "it.",
                                "Set the clock of the machine, or wait.", "begins on"},
    [SITE_CERTIFICATE_NAME] = {SITE_NO_POLICY, "certificate-name",
                               "The policy host's certificate is for other names: senders refuse "
                               "it.",
                               "Get a certificate that has the name of the policy host.", NULL},
    [SITE_CERTIFICATE_MISSING] = {SITE_NO_POLICY, "certificate-missing",
                                  "The policy host has no certificate: senders cannot fetch the "
                                  "policy.",
                                  "Get a certificate for the policy host, and put it where the "
                                  "configuration says. With acme: in the configuration, "
                                  "mta-stsd --certificates says why there is none yet.",
                                  NULL},
};

static void needs_of_certificate(const struct site_domain *domain, struct attention_needs *needs)
{
    enum site_certificate_state state = domain->certificate.state;
    struct site_need need = certificate_needs[state];
    char date[WHEN_SIZE];

    if (!domain->has_certificate || !need.code)
        return;
    when_date(state == SITE_CERTIFICATE_EARLY ? domain->certificate.from_unix_s
                                              : domain->certificate.until_unix_s,
              date);
    need.text = need.text ? report_words_print(needs->arena, "%s %s", need.text, date) : "";
    needs_add(needs, need);
}

static void needs_of_reports(const struct site_domain *domain, struct attention_needs *needs)
{
    const struct report_verdict *verdict = &domain->reports.verdict;
    bool is_enforced = domain->reports.policy && domain->reports.policy->mode == POLICY_ENFORCE;
    const char *reason = verdict->n_reasons > 0 ? verdict->reasons[0].text : "";
    const char *advice = verdict->n_reasons > 0 && verdict->reasons[0].advice
                             ? report_words_print(needs->arena, "%s.", verdict->reasons[0].advice)
                             : "The reasons on the domain's page say what fails.";

    if (verdict->kind == REPORT_VERDICT_BROKEN && is_enforced)
        needs_add(needs, (struct site_need){SITE_LOST, "reports-broken",
                                            "Senders report that mail fails.", advice, reason});
    else if (verdict->kind == REPORT_VERDICT_BROKEN)
        needs_add(needs, (struct site_need){SITE_UNREADY, "reports-broken",
                                            "By the reports, mode enforce would lose mail.", advice,
                                            reason});
    else if (verdict->kind == REPORT_VERDICT_READY && !is_enforced)
        needs_add(needs,
                  (struct site_need){
                      SITE_CHANCE, "ready", "By the reports, mode enforce is safe.",
                      "Write mode: enforce, run mta-stsd --reload, and publish the new record.",
                      reason});
    else if (verdict->kind == REPORT_VERDICT_NO_DATA && !domain->configured->reporting &&
             domain->reports.policy && domain->reports.policy->mode != POLICY_MODE_NONE)
        needs_add(needs,
                  (struct site_need){
                      SITE_CHANCE, "no-report-address",
                      "Senders are not told where to send reports.",
                      "Set tls_rpt, run mta-stsd --reload, and publish the new _smtp._tls record. "
                      "Without reports, nobody knows whether mode enforce is safe.",
                      ""});
}

static void needs_of_removal(const struct site_domain *domain, struct attention_needs *needs)
{
    const struct policy *policy = domain->reports.policy;

    if (policy && policy->mode == POLICY_MODE_NONE && domain->ledger &&
        domain->held_until_unix_s == 0)
        needs_add(needs, (struct site_need){
                             SITE_CHANCE, "removable",
                             "No sender holds the policy of a domain in mode none any more.",
                             "Remove the domain from the configuration, and its records.", ""});
}

/* What is better to be done waits for what is wrong. */
static void needs_drop_chances(struct attention_needs *needs)
{
    size_t n = 0;
    bool is_wrong = false;

    for (size_t i = 0; i < needs->n; i++)
        is_wrong |= needs->list[i].urgency < SITE_SOON;
    for (size_t i = 0; i < needs->n; i++)
        if (!is_wrong || needs->list[i].urgency != SITE_CHANCE)
            needs->list[n++] = needs->list[i];
    needs->n = n;
}

static void needs_list(const struct site_domain *domain, struct arena *arena,
                       struct attention_needs *ret_needs)
{
    ret_needs->n = 0;
    ret_needs->arena = arena;
    if (!domain->configured->document)
        return;
    needs_of_check(domain, ret_needs); /* it names the fault; reports name what comes of it */
    needs_of_certificate(domain, ret_needs);
    needs_of_reports(domain, ret_needs);
    needs_of_removal(domain, ret_needs);
    needs_drop_chances(ret_needs);
}

void site_attention_add(struct site_attention *attention, const struct site_domain *domain,
                        struct arena *arena)
{
    struct attention_needs needs;

    needs_list(domain, arena, &needs);
    for (size_t i = 0; i < needs.n; i++) {
        const struct site_need *need = &needs.list[i];
        const struct site_attention_row row = {domain->configured->name, need->text};

        site_attention_add_row(attention, need->urgency, need->code, need->title, need->advice,
                               &row);
    }
}

bool site_attention_first(const struct site_domain *domain, struct arena *arena,
                          struct site_need *ret_need)
{
    struct attention_needs needs;

    needs_list(domain, arena, &needs);
    for (size_t i = 0; i < needs.n; i++)
        if (i == 0 || needs.list[i].urgency < ret_need->urgency)
            *ret_need = needs.list[i];
    return needs.n > 0;
}

static int attention_compare(const void *left, const void *right)
{
    const struct site_attention_group *a = &(*(struct attention_group *const *)left)->group;
    const struct site_attention_group *b = &(*(struct attention_group *const *)right)->group;

    if (a->urgency != b->urgency)
        return a->urgency < b->urgency ? -1 : 1;
    if (a->n_rows != b->n_rows)
        return a->n_rows > b->n_rows ? -1 : 1;
    return strcmp(a->code, b->code);
}

size_t site_attention_sort(struct site_attention *attention)
{
    size_t n = HASH_COUNT(attention->groups), i = 0;

    free(attention->sorted);
    attention->sorted = memory_alloc((n + 1) * sizeof(struct attention_group *));
    for (struct attention_group *each = attention->groups; each; each = each->hh.next)
        attention->sorted[i++] = each;
    qsort(attention->sorted, n, sizeof(struct attention_group *), attention_compare);
    return n;
}

struct site_attention_group site_attention_at(const struct site_attention *attention, size_t index)
{
    return attention->sorted[index]->group;
}
