/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/confine/sandbox.h"
#include "daemon/control/control.h"
#include "daemon/main/internal.h"
#include "daemon/main/trial_load.h"
#include "daemon/tls/cert_store.h"
#include "daemon/worker/worker.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

#define GOES_ON "the configuration from before goes on being served\n"

enum {
    LINES_MAX = 200,     /* of a difference, as printed by --reload */
    REMOVED_ALWAYS = 10, /* domains that a reload may drop, if half are left */
    LOADS_MAX = 2,
};

static bool has_same_sources(const struct config *a, const struct config *b)
{
    if (a->n_sources != b->n_sources)
        return false;
    for (size_t i = 0; i < a->n_sources; i++)
        if (strcmp(a->sources[i].chain, b->sources[i].chain) != 0 ||
            strcmp(a->sources[i].key, b->sources[i].key) != 0)
            return false;
    return true;
}

/*
 * A truncated YAML file is valid YAML: many domains fewer are more likely an accident, and most of
 * a few are too.
 */
static bool drops_too_many(const struct server *server, const struct config *current)
{
    size_t n_removed = server->difference.n_removed, n_domains = current->n_domains;
    bool is_share_large = n_removed * 100 > n_domains * (size_t)current->removed_percent;
    bool is_most_of_few = n_removed > 1 && n_removed * 2 > n_domains;

    return !server->is_forced && is_share_large && (n_removed > REMOVED_ALWAYS || is_most_of_few);
}

static void print_summary(const struct server *server, FILE *out)
{
    const struct difference *difference = &server->difference;

    fprintf(out, "%zu domains: %zu added, %zu removed, %zu changed\n", server->next->n_domains,
            difference->n_added, difference->n_removed, difference->n_changed);
}

/* In this order: a policy is served before its id is published (RFC 8461 8.1). */
static void print_advice(const struct difference *difference, FILE *out)
{
    if (difference->n_added + difference->n_changed > 0)
        fputs("now publish what mta-stsd --print-dns prints of them\n", out);
}

/* Returns NULL, or the outcome that refuses what was loaded. */
static const char *judge(struct server *server, const struct diag *diag, FILE *out)
{
    const struct config *current = server->reload.config;
    const char *key;

    if (!server->next) {
        fprintf(out, "reload refused: %zu errors; " GOES_ON, diag_count(diag, LEVEL_ERROR));
        return CONTROL_BROKEN;
    }
    if (!config_can_replace(current, server->next, &key)) {
        fprintf(out, "reload refused: '%s' has changed, which needs a restart; " GOES_ON, key);
        return CONTROL_REFUSED;
    }
    if (!sandbox_allows(server->sandbox, server->next, server->config_path, out))
        return CONTROL_REFUSED;
    server->difference = config_compare(current, server->next, out, LINES_MAX);
    print_summary(server, out);
    if (!drops_too_many(server, current)) {
        print_advice(&server->difference, out);
        return NULL;
    }
    fprintf(
        out,
        "reload refused: %zu of %zu domains would go, more than limits.removed (%u%%); if that is "
        "right, --reload --force\n",
        server->difference.n_removed, current->n_domains, current->removed_percent);
    return CONTROL_REFUSED;
}

static void print_findings(const struct server *server, struct diag *diag, FILE *out)
{
    diag_print(diag, LEVEL_WARNING, out);
    if (diag_has(diag, FINDING_FILE_UNREADABLE))
        sandbox_explain(server->sandbox, out);
}

/* A file may be replaced in the midst of a load, by somebody who then asks for another reload. */
static struct config *load(const struct server *server, struct diag **diag)
{
    struct config *config = NULL;

    for (int i = 0; i < LOADS_MAX && !config; i++) {
        if (i > 0 && !diag_has(*diag, FINDING_FILE_UNREADABLE))
            break;
        diag_free(*diag);
        *diag = diag_new(&config_findings);
        config = config_load_with(server->config_path, LOAD_SETTLED | LOAD_REGULAR, *diag);
    }
    return config;
}

/* In the thread pool: nothing here touches what serves. */
static void build(uv_work_t *work)
{
    struct server *server = work->data;
    struct diag *diag = diag_new(&config_findings);
    size_t len;
    FILE *out = open_memstream(&server->reload_text, &len);

    background_be_nice();
    server->next = load(server, &diag);
    print_findings(server, diag, out);
    fflush(out);
    server->findings_len = len;
    server->reload_outcome = judge(server, diag, out);
    fclose(out);
    diag_free(diag);
    if (server->reload_outcome) {
        config_unref(server->next);
        server->next = NULL;
        return;
    }
    /* The same sources keep their store: what it has read is still right. */
    server->next_store = has_same_sources(server->reload.config, server->next)
                             ? cert_store_ref(server->reload.store)
                             : certificates_store(server->next, server->trust);
}

/* Who asks from now on asks in vain. */
static void refuse_at_the_end(struct server *server)
{
    control_begin_reload(server->control);
    control_end_reload(server->control, CONTROL_REFUSED, "the daemon is ending\n");
}

static void end(struct server *server, const char *outcome)
{
    control_end_reload(server->control, outcome, server->reload_text);
    server_tell_ready(server);
    free(server->reload_text);
    server->reload_text = NULL;
    if (background_end(&server->reload))
        reload_start(server);
    survey_go_on(server);
}

static void refuse(struct server *server)
{
    log_text(LOG_ERROR, slice_of(server->reload_text));
    server->tally.reloads_refused++;
    server->tally.is_last_reload_good = false;
    end(server, server->reload_outcome);
}

static void on_built(uv_work_t *work, int status)
{
    struct server *server = work->data;

    (void)status;
    if (server->phase != PHASE_SERVING) {
        reload_discard(server);
        return;
    }
    if (!server->next) {
        refuse(server);
        return;
    }
    server->is_swapping = true;
    atomic_store(&server->n_swapped, 0);
    for (size_t i = 0; i < server->n_threads; i++)
        worker_swap(server->workers[i].worker, server->next, server->next_store);
}

void reload_note_success(struct server *server)
{
    server->tally.is_last_reload_good = true;
    server->tally.reloaded_at_unix_s = clock_system.unix_s(&clock_system);
    admin_count_domains(server);
}

void reload_discard(struct server *server)
{
    if (!server->reload.is_running)
        return;
    config_unref(server->next);
    cert_store_unref(server->next_store);
    server->next = NULL;
    server->next_store = NULL;
    background_end(&server->reload);
    refuse_at_the_end(server);
    free(server->reload_text);
    server->reload_text = NULL;
}

static void on_trial_done(void *context, enum trial_outcome outcome, const char *reason)
{
    struct server *server = context;
    bool is_wanted = server->reload.is_wanted; /* by somebody who has asked during the trial */

    server->is_in_trial = false;
    if (outcome != TRIAL_FAILED) {
        if (outcome == TRIAL_NOT_MADE)
            log_line(LOG_WARNING, "the configuration is loaded without a trial: %s", reason);
        background_start(server, &server->reload, build, on_built);
        server->reload.is_wanted = is_wanted;
        return;
    }
    if (asprintf(&server->reload_text, "reload refused: %s; " GOES_ON, reason) < 0)
        memory_fail();
    server->reload_outcome = CONTROL_REFUSED;
    refuse(server);
}

void reload_abandon(struct server *server)
{
    if (!server->is_in_trial)
        return;
    trial_load_cancel(server->trial);
    server->is_in_trial = false;
    refuse_at_the_end(server);
}

void reload_start(struct server *server)
{
    if (server->phase != PHASE_SERVING && !server->reload.is_running) {
        refuse_at_the_end(server);
        return;
    }
    if (server->reload.is_running || server->is_in_trial) {
        server->reload.is_wanted = true;
    } else {
        server->is_forced = control_begin_reload(server->control);
        server_tell_reloading(server);
        server->is_in_trial = true;
        server->reload.is_wanted = false;
        trial_load_start(server->trial, on_trial_done, server);
    }
    /* A renewal's hook asks for nothing but this. */
    certificates_refresh(server);
}

/* Warnings are worth a line in every log, what has changed in a chattier one. */
static void log_outcome(struct slice text, size_t findings_len)
{
    log_text(LOG_WARNING, slice_range(text, 0, findings_len));
    log_text(LOG_INFO, slice_range(text, findings_len, text.len));
}

void reload_finish(struct server *server)
{
    if (!server->is_swapping || atomic_load(&server->n_swapped) < server->n_threads)
        return;
    server->is_swapping = false;
    /* The workers have let go of the old one, so it is here that its memory is given back. */
    config_unref(server->config);
    cert_store_unref(server->store);
    server->config = server->next;
    server->store = server->next_store;
    server->next = NULL;
    server->next_store = NULL;
    log_set_level(server->config->log_level);
    log_outcome(slice_of(server->reload_text), server->findings_len);
    log_line(LOG_INFO, "reloaded '%s'", server->config_path);
    server->tally.reloads_good++;
    reload_note_success(server);
    survey_start(server);
    end(server, CONTROL_GOOD);
}
