/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_states.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/config/config.h"

struct host_state {
    int64_t not_after_unix_s; /* 0: no certificate */
    uint32_t mark;
    uint8_t finding; /* the gravest one */
    bool is_known;   /* was looked at; the rest holds */
    bool is_counted; /* false: the domain allows that there is no certificate */
    bool was_fetchable;
};

struct cert_states {
    struct config *config; /* one reference */
    struct host_state hosts[];
};

/* Both configurations are sorted by name. */
static void states_inherit(struct cert_states *states, const struct cert_states *before)
{
    const struct config *now = states->config, *then = before->config;
    size_t at = 0;

    for (size_t i = 0; i < now->n_domains; i++) {
        int order = -1;

        while (at < then->n_domains &&
               (order = strcmp(then->domains[at].name, now->domains[i].name)) < 0)
            at++;
        if (at < then->n_domains && order == 0)
            states->hosts[i] = before->hosts[at];
    }
}

struct cert_states *cert_states_new(struct config *config, const struct cert_states *before)
{
    size_t size = sizeof(struct cert_states) + config->n_domains * sizeof(struct host_state);
    struct cert_states *states = memset(memory_alloc(size), 0, size);

    states->config = config_ref(config);
    if (before)
        states_inherit(states, before);
    return states;
}

void cert_states_free(struct cert_states *states)
{
    if (!states)
        return;
    config_unref(states->config);
    free(states);
}

struct config *cert_states_config(const struct cert_states *states)
{
    return states->config;
}

bool cert_states_is_due(const struct cert_states *states, size_t domain, uint32_t mark)
{
    const struct host_state *host = &states->hosts[domain];

    return !host->is_known || host->mark != mark ||
           host->finding == FINDING_CERTIFICATE_NOT_YET_VALID;
}

static enum finding gravest_finding(finding_set findings)
{
    for (int i = FINDING_CERTIFICATE_UNREADABLE; i <= FINDING_CERTIFICATE_CHAIN; i++)
        if (findings & finding_bit((enum finding)i))
            return (enum finding)i;
    return FINDING_NONE;
}

struct cert_news cert_states_take(struct cert_states *states, size_t domain, uint32_t mark,
                                  struct cert_state *state)
{
    struct host_state *host = &states->hosts[domain];
    /* Without a source of certificates a proxy terminates TLS. */
    finding_set allow =
        states->config->n_sources > 0 ? states->config->domains[domain].allow : ~(finding_set)0;
    /* A domain that allows a missing certificate is served by a proxy that has one. */
    bool is_elsewhere = !state->certificate && (allow & finding_bit(FINDING_CERTIFICATE_MISSING));
    bool is_fetchable = is_elsewhere || cert_state_is_accepted(state);
    enum finding finding = gravest_finding(state->findings &= ~allow);
    struct cert_news news = {
        .is_wrong = finding != FINDING_NONE,
        .is_changed = !host->is_known || host->finding != finding,
        .has_new_files = !host->is_known || host->mark != mark,
        .is_fetchable = is_fetchable && !host->was_fetchable,
        .was_unfetchable = host->is_known && !host->was_fetchable,
    };

    *host = (struct host_state){
        .not_after_unix_s =
            state->certificate ? certificate_not_after_unix_s(state->certificate) : 0,
        .mark = mark,
        .finding = (uint8_t)finding,
        .is_known = true,
        .is_counted = !is_elsewhere || finding != FINDING_NONE,
        .was_fetchable = host->was_fetchable || is_fetchable,
    };
    return news;
}

bool cert_states_was_fetchable(const struct cert_states *states, size_t domain)
{
    return states->hosts[domain].was_fetchable;
}

int cert_states_view(const struct cert_states *states, size_t domain, struct cert_view *ret_view)
{
    const struct host_state *host = &states->hosts[domain];

    if (!host->is_known)
        return -1;
    *ret_view = (struct cert_view){.finding = (enum finding)host->finding,
                                   .not_after_unix_s = host->not_after_unix_s};
    return 0;
}

void cert_states_count(const struct cert_states *states, struct cert_counts *ret_counts)
{
    *ret_counts = (struct cert_counts){0};
    for (size_t i = 0; i < states->config->n_domains; i++) {
        const struct host_state *host = &states->hosts[i];

        if (!host->is_known || !host->is_counted)
            continue;
        ret_counts->n_hosts[host->finding]++;
        if (host->not_after_unix_s != 0 &&
            (ret_counts->earliest_expiry_unix_s == 0 ||
             host->not_after_unix_s < ret_counts->earliest_expiry_unix_s))
            ret_counts->earliest_expiry_unix_s = host->not_after_unix_s;
    }
}
