/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/suggest.h"
#include "lib/config/policy_merge.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/report_uri.h"
#include "lib/policy/lint.h"
#include "lib/policy/mx.h"
#include "lib/policy/render.h"

enum {
    URI_MAX = 1024, /* bytes of a report address; 32 of them still fit into a TXT record */
};

/* Whether the entry that is checked has the key itself, not from the policy that it builds upon. */
static bool is_own(struct place place, struct place own)
{
    return own.line != 0 && own.line == place.line && own.column == place.column &&
           own.file == place.file;
}

static int check_report(const struct merged_policy *merged, struct diag *diag, enum finding finding,
                        struct place place, const char *key, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Adds a finding about one key unless it is allowed. Returns -1 if it is an error, else 0. */
static int check_report(const struct merged_policy *merged, struct diag *diag, enum finding finding,
                        struct place place, const char *key, const char *format, ...)
{
    bool is_error = finding_row(finding)->level == LEVEL_ERROR;
    char path[YAML_PATH_MAX + 32], message[512];
    va_list arguments;

    if (!is_error && (merged->allow & finding_bit(finding)))
        return 0;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(path, sizeof(path), "%s%s%s", merged->path, key[0] == '\0' ? "" : ".", key);
    diag_add(diag, finding, place, path, "%s", message);
    return is_error ? -1 : 0;
}

/* A text with {domain} differs for each domain, so each domain's is judged, whoever wrote it. */
static bool is_judged(const struct field_text *text, struct place list, struct place own)
{
    return is_own(list, own) || text_has_domain(text->text);
}

static int check_mx(const struct merged_policy *merged, size_t index, struct diag *diag)
{
    const struct field_text *written = &merged->keys.mx.items[index];
    struct mx_lint lint;
    char quoted[ERR_QUOTE_MAX], key[32];

    if (written->text.len == 0)
        return -1;
    lint = mx_pattern_lint(merged->policy.mx[index]);
    if (lint.finding == FINDING_NONE)
        lint.finding = policy_mx_lint(&merged->policy, index, &lint.why);
    if (lint.finding == FINDING_NONE)
        return 0;
    snprintf(key, sizeof(key), "mx[%zu]", index);
    return check_report(merged, diag, lint.finding, written->place, key, "%s %s",
                        err_quote(quoted, sizeof(quoted), written->text), lint.why);
}

static int check_all_mx(const struct merged_policy *merged, struct diag *diag)
{
    const struct field_texts *mx = &merged->keys.mx;
    int result = 0;

    if (merged->needs_mx && merged->is_complete && mx->n_items == 0 &&
        merged->policy.mode != POLICY_MODE_NONE)
        return check_report(merged, diag, FINDING_MX_MISSING, merged->place, "",
                            "mode %s needs at least one mx, the MX hosts of the domain, as in "
                            "mx: [mail.example.com]",
                            policy_mode_name(merged->policy.mode));
    for (size_t i = 0; i < mx->n_items; i++)
        if (is_judged(&mx->items[i], mx->place, merged->own_keys->mx.place) &&
            check_mx(merged, i, diag) != 0)
            result = -1;
    return result;
}

static bool is_mx_judged(const struct merged_policy *merged)
{
    const struct field_texts *mx = &merged->keys.mx;

    for (size_t i = 0; i < mx->n_items; i++)
        if (is_judged(&mx->items[i], mx->place, merged->own_keys->mx.place))
            return true;
    return false;
}

int merged_policy_render(const struct merged_policy *merged, struct arena *arena, struct diag *diag,
                         struct slice *ret_body)
{
    struct err err;

    if (policy_render(&merged->policy, arena, ret_body, &err) != 0)
        return check_report(merged, diag, FINDING_BODY_LIMIT, merged->place, "",
                            "%s, where senders cut it off; give it fewer mx, perhaps a wildcard",
                            err.msg);
    if (ret_body->len > POLICY_BODY_ADVISED && is_mx_judged(merged))
        check_report(
            merged, diag, FINDING_BODY_LONG, merged->place, "",
            "the policy has %zu bytes; every sender takes one of up to %d, and checkers warn "
            "above; give it fewer mx, perhaps a wildcard",
            ret_body->len, POLICY_BODY_ADVISED);
    return 0;
}

static int check_max_age(const struct merged_policy *merged, struct diag *diag)
{
    const struct raw_policy *keys = &merged->keys, *own = merged->own_keys;
    bool has_own_max_age = is_own(keys->max_age.place, own->max_age.place);
    bool has_own_mode = is_own(keys->mode.place, own->mode.place);
    char why[POLICY_LINT_MAX];
    enum finding finding = policy_max_age_lint(merged->policy.mode, merged->policy.max_age_s, why);
    bool is_of_mode = finding == FINDING_MAX_AGE_BELOW_TWO_WEEKS;

    if (finding == FINDING_NONE || (is_of_mode && !merged->is_complete) ||
        !(has_own_max_age || (is_of_mode && has_own_mode)))
        return 0;
    return check_report(merged, diag, finding,
                        has_own_max_age ? keys->max_age.place : keys->mode.place,
                        has_own_max_age ? "max_age" : "mode", "%s", why);
}

/* Senders that know RFC 8461 take it; two have a parser that wants an mx in every policy. */
static void check_none(const struct merged_policy *merged, struct diag *diag)
{
    const struct raw_policy *keys = &merged->keys, *own = merged->own_keys;

    if (merged->policy.mode == POLICY_MODE_NONE && keys->mx.n_items == 0 && merged->needs_mx &&
        merged->is_complete && is_own(keys->mode.place, own->mode.place))
        check_report(merged, diag, FINDING_NONE_WITHOUT_MX, keys->mode.place, "mode", "%s",
                     policy_none_without_mx);
}

static int check_intake(const struct merged_policy *merged, size_t index, const char *key,
                        struct diag *diag)
{
    const struct field_text *written = &merged->keys.tls_rpt.items[index];

    switch (merged->intake) {
    case INTAKE_WITHOUT_STATE:
        return check_report(merged, diag, FINDING_RUA_NOT_SERVED, written->place, key,
                            "'" INTAKE "' means this server, which takes in reports only if state "
                            "is set; set state, or use a mailto: address");
    case INTAKE_WITHOUT_HOST:
        return check_report(merged, diag, FINDING_RUA_NOT_SERVED, merged->place, key,
                            "'" INTAKE "' means '%.*s', and mta_sts is false, so this server does "
                            "not serve that host; set report_host, or use a mailto: address",
                            SLICE_ARG(merged->rua[index]));
    default:
        return 0;
    }
}

/* Where each domain has an address of its own, each domain's is judged. */
static bool is_intake_of_domain(const struct merged_policy *merged, size_t index)
{
    return merged->intake == INTAKE_WITHOUT_HOST &&
           slice_eq_text(merged->keys.tls_rpt.items[index].text, INTAKE);
}

static int check_rua(const struct merged_policy *merged, size_t index, struct diag *diag)
{
    const struct field_text *written = &merged->keys.tls_rpt.items[index];
    const char *why = tls_rpt_uri_fault(merged->rua[index]);
    char quoted[ERR_QUOTE_MAX], key[32];

    if (written->text.len == 0)
        return -1;
    snprintf(key, sizeof(key), "tls_rpt[%zu]", index);
    err_quote(quoted, sizeof(quoted), written->text);
    if (why)
        return check_report(merged, diag, FINDING_RUA_SYNTAX, written->place, key, "%s %s", quoted,
                            why);
    if (merged->rua[index].len > URI_MAX)
        return check_report(merged, diag, FINDING_RUA_SYNTAX, written->place, key,
                            "%s has %zu bytes with the domain in it; %d are allowed", quoted,
                            merged->rua[index].len, URI_MAX);
    if (slice_eq_text(written->text, INTAKE))
        return check_intake(merged, index, key, diag);
    why = tls_rpt_uri_doubt(merged->rua[index]);
    return why ? check_report(merged, diag, FINDING_RUA_DOUBTFUL, written->place, key, "%s %s",
                              quoted, why)
               : 0;
}

static int check_reporting(const struct merged_policy *merged, struct diag *diag)
{
    const struct raw_policy *keys = &merged->keys, *own = merged->own_keys;
    bool has_own_mode = is_own(keys->mode.place, own->mode.place);
    bool has_own_rua = is_own(keys->tls_rpt.place, own->tls_rpt.place);
    int result = 0;

    for (size_t i = 0; i < merged->n_rua; i++)
        if ((is_judged(&keys->tls_rpt.items[i], keys->tls_rpt.place, own->tls_rpt.place) ||
             is_intake_of_domain(merged, i)) &&
            check_rua(merged, i, diag) != 0)
            result = -1;
    if (merged->policy.mode == POLICY_ENFORCE && merged->n_rua == 0 && merged->is_complete &&
        (has_own_mode || has_own_rua))
        check_report(merged, diag, FINDING_ENFORCE_UNREPORTED,
                     has_own_mode ? keys->mode.place : keys->tls_rpt.place,
                     has_own_mode ? "mode" : "tls_rpt",
                     "mode enforce without tls_rpt: nobody would tell you about mail that is not "
                     "delivered; give an address, as in tls_rpt: [\"mailto:tlsrpt@example.com\"]");
    return result;
}

int merged_policy_check(const struct merged_policy *merged, struct diag *diag)
{
    int mx = check_all_mx(merged, diag);
    int max_age = check_max_age(merged, diag);
    int reporting = check_reporting(merged, diag);

    check_none(merged, diag);
    return mx != 0 || max_age != 0 || reporting != 0 ? -1 : 0;
}

static void report_code(const struct field_text *code, const char *path, struct diag *diag)
{
    const char *codes[FINDING_COUNT], *nearest = NULL;
    char quoted[ERR_QUOTE_MAX];
    size_t n_codes = 0;

    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        codes[n_codes++] = finding_row((enum finding)i)->code;
    if (diag_count(diag, LEVEL_ERROR) < DIAG_MAX)
        nearest = suggest_word(code->text, codes, n_codes);
    diag_add(diag, FINDING_BAD_VALUE, code->place, path,
             "%s is not the code of a finding, which is in [] at the end of its line%s%s%s",
             err_quote(quoted, sizeof(quoted), code->text), nearest ? "; did you mean '" : "",
             nearest ? nearest : "", nearest ? "'?" : "");
}

/* Whether the finding is about the whole configuration, or a domain cannot have it. */
static bool is_idle(enum finding finding, const char *path)
{
    return finding == FINDING_POLICY_HOST_UNSET || finding == FINDING_KEY_IDLE ||
           finding == FINDING_ALLOW_IDLE ||
           (finding == FINDING_POLICY_UNUSED && slice_starts_with(slice_of(path), "domains."));
}

static void check_code(const struct field_text *code, const char *path, struct diag *diag)
{
    enum finding finding = finding_find(code->text);

    if (code->text.len == 0)
        return;
    if (finding == FINDING_NONE)
        report_code(code, path, diag);
    else if (finding_row(finding)->level == LEVEL_ERROR)
        diag_add(diag, FINDING_BAD_VALUE, code->place, path,
                 "'%s' is an error; only warnings and notes can be allowed",
                 finding_row(finding)->code);
    else if (is_idle(finding, path))
        diag_add(diag, FINDING_ALLOW_IDLE, code->place, path,
                 "'%s' is never found about %s, so this silences nothing; remove it",
                 finding_row(finding)->code,
                 finding == FINDING_POLICY_UNUSED ? "a domain" : "a domain or policy alone");
}

void raw_policy_check_allow(const struct raw_policy *keys, const char *path, struct diag *diag)
{
    for (size_t i = 0; i < keys->allow.n_items; i++) {
        char key[YAML_PATH_MAX + 32];

        snprintf(key, sizeof(key), "%s.allow[%zu]", path, i);
        check_code(&keys->allow.items[i], key, diag);
    }
}
