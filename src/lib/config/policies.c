/* SPDX-License-Identifier: MIT */
#include "lib/config/policies.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/suggest.h"
#include "lib/config/config.h"
#include "lib/config/document.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    POLICIES_FIRST = 64, /* in the array that grows */
    SUGGESTED_MAX = 256, /* policies that a misspelt name is compared with */
};

void named_policies_add(struct named_policies *list, const struct named_policy *policy)
{
    if (list->n_items == list->size) {
        list->size = list->size == 0 ? POLICIES_FIRST : list->size * 2;
        list->items = memory_resize(list->items, list->size, sizeof(*list->items));
    }
    list->items[list->n_items++] = *policy;
}

/* Two policies with one name keep the order that they have in the files. */
static int compare_policies(const void *left, const void *right)
{
    const struct named_policy *a = left, *b = right;
    int order = slice_compare(a->name.text, b->name.text);

    return order != 0 ? order : place_compare(a->name.place, b->name.place);
}

static void report_duplicate_policies(const struct named_policies *list, struct diag *diag)
{
    for (size_t i = 1; i < list->n_items; i++) {
        const struct field_text *first = &list->items[i - 1].name;
        const struct field_text *second = &list->items[i].name;

        if (!slice_eq(first->text, second->text))
            continue;
        diag_add(diag, FINDING_KEY_DUPLICATE, second->place, list->items[i].path,
                 "the policy is given already at %s:%u:%u; give this one another name",
                 first->place.file, first->place.line, first->place.column);
    }
}

static int compare_policy_name(const void *key, const void *element)
{
    const struct slice *name = key;
    const struct named_policy *policy = element;

    return slice_compare(*name, policy->name.text);
}

/* Merges a policy with nothing else, and with any domain for {domain}. */
static struct merged_policy merge_alone(const struct named_policy *policy,
                                        const struct build_context *context)
{
    struct merged_policy merged = {
        .keys = policy->keys,
        .own_keys = &policy->keys,
        .domain = POLICY_ANY_DOMAIN,
        .path = policy->path,
        .place = policy->name.place,
        .allow = policy->allow | (policy->n_users > 0 ? policy->users_allow : 0),
        .needs_mx = policy->n_mx_users > 0,
        .intake = context->config->state ? INTAKE_SERVED : INTAKE_WITHOUT_STATE,
        .is_complete = !policy->is_incomplete,
    };

    merged_policy_expand(&merged, context->config->report_host, context->scratch);
    return merged;
}

static bool lacks_mx(const struct merged_policy *merged)
{
    return merged->policy.n_mx == 0 && merged->policy.mode != POLICY_MODE_NONE;
}

/* Makes what users without overrides share, unless {domain} makes it different for each. */
static void prepare_policy(struct named_policy *policy, const struct build_context *context,
                           struct diag *unseen)
{
    const struct raw_policy *keys = &policy->keys;
    struct merged_policy merged;

    policy->allow = raw_policy_allow(keys);
    policy->users_allow = ~(finding_set)0;
    merged = merge_alone(policy, context);
    policy->is_broken = merged_policy_check(&merged, unseen) != 0 || policy->is_incomplete;
    if (policy->is_broken)
        return;
    if (!raw_policy_has_domain_mx(keys) && !lacks_mx(&merged))
        policy->document = documents_intern(context->documents, &merged, context->scratch, unseen);
    if (!raw_policy_has_domain_rua(keys, context->config->report_host))
        policy->reporting = reporting_keep(&merged, context->config->arena);
}

void named_policies_prepare(struct named_policies *list, const struct build_context *context)
{
    struct diag *unseen =
        diag_new(&config_findings); /* named_policies_report() adds what concerns the users */

    if (list->n_items > 0)
        qsort(list->items, list->n_items, sizeof(*list->items), compare_policies);
    report_duplicate_policies(list, context->diag);
    for (size_t i = 0; i < list->n_items; i++) {
        prepare_policy(&list->items[i], context, unseen);
        arena_reset(context->scratch);
    }
    diag_free(unseen);
}

/* Whether the domain serves its policy's list of mx, or should if there were one. */
static bool takes_mx(const struct raw_domain *domain)
{
    const struct raw_policy *keys = &domain->keys;
    bool is_none = keys->mode.place.line != 0 && keys->mode.value == POLICY_MODE_NONE;

    return domain->mta_sts.value && keys->mx.place.line == 0 && !is_none;
}

/* Findings about a policy's keys that do not hold for a user with these keys of its own. */
static finding_set inapplicable_findings(const struct raw_domain *domain)
{
    const struct raw_policy *keys = &domain->keys;
    finding_set set = 0;

    if (!domain->mta_sts.value || keys->mode.place.line != 0)
        set |=
            finding_bit(FINDING_ENFORCE_UNREPORTED) | finding_bit(FINDING_MAX_AGE_BELOW_TWO_WEEKS);
    if (keys->tls_rpt.place.line != 0)
        set |= finding_bit(FINDING_ENFORCE_UNREPORTED);
    if (keys->max_age.place.line != 0)
        set |= finding_bit(FINDING_MAX_AGE_BELOW_TWO_WEEKS);
    if (!takes_mx(domain))
        set |= finding_bit(FINDING_BODY_LONG);
    return set;
}

void named_policy_add_user(struct named_policy *policy, const struct raw_domain *domain)
{
    policy->n_users++;
    policy->n_mx_users += takes_mx(domain);
    policy->users_allow &= inapplicable_findings(domain) | raw_policy_allow(&domain->keys);
}

bool named_policy_is_usable(const struct named_policy *policy, const struct raw_domain *domain)
{
    bool has_mx = policy->document || raw_policy_has_domain_mx(&policy->keys);

    return !policy->is_broken && (has_mx || !takes_mx(domain));
}

/* Reports what is wrong with a policy, given who uses it. */
static void report_policy(const struct named_policy *policy, const struct build_context *context)
{
    struct merged_policy merged = merge_alone(policy, context);
    struct slice body;

    raw_policy_check_allow(&policy->keys, policy->path, context->diag);
    if (merged_policy_check(&merged, context->diag) == 0 && !policy->is_incomplete &&
        policy->n_mx_users > 0 && !raw_policy_has_domain_mx(&policy->keys))
        merged_policy_render(&merged, context->scratch, context->diag, &body);
}

void named_policies_report(const struct named_policies *list, const struct build_context *context,
                           bool has_all_domains)
{
    for (size_t i = 0; i < list->n_items; i++) {
        const struct named_policy *policy = &list->items[i];

        report_policy(policy, context);
        arena_reset(context->scratch);
        if (has_all_domains && policy->n_users == 0 &&
            !(policy->allow & finding_bit(FINDING_POLICY_UNUSED)))
            diag_add(context->diag, FINDING_POLICY_UNUSED, policy->name.place, policy->path,
                     "no domain uses this policy; name it below domains: or take it out");
    }
}

void named_policies_done(struct named_policies *list)
{
    free(list->items);
}

/* The key that was meant by "mx:[mail.example.com]", which YAML reads as a text; NULL: none. */
static const char *key_without_space(struct slice name)
{
    struct slice word = slice_range(name, 0, slice_find_byte(name, ':'));

    for (const struct fields *fields = &schema_domain; word.len < name.len && fields;
         fields = fields->base)
        for (size_t i = 0; i < fields->n_rows; i++)
            if (slice_eq_text(word, fields->rows[i].key))
                return fields->rows[i].key;
    return NULL;
}

static void report_unknown_policy(const struct named_policies *list,
                                  const struct raw_domain *domain, struct diag *diag)
{
    char quoted[ERR_QUOTE_MAX], meant[ERR_QUOTE_MAX] = "";
    const char *names[SUGGESTED_MAX], *nearest = NULL;
    const char *key = key_without_space(domain->policy.text);
    size_t n_names = 0;

    if (key) {
        diag_add(diag, FINDING_POLICY_UNKNOWN, domain->policy.place, domain->path,
                 "%s is read as the name of a policy, and there is none; the key '%s' needs a "
                 "space after its colon",
                 err_quote(quoted, sizeof(quoted), domain->policy.text), key);
        return;
    }
    for (size_t i = 0; i < list->n_items && n_names < SUGGESTED_MAX; i++)
        names[n_names++] = list->items[i].name.text.ptr;
    if (diag_count(diag, LEVEL_ERROR) < DIAG_MAX)
        nearest = suggest_word(domain->policy.text, names, n_names);
    if (nearest)
        err_quote(meant, sizeof(meant), slice_of(nearest));
    diag_add(diag, FINDING_POLICY_UNKNOWN, domain->policy.place, domain->path,
             "there is no policy %s under policies:; %s%s%s",
             err_quote(quoted, sizeof(quoted), domain->policy.text),
             nearest ? "did you mean " : "write it there, or name one that is", meant,
             nearest ? "?" : "");
}

struct named_policy *named_policies_find(const struct named_policies *list,
                                         const struct raw_domain *domain, bool is_cut,
                                         struct diag *diag)
{
    const struct slice *name = &domain->policy.text;
    struct named_policy *policy = NULL;

    if (list->n_items > 0)
        policy =
            bsearch(name, list->items, list->n_items, sizeof(*list->items), compare_policy_name);
    /* An empty name is an error of its own, added by the parser. */
    if (!policy && name->len > 0 && !is_cut)
        report_unknown_policy(list, domain, diag);
    return policy;
}

struct named_policy *named_policies_default(const struct named_policies *list)
{
    const struct slice name = SLICE_BYTES("default");

    if (list->n_items == 0)
        return NULL;
    return bsearch(&name, list->items, list->n_items, sizeof(*list->items), compare_policy_name);
}
