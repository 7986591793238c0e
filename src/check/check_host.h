/* SPDX-License-Identifier: MIT */
/**
 * Judging the policy host: its addresses in DNS, and what each address says over HTTPS.
 *
 * Pure but for the list of findings. Source: RFC 8461 3.3.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "check/http_fetch.h"

struct arena;
struct dns_answer;
struct findings;
struct behaviour_fault;

enum {
    HOST_ADDRESSES_MAX = 16, /* that are asked for a policy */
};

/** What our configuration says about it; all zero: the domain is not ours. */
struct host_wanted {
    const char *name; /* policy_host.name; NULL: none */
    const char *const *addresses;
    size_t n_addresses;
};

/** An address of the policy host and what it answered. */
struct host_address {
    struct sockaddr_storage address; /* with port 443 */
    const char *text;
    const char *canonical;     /* the name that owns it, after CNAMEs */
    const char *special;       /* what it is instead of an address of the Internet, or NULL */
    struct http_result result; /* if it was asked */
    bool is_asked;
    const struct behaviour_fault *faults; /* of how the server behaves beside this answer */
    size_t n_faults;
};

/**
 * Lists the addresses of two answers, A before AAAA, HOST_ADDRESSES_MAX at most; an array in the
 * arena.
 */
struct host_address *check_host_list(const struct dns_answer *ipv4, const struct dns_answer *ipv6,
                                     struct arena *arena, size_t *ret_n);

/** Judges the two answers for mta-sts.<domain>. */
void check_host_judge_dns(const char *domain, const struct dns_answer *ipv4,
                          const struct dns_answer *ipv6, const struct host_wanted *wanted,
                          struct arena *arena, struct findings *findings);

/**
 * Judges one address: the connection, TLS, the certificate and HTTP, but not the body.
 *
 * now_unix_s  for certificates that end soon
 * Returns whether a strict sender takes the body.
 */
bool check_host_judge_address(const struct host_address *address, int64_t now_unix_s,
                              struct findings *findings);
