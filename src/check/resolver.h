/* SPDX-License-Identifier: MIT */
/**
 * The resolver: answers from real name servers, validated with DNSSEC.
 *
 * libunbound does the work in a thread of its own and reports to the loop. Without a forwarder it
 * asks the authoritative servers itself, from the root down, as a mail server with a resolver of
 * its own does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct dns_source;
struct err;
struct resolver;

struct resolver_options {
    const char *forwarder;   /* address of a resolver to ask instead; NULL: none */
    const char *config_file; /* settings of unbound.conf, trust anchors too; NULL: none */
    uint64_t timeout_ms;     /* for an answer */
    bool allow_private;      /* name servers may have special addresses */
};

/**
 * loop     outlives the resolver
 * Returns NULL with *err set: ERR_CONFIG.
 */
struct resolver *resolver_new(uv_loop_t *loop, const struct resolver_options *options,
                              struct err *err);

/** The source that asks it; lives as long as the resolver. */
struct dns_source *resolver_source(struct resolver *resolver);

/** Ends all queries without an answer; memory goes when the loop has run once more. Takes NULL. */
void resolver_free(struct resolver *resolver);
