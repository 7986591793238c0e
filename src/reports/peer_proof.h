/* SPDX-License-Identifier: MIT */
/**
 * Peer proofs: whether a report by HTTPS came from a host of the domain that it says it is from.
 *
 * The address of the peer has to have a name, that name the address, and the domain has to be the
 * name or above it. HTTPS itself says nothing about a sender (RFC 8460 7), and anybody can send a
 * report; but nobody else can have both entries in DNS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dns/name.h"

struct clock;
struct peer_proofs;

enum {
    PEER_LOOKUPS_MAX = 500,  /* addresses that are looked up; of more, nothing is proven */
    PEER_LOOKUPS_MS = 60000, /* likewise the time that all look-ups may take together */
};

/** What asks DNS; a test has one of its own. */
struct peer_resolver {
    /* The name of a numeric address. Returns false if there is none. */
    bool (*find_name)(const char *address, char ret_name[static DNS_NAME_MAX + 1]);
    /* Whether a name has this numeric address. */
    bool (*has_address)(const char *name, const char *address);
};

/** The resolver of the C library; each question waits for its answer. */
extern const struct peer_resolver peer_resolver_system;

/** resolver, clock  outlive the proofs. Never returns NULL. */
struct peer_proofs *peer_proofs_new(const struct peer_resolver *resolver,
                                    const struct clock *clock);

/** Takes NULL. */
void peer_proofs_free(struct peer_proofs *proofs);

/**
 * Whether the peer is a host of `domain`. Each address is looked up once.
 *
 * peer    a numeric address; what is none proves nothing
 * domain  in stored form, or any text of a stranger
 */
bool peer_proofs_hold(struct peer_proofs *proofs, const char *peer, const char *domain);
