/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "dns/record.h"
#include "server/internal.h"
#include "server/sandbox.h"
#include "tls/certificate.h"
#include "tls/store.h"

enum {
    LOGGED_MAX = 20, /* certificates named in one survey; 50,000 lines would tell less */
};

struct cert_store *certificates_store(const struct config *config)
{
    return cert_store_new(config->sources, config->n_sources, CERT_STORE_HOSTS, &clock_system);
}

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

static void survey_host(struct server *server, const char *host)
{
    struct survey *survey = &server->found;
    struct cert_state state;

    cert_store_check(server->survey.store, host, &state);
    count_expiry(survey, state.certificate);
    certificate_unref(state.certificate);
    survey->counts[gravest(state.findings)]++;
    if (state.findings != 0 && survey->n_wrong++ < LOGGED_MAX)
        log_line(LOG_WARNING, "%s: %s", host, state.message);
}

static void survey_all(struct server *server)
{
    const struct config *config = server->survey.config;

    if (config->policy_host_name)
        survey_host(server, config->policy_host_name);
    for (size_t i = 0; i < config->n_domains && !atomic_load(&server->is_ending); i++) {
        char host[sizeof(DNS_PREFIX_POLICY_HOST) + DNS_NAME_MAX];

        if (!config->domains[i].document)
            continue;
        snprintf(host, sizeof(host), "%s%s", DNS_PREFIX_POLICY_HOST, config->domains[i].name);
        survey_host(server, host);
    }
}

static void look_at_all(uv_work_t *work)
{
    struct server *server = work->data;
    struct err err;

    background_be_nice();
    server->found = (struct survey){0};
    if (server->survey.config->n_sources == 0)
        return;
    if (cert_store_probe(server->survey.store, &err) != 0)
        log_line(LOG_WARNING, "certificates: %s", err.msg);
    survey_all(server);
    if (server->found.n_wrong > LOGGED_MAX)
        log_line(LOG_WARNING,
                 "%zu certificates are missing or wrong in all; --test-config names each",
                 server->found.n_wrong);
}

static void on_surveyed(uv_work_t *work, int status)
{
    struct server *server = work->data;
    struct tally *tally = &server->tally;

    (void)status;
    for (int i = 0; i < FINDING_COUNT; i++)
        atomic_store(&tally->n_certificates[i], server->found.counts[i]);
    atomic_store(&tally->earliest_expiry_unix_s, server->found.earliest_expiry);
    if (background_end(&server->survey))
        certificates_survey(server);
}

void certificates_survey(struct server *server)
{
    background_start(server, &server->survey, look_at_all, on_surveyed);
}

static void report_change(void *context, const char *host, const char *message)
{
    (void)context;
    log_line(LOG_WARNING, "%s: %s", host, message);
}

static void look_again(uv_work_t *work)
{
    struct server *server = work->data;

    background_be_nice();
    sandbox_watch(server->sandbox);
    cert_store_refresh(server->refreshing.store, report_change, NULL);
}

static void on_looked(uv_work_t *work, int status)
{
    struct server *server = work->data;

    (void)status;
    if (background_end(&server->refreshing))
        certificates_refresh(server);
}

void certificates_refresh(struct server *server)
{
    background_start(server, &server->refreshing, look_again, on_looked);
}
