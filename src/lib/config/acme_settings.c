/* SPDX-License-Identifier: MIT */
#include "lib/config/acme_settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/schema.h"
#include "lib/config/written_path.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    HOUR_S = 60 * 60,
};

static const struct {
    const char *word, *url;
} acme_directories[] = {
    {"production", "https://acme-v02.api.letsencrypt.org/directory"},
    {"staging", "https://acme-staging-v02.api.letsencrypt.org/directory"},
};

static void acme_report(struct diag *diag, const struct field_text *value, const char *path,
                        const char *why)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(diag, FINDING_BAD_VALUE, value->place, path, "%s %s",
             err_quote(quoted, sizeof(quoted), value->text), why);
}

/* Bytes that neither a URL nor a mail address has, and that could be taken for something else where
 * they are handed on. */
static bool acme_text_is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static const char *build_directory(const struct field_text *raw, struct arena *arena,
                                   struct diag *diag)
{
    for (size_t i = 0; i < ARRAY_LEN(acme_directories); i++)
        if (slice_eq_text(raw->text, acme_directories[i].word))
            return acme_directories[i].url;
    if (raw->text.len > 0 &&
        (!slice_starts_with(raw->text, "https://") || slice_eq_text(raw->text, "https://") ||
         !acme_text_is_plain(raw->text)))
        acme_report(diag, raw, "acme.directory",
                    "is neither production, staging nor a URL, as in "
                    "https://ca.example/acme/directory");
    return arena_copy(arena, raw->text);
}

static const char *build_account_email(const struct field_text *raw, struct arena *arena,
                                       struct diag *diag)
{
    size_t at = slice_find_byte(raw->text, '@');

    if (raw->text.len == 0)
        return NULL;
    if (slice_starts_with(raw->text, "mailto:"))
        acme_report(diag, raw, "acme.account_email",
                    "is a URL; write the mail address alone, without mailto:");
    else if (at == 0 || at + 1 >= raw->text.len || !acme_text_is_plain(raw->text) ||
             slice_find_byte(slice_range(raw->text, at + 1, raw->text.len), '@') <
                 raw->text.len - at - 1)
        acme_report(diag, raw, "acme.account_email",
                    "is not a mail address, as hostmaster@example.com is");
    return arena_copy(arena, raw->text);
}

/* The CA follows a redirect to port 80 or 443 only, and the path behind the host is its own. */
static const char *build_challenges_at(const struct field_text *raw, struct arena *arena,
                                       struct diag *diag)
{
    static const char scheme[] = "http://";
    struct slice url = raw->text, host;

    if (url.len == 0)
        return NULL;
    if (url.ptr[url.len - 1] == '/')
        url.len--;
    host = slice_range(url, url.len < strlen(scheme) ? url.len : strlen(scheme), url.len);
    if (!slice_starts_with(url, scheme) || host.len == 0 ||
        host.len != slice_find_byte(host, '/') || host.len != slice_find_byte(host, '?') ||
        host.len != slice_find_byte(host, '#') || !acme_text_is_plain(url))
        acme_report(diag, raw, "acme.challenges_at",
                    "is not the http: URL of a host, as http://orders.example.com is");
    return arena_copy(arena, url);
}

/* What needs another key; `place` is that of acme:. */
static void acme_check_needs(const struct raw_acme *raw, const struct config *config,
                             struct diag *diag)
{
    struct place place = raw->agree_to_terms.place;

    if (raw->agree_to_terms.value == 0)
        diag_add(diag, FINDING_BAD_VALUE, place, "acme.agree_to_terms",
                 "without agreement the certificate authority gives no account; read its terms of "
                 "service, and write true if you agree");
    if (!config->state)
        diag_add(diag, FINDING_KEY_MISSING, place, "acme",
                 "acme needs state:, where the daemon keeps the account's key and the "
                 "certificates");
    if (raw->orders.value == 1 && !config->policy_host_name && config->n_policy_host_addresses == 0)
        diag_add(diag, FINDING_KEY_MISSING, place, "acme",
                 "acme needs policy_host:, to see before an order that mta-sts.<domain> points "
                 "there");
    if (raw->orders.value == 1 && raw->challenges_at.place.line != 0)
        diag_add(diag, FINDING_KEY_CONFLICT, raw->challenges_at.place, "acme.challenges_at",
                 "is for a replica that does not order; write orders: false, or leave "
                 "challenges_at out");
}

void acme_settings_build(const struct raw_acme *raw, struct config *config, struct diag *diag)
{
    struct acme_settings *acme = arena_alloc(config->arena, sizeof(*acme));

    if (raw->agree_to_terms.place.line == 0)
        return;
    *acme = (struct acme_settings){
        .directory = build_directory(&raw->directory, config->arena, diag),
        .account_email = build_account_email(&raw->account_email, config->arena, diag),
        .has_orders = raw->orders.value == 1,
        .renew_before_s = raw->renew_before.value,
        .orders_per_hour = raw->orders_per_hour.value,
        .challenges_at = build_challenges_at(&raw->challenges_at, config->arena, diag),
    };
    if (raw->external_account_binding.text.len > 0)
        acme->eab_path = written_path_resolve(config->arena, &raw->external_account_binding);
    acme_check_needs(raw, config, diag);
    config->acme = acme;
    config->acme_place = raw->orders_per_hour.place.line != 0 ? raw->orders_per_hour.place
                                                              : raw->agree_to_terms.place;
}

static const char *acme_source_path(const struct config *config, const char *file)
{
    size_t size = strlen(config->state) + strlen(file) + sizeof("//{host}/" ACME_CERTIFICATES);
    char *path = arena_alloc(config->arena, size);

    snprintf(path, size, "%s/" ACME_CERTIFICATES "/{host}/%s", config->state, file);
    return path;
}

struct cert_source acme_settings_source(const struct config *config)
{
    return (struct cert_source){acme_source_path(config, ACME_CHAIN_FILE),
                                acme_source_path(config, ACME_KEY_FILE)};
}

static void acme_check_rate(const struct config *config, struct diag *diag)
{
    const struct acme_settings *acme = config->acme;
    uint64_t before_s, every_h, needed;

    before_s = acme->renew_before_s > 0 ? acme->renew_before_s : ACME_LIFE_S / 3;
    every_h = before_s + HOUR_S < ACME_LIFE_S ? (ACME_LIFE_S - before_s) / HOUR_S : 1;
    needed = (config->n_domains + every_h - 1) / every_h;
    if (needed > acme->orders_per_hour)
        diag_add(diag, FINDING_ACME_RATE, config->acme_place, "acme.orders_per_hour",
                 "%u order%s an hour cannot renew %zu certificates of 45 days each in time, which "
                 "takes %llu orders an hour; ask the certificate authority for a higher limit, "
                 "then raise orders_per_hour",
                 acme->orders_per_hour, acme->orders_per_hour == 1 ? "" : "s", config->n_domains,
                 (unsigned long long)needed);
}

/* A proxy may forward from port 80 to any listener without TLS. */
static bool config_answers_challenges(const struct config *config)
{
    for (size_t i = 0; i < config->n_listen; i++)
        if (!config->listen[i].has_tls)
            return true;
    return false;
}

void acme_settings_check(const struct config *config, struct diag *diag)
{
    if (!config->acme)
        return;
    if (config->acme->has_orders)
        acme_check_rate(config, diag);
    if (!config_answers_challenges(config))
        diag_add(diag, FINDING_ACME_UNANSWERED, config->acme_place, "acme",
                 "no listener answers the challenges of the certificate authority, which asks over "
                 "HTTP on port 80; add {address: \"[::]:80\", tls: false, serve: challenges} to "
                 "listen");
}
