/* SPDX-License-Identifier: MIT */
/**
 * Host visits: how a policy host behaves at one address, beside the ordinary fetch.
 *
 * It is asked in each of the ways of check/host_probe.h, one after the other. After an answer that
 * looks like a fault the policy is fetched in the ordinary way again: a server that shuts a
 * stranger out after some requests is not to be blamed for the way in which the last one asked. One
 * thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <uv.h>

#include "check/check_finding.h"
#include "check/host_probe.h"
#include "lib/dns/name.h"

struct host_visit;
struct http_fetcher;

/** Of every policy: RFC 8461 3.3. */
#define HOST_POLICY_PATH "/.well-known/mta-sts.txt"

/** What all visits share; outlives them. */
struct host_visit_tools {
    uv_loop_t *loop;
    struct http_fetcher *http;
    const char *other_host; /* a host that does not exist */
    uint64_t visit_ms;      /* after which no other probe begins */
};

/** Where to go. The policy was fetched from there. */
struct host_visit_goal {
    char host[DNS_NAME_MAX + 1];      /* the policy host */
    char canonical[DNS_NAME_MAX + 1]; /* the name at the end of its CNAMEs */
    struct sockaddr_storage address;  /* with the port */
};

struct behaviour_fault {
    enum check_finding finding;
    bool is_of_server; /* all policy hosts at the address have it */
    char *text;
};

/** What was seen. */
struct host_behaviour {
    struct host_visit_goal goal;
    struct behaviour_fault faults[HOST_PROBES_MAX];
    size_t n_faults;
};

typedef void host_visited(void *context, const struct host_behaviour *behaviour);

/**
 * Begins.
 *
 * callback  comes once, never from inside this call, unless the visit is freed before; what it is
 *           given belongs to the visit
 * Returns a visit for host_visit_free(); never NULL.
 */
struct host_visit *host_visit_start(const struct host_visit_tools *tools,
                                    const struct host_visit_goal *goal, host_visited *callback,
                                    void *context);

/** Ends the visit, if it has not ended, and frees what was seen; takes NULL. */
void host_visit_free(struct host_visit *visit);
