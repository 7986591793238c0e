/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger_line.h"

#include <inttypes.h>
#include <string.h>

#define NO_ZONE "-"

static const char *const event_words[LEDGER_EVENT_COUNT] = {
    [LEDGER_SERVES] = "serves", [LEDGER_ENDS] = "ends", [LEDGER_FETCHABLE] = "fetchable"};

static struct slice zone_take(struct slice *rest)
{
    struct slice zone = slice_take_field(rest, ' ');

    return slice_eq_text(zone, NO_ZONE) ? (struct slice){0} : zone;
}

static bool policy_take(struct slice *rest, struct ledger_policy *ret_policy)
{
    struct ledger_policy policy = {.id = slice_take_field(rest, ' ')};
    uint64_t max_age_s;
    struct slice tls_rpt;

    policy.mode = policy_mode_find(slice_take_field(rest, ' '));
    if (policy.id.len != POLICY_ID_LEN || policy.mode == POLICY_MODE_COUNT ||
        slice_to_u64(slice_take_field(rest, ' '), POLICY_MAX_AGE_MAX, &max_age_s) != 0)
        return false;
    policy.max_age_s = (uint32_t)max_age_s;
    policy.zone = slice_take_field(rest, ' ');
    policy.mta_sts_zone = zone_take(rest);
    tls_rpt = zone_take(rest);
    policy.has_tls_rpt = tls_rpt.len > 0;
    if (!slice_eq_text(tls_rpt, "own"))
        policy.tls_rpt_zone = tls_rpt;
    policy.mx = zone_take(rest);
    *ret_policy = policy;
    return policy.zone.len > 0;
}

static enum ledger_event event_find(struct slice word)
{
    int event = 0;

    while (event < LEDGER_EVENT_COUNT && !slice_eq_text(word, event_words[event]))
        event++;
    return (enum ledger_event)event;
}

bool ledger_line_parse(struct slice text, struct ledger_line *ret_line)
{
    struct ledger_line line = {0};
    uint64_t at_unix_s;

    if (memchr(text.ptr ? text.ptr : "", '\0', text.len) ||
        slice_to_u64(slice_take_field(&text, ' '), INT64_MAX, &at_unix_s) != 0)
        return false;
    line.at_unix_s = (int64_t)at_unix_s;
    line.event = event_find(slice_take_field(&text, ' '));
    line.domain = slice_take_field(&text, ' ');
    if (line.event == LEDGER_EVENT_COUNT || line.domain.len == 0 ||
        (line.event == LEDGER_SERVES && !policy_take(&text, &line.policy)) || text.len > 0)
        return false;
    *ret_line = line;
    return true;
}

static struct slice word_or(struct slice text, const char *otherwise)
{
    return text.len > 0 ? text : slice_of(otherwise);
}

static void policy_print(const struct ledger_policy *policy, FILE *out)
{
    struct slice tls_rpt = slice_of(NO_ZONE);

    if (policy->has_tls_rpt)
        tls_rpt = word_or(policy->tls_rpt_zone, "own");
    fprintf(out, " %.*s %s %" PRIu32 " %.*s %.*s %.*s %.*s", SLICE_ARG(policy->id),
            policy_mode_name(policy->mode), policy->max_age_s, SLICE_ARG(policy->zone),
            SLICE_ARG(word_or(policy->mta_sts_zone, NO_ZONE)), SLICE_ARG(tls_rpt),
            SLICE_ARG(word_or(policy->mx, NO_ZONE)));
}

void ledger_line_print(const struct ledger_line *line, FILE *out)
{
    fprintf(out, "%" PRId64 " %s %.*s", line->at_unix_s, event_words[line->event],
            SLICE_ARG(line->domain));
    if (line->event == LEDGER_SERVES)
        policy_print(&line->policy, out);
    fputc('\n', out);
}

bool ledger_policy_eq(const struct ledger_policy *a, const struct ledger_policy *b)
{
    return slice_eq(a->id, b->id) && a->mode == b->mode && a->max_age_s == b->max_age_s &&
           slice_eq(a->zone, b->zone) && slice_eq(a->mta_sts_zone, b->mta_sts_zone) &&
           slice_eq(a->tls_rpt_zone, b->tls_rpt_zone) && a->has_tls_rpt == b->has_tls_rpt &&
           slice_eq(a->mx, b->mx);
}
