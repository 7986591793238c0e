/* SPDX-License-Identifier: MIT */
/**
 * Certificate states: what was last seen of the certificate of each policy host of a configuration.
 *
 * For one thread. 16 bytes for each domain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag/config_finding.h"

struct cert_state;
struct cert_states;
struct config;

struct cert_counts {
    uint64_t n_hosts[FINDING_COUNT]; /* by the gravest finding; FINDING_NONE: nothing is wrong */
    int64_t earliest_expiry_unix_s;  /* 0: there is no certificate */
};

/** What a look at one host has brought. */
struct cert_news {
    bool is_wrong;        /* something is wrong that the domain does not allow */
    bool is_changed;      /* the gravest fault is another one than at the last look */
    bool has_new_files;   /* since the last look; that, and is_changed, also if there was none */
    bool is_fetchable;    /* senders can fetch the policy, for the first time in this process */
    bool was_unfetchable; /* there was a look, and none has found it fetchable */
};

/**
 * The states of the configuration's domains.
 *
 * config  a reference is taken
 * before  whose states the domains of the same name start with; NULL: none
 * Never returns NULL.
 */
struct cert_states *cert_states_new(struct config *config, const struct cert_states *before);

/** Takes NULL. */
void cert_states_free(struct cert_states *states);

/** The configuration that the states are of. */
struct config *cert_states_config(const struct cert_states *states);

/**
 * Whether a domain has to be looked at: its files have changed since the last look, or a
 * certificate is not valid yet.
 *
 * mark  of cert_store_mark(), now
 */
bool cert_states_is_due(const struct cert_states *states, size_t domain, uint32_t mark);

/**
 * Takes what a look has found.
 *
 * mark   from before the look
 * state  what the domain allows is taken out of its findings
 */
struct cert_news cert_states_take(struct cert_states *states, size_t domain, uint32_t mark,
                                  struct cert_state *state);

/** Whether a look has found, in this process, that senders can fetch the domain's policy. */
bool cert_states_was_fetchable(const struct cert_states *states, size_t domain);

/** What the last look has found at a host. */
struct cert_view {
    enum finding finding;     /* the gravest; FINDING_NONE: nothing is wrong */
    int64_t not_after_unix_s; /* 0: there is no certificate */
};

/** Returns 0, or -1: nobody has looked at the domain's host yet. */
int cert_states_view(const struct cert_states *states, size_t domain, struct cert_view *ret_view);

/** Counts all that was looked at. */
void cert_states_count(const struct cert_states *states, struct cert_counts *ret_counts);
