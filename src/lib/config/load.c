/* SPDX-License-Identifier: MIT */
#include "lib/config/load.h"

#include <string.h>

#include "lib/base/arena.h"
#include "lib/config/acme_settings.h"
#include "lib/config/build.h"
#include "lib/config/config.h"
#include "lib/config/parse.h"
#include "lib/config/settings.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

/* Says what the configuration lacks, unless there are errors, which may be the reason. */
static void check_completeness(const struct config *config, const char *name, struct diag *diag)
{
    const struct place place = {name, 0, 0};

    if (diag_count(diag, LEVEL_ERROR) > 0)
        return;
    if (config->n_domains == 0)
        diag_add(diag, FINDING_KEY_MISSING, place, "domains",
                 "no domain is given; the smallest configuration is "
                 "domains: {example.com: {mx: [mail.example.com]}}");
    if (!config->policy_host_name && config->n_policy_host_addresses == 0)
        diag_add(diag, FINDING_POLICY_HOST_UNSET, place, "policy_host",
                 "not set, so --print-dns cannot print what mta-sts.<domain> points to; give "
                 "policy_host: {name: ...} or {addresses: [...]}");
}

static struct config *load_counted(const char *path, unsigned care, struct diag *diag,
                                   size_t *ret_n_domains)
{
    struct config *config = memory_alloc(sizeof(*config));
    struct arena *scratch = arena_new_large();
    struct raw_config raw = {0};

    *config = (struct config){.n_references = 1, .arena = arena_new_large()};
    raw_config_read(path, care, config->arena, scratch, diag, &raw);
    settings_build(&raw.settings, config, diag);
    config_build(&raw, scratch, config, diag);
    check_completeness(config, raw.name, diag);
    acme_settings_check(config, diag);
    *ret_n_domains = config->n_domains;
    raw_config_done(&raw);
    arena_free(scratch);
    if (diag_count(diag, LEVEL_ERROR) == 0)
        return config;
    config_unref(config);
    return NULL;
}

struct config *config_load(const char *path, struct diag *diag)
{
    return config_load_with(path, 0, diag);
}

struct config *config_load_with(const char *path, unsigned care, struct diag *diag)
{
    size_t n_domains;

    return load_counted(path, care, diag, &n_domains);
}

struct config *config_load_counted(const char *path, struct diag *diag, size_t *ret_n_domains)
{
    return load_counted(path, 0, diag, ret_n_domains);
}

char *config_load_control(const char *path, bool *ret_is_guess)
{
    struct config config = {.arena = arena_new(0)};
    struct arena *scratch = arena_new(0);
    struct diag *diag = diag_new(&config_findings);
    struct raw_config raw = {0};
    char *control;

    raw_config_read(path, strcmp(path, "-") == 0 ? 0 : LOAD_REGULAR, config.arena, scratch, diag,
                    &raw);
    settings_build(&raw.settings, &config, diag);
    control = strdup(config.control);
    *ret_is_guess = config.has_default_control && (raw.is_cut || diag_count(diag, LEVEL_ERROR) > 0);
    raw_config_done(&raw);
    diag_free(diag);
    arena_free(scratch);
    arena_free(config.arena);
    return control;
}
