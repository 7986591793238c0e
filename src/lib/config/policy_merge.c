/* SPDX-License-Identifier: MIT */
#include "lib/config/policy_merge.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"

enum {
    DEFAULT_MAX_AGE_S = 7 * 86400,
    DEFAULT_MAX_AGE_NONE_S = 86400,
};

static bool is_given(struct place place)
{
    return place.line != 0;
}

struct raw_policy raw_policy_merge(const struct raw_policy *base, const struct raw_policy *own)
{
    struct raw_policy merged = *base;

    if (is_given(own->mode.place))
        merged.mode = own->mode;
    if (is_given(own->mx.place))
        merged.mx = own->mx;
    if (is_given(own->max_age.place))
        merged.max_age = own->max_age;
    if (is_given(own->tls_rpt.place))
        merged.tls_rpt = own->tls_rpt;
    if (is_given(own->id_salt.place))
        merged.id_salt = own->id_salt;
    return merged;
}

bool raw_policy_is_given(const struct raw_policy *keys)
{
    return is_given(keys->mode.place) || is_given(keys->mx.place) ||
           is_given(keys->max_age.place) || is_given(keys->tls_rpt.place) ||
           is_given(keys->id_salt.place);
}

finding_set raw_policy_allow(const struct raw_policy *keys)
{
    finding_set set = 0;

    for (size_t i = 0; i < keys->allow.n_items; i++)
        set |= finding_bit(finding_find(keys->allow.items[i].text));
    return set;
}

/* What stands for the policy domain. */
static const struct variable {
    const char *text;
    bool is_dashed; /* with a '-' for each dot, as in MX hosts of Microsoft 365 */
} variables[] = {
    {"{domain}", false},
    {"{domain_dashed}", true},
};

/* Finds the first variable; NULL: none. */
static const char *find_variable(const char *text, const struct variable **ret_variable)
{
    while ((text = strstr(text, "{domain"))) {
        for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
            if (strncmp(text, variables[i].text, strlen(variables[i].text)) != 0)
                continue;
            *ret_variable = &variables[i];
            return text;
        }
        text++;
    }
    return NULL;
}

bool text_has_domain(struct slice text)
{
    const struct variable *variable;

    return find_variable(text.ptr, &variable) != NULL;
}

static bool has_variable(const struct field_texts *texts)
{
    for (size_t i = 0; i < texts->n_items; i++)
        if (text_has_domain(texts->items[i].text))
            return true;
    return false;
}

static bool has_intake(const struct field_texts *texts)
{
    for (size_t i = 0; i < texts->n_items; i++)
        if (slice_eq_text(texts->items[i].text, INTAKE))
            return true;
    return false;
}

bool raw_policy_has_domain_mx(const struct raw_policy *keys)
{
    return has_variable(&keys->mx);
}

bool raw_policy_has_domain_rua(const struct raw_policy *keys, const char *report_host)
{
    return has_variable(&keys->tls_rpt) || (!report_host && has_intake(&keys->tls_rpt));
}

/* Replaces every variable; a text without one is returned as it is. */
static struct slice replace_variables(struct slice text, const char *domain, struct arena *arena)
{
    size_t domain_len = strlen(domain), len = text.len;
    const char *from = text.ptr, *found;
    const struct variable *variable;
    char *result, *to;

    if (!text_has_domain(text))
        return text;
    for (const char *at = text.ptr; (at = find_variable(at, &variable));) {
        at += strlen(variable->text);
        len += domain_len;
    }
    to = result = arena_alloc(arena, len + 1);
    for (; (found = find_variable(from, &variable)); from = found + strlen(variable->text)) {
        to = mempcpy(to, from, (size_t)(found - from));
        for (size_t i = 0; i < domain_len; i++)
            *to++ = domain[i] == '.' && variable->is_dashed ? '-' : domain[i];
    }
    memcpy(to, from, strlen(from) + 1);
    return slice_of(result);
}

/* Brings a pattern into stored form if possible; the check reports the others. */
static struct slice canonical_mx(struct slice text, struct arena *arena)
{
    size_t wildcard_len = slice_starts_with(text, "*.") ? 2 : 0;
    char name[2 + DNS_NAME_MAX + 1] = "*.";
    struct err err;
    size_t len;

    if (dns_name_parse(slice_range(text, wildcard_len, text.len), name + wildcard_len, &len,
                       &err) != 0)
        return text;
    len += wildcard_len;
    return (struct slice){arena_copy(arena, (struct slice){name, len}), len};
}

static struct slice expand_rua(struct slice text, const char *domain, const char *report_host,
                               struct arena *arena)
{
    char uri[16 + 2 * DNS_NAME_MAX];

    if (!slice_eq_text(text, INTAKE))
        return replace_variables(text, domain, arena);
    snprintf(uri, sizeof(uri), "https://%s%s/tlsrpt", report_host ? "" : DNS_PREFIX_POLICY_HOST,
             report_host ? report_host : domain);
    return (struct slice){arena_copy(arena, slice_of(uri)), strlen(uri)};
}

void merged_policy_expand(struct merged_policy *merged, const char *report_host,
                          struct arena *arena)
{
    const struct raw_policy *keys = &merged->keys;
    struct slice *mx = arena_array(arena, keys->mx.n_items, sizeof(*mx));
    enum policy_mode mode = (enum policy_mode)keys->mode.value;
    uint32_t default_max_age_s =
        mode == POLICY_MODE_NONE ? DEFAULT_MAX_AGE_NONE_S : DEFAULT_MAX_AGE_S;

    for (size_t i = 0; i < keys->mx.n_items; i++)
        mx[i] =
            canonical_mx(replace_variables(keys->mx.items[i].text, merged->domain, arena), arena);
    merged->policy = (struct policy){
        .mode = mode,
        .max_age_s = is_given(keys->max_age.place) ? keys->max_age.value : default_max_age_s,
        .mx = mx,
        .n_mx = keys->mx.n_items,
    };
    merged->n_rua = keys->tls_rpt.n_items;
    merged->rua = arena_array(arena, merged->n_rua, sizeof(*merged->rua));
    for (size_t i = 0; i < merged->n_rua; i++)
        merged->rua[i] =
            expand_rua(keys->tls_rpt.items[i].text, merged->domain, report_host, arena);
}
