/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "daemon/main/internal.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/dns/record.h"

enum {
    LOGGED_MAX = 20, /* certificates named in one survey; 50,000 lines would tell less */
    PIECE_MS = 100,
    PAUSE_MS = 300, /* between two of them */
};

/* The gravest of several; FINDING_NONE: nothing is wrong. */
static enum finding gravest(finding_set findings)
{
    for (int i = FINDING_CERTIFICATE_UNREADABLE; i <= FINDING_CERTIFICATE_CHAIN; i++)
        if (findings & finding_bit((enum finding)i))
            return (enum finding)i;
    return FINDING_NONE;
}

static void count_expiry(struct survey *survey, const struct certificate *certificate)
{
    int64_t not_after = certificate ? certificate_not_after_unix_s(certificate) : 0;

    if (not_after != 0 && (survey->earliest_expiry == 0 || not_after < survey->earliest_expiry))
        survey->earliest_expiry = not_after;
}

static void look_at_host(struct survey *survey, const char *host)
{
    struct cert_state state;

    cert_store_check(survey->background.store, host, &state);
    count_expiry(survey, state.certificate);
    certificate_unref(state.certificate);
    survey->counts[gravest(state.findings)]++;
    if (state.findings != 0 && survey->n_wrong++ < LOGGED_MAX)
        log_line(LOG_WARNING, "%s: %s", host, state.message);
}

static void look_at_domain(struct survey *survey, const struct domain *domain)
{
    char host[POLICY_HOST_SIZE];

    if (domain->document)
        look_at_host(survey, dns_policy_host_render(domain->name, host));
}

static void begin(struct survey *survey)
{
    const struct config *config = survey->background.config;
    struct err err;

    survey->has_begun = true;
    if (cert_store_check_access(survey->background.store, &err) != 0)
        log_line(LOG_WARNING, "certificates: %s", err.msg);
    if (config->policy_host_name)
        look_at_host(survey, config->policy_host_name);
}

/* A reload since the last piece has moved the names, by a few places as a rule. */
static size_t find_next(const struct survey *survey)
{
    const struct config *config = survey->background.config;
    size_t i = survey->next < config->n_domains ? survey->next : config->n_domains;

    while (i > 0 && strcmp(config->domains[i - 1].name, survey->last) > 0)
        i--;
    while (i < config->n_domains && strcmp(config->domains[i].name, survey->last) <= 0)
        i++;
    return i;
}

static uint64_t now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

static void look_at_piece(uv_work_t *work)
{
    struct server *server = work->data;
    struct survey *survey = &server->survey;
    const struct config *config = survey->background.config;
    size_t i = find_next(survey), n_domains = config->n_sources > 0 ? config->n_domains : 0;
    uint64_t end_ms;

    background_be_nice();
    if (!survey->has_begun && config->n_sources > 0)
        begin(survey);
    end_ms = now_ms() + PIECE_MS; /* of slow storage, begin() may have taken more */
    while (i < n_domains && now_ms() < end_ms && !atomic_load(&server->is_ending)) {
        look_at_domain(survey, &config->domains[i]);
        strcpy(survey->last, config->domains[i++].name);
    }
    survey->next = i;
    survey->is_complete = i >= n_domains;
}

static void publish(struct server *server)
{
    const struct survey *survey = &server->survey;
    struct tally *tally = &server->tally;

    for (int i = 0; i < FINDING_COUNT; i++)
        atomic_store(&tally->n_certificates[i], survey->counts[i]);
    atomic_store(&tally->earliest_expiry_unix_s, survey->earliest_expiry);
    if (survey->n_wrong > LOGGED_MAX)
        log_line(LOG_WARNING,
                 "%zu certificates are missing or wrong in all; --test-config names each",
                 survey->n_wrong);
}

static void on_pause_over(uv_timer_t *timer)
{
    survey_go_on(timer->data);
}

static void on_looked(uv_work_t *work, int status)
{
    struct server *server = work->data;
    struct survey *survey = &server->survey;

    (void)status;
    background_end(&survey->background);
    if (!survey->is_complete) {
        uv_timer_start(&server->survey_pause, on_pause_over, PAUSE_MS, 0);
        return;
    }
    publish(server);
    survey->is_under_way = false;
    if (survey->is_wanted)
        survey_start(server);
}

void survey_go_on(struct server *server)
{
    struct survey *survey = &server->survey;

    if (survey->is_under_way && !survey->background.is_running && !server->reload.is_running)
        background_start(server, &survey->background, look_at_piece, on_looked);
}

void survey_start(struct server *server)
{
    struct survey *survey = &server->survey;

    survey->is_wanted = survey->is_under_way;
    if (survey->is_under_way)
        return;
    *survey = (struct survey){.is_under_way = true};
    survey_go_on(server);
}
