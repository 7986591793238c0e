/* SPDX-License-Identifier: MIT */
/**
 * Judging the _smtp._tls record: whether reports of failures come, and reach anybody.
 *
 * Pure but for the list of findings. Source: RFC 8460 3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct arena;
struct dns_answer;
struct findings;
struct http_result;

enum {
    RUA_MAX = 10, /* addresses that are looked at */
};

/** The addresses that our configuration has; none: the domain is not ours, or has no tls_rpt. */
struct rua_wanted {
    const char *const *rua;
    size_t n_rua;
};

/** An address that reports go to, whose server can be looked up. */
struct rua_target {
    struct slice uri;
    const char *host; /* of https, or the domain of the first address of mailto; stored form */
    bool is_https;
    uint16_t port;    /* of https */
    const char *path; /* of https, with its first slash */
};

/**
 * Judges the record.
 *
 * ret_targets  at most RUA_MAX, in the arena
 * Returns how many.
 */
size_t check_tls_rpt_judge(const char *domain, const struct dns_answer *answer,
                           const struct rua_wanted *wanted, struct arena *arena,
                           struct findings *findings, struct rua_target **ret_targets);

/** Says that the record stands at the name that drafts of RFC 8460 had, if it does. */
void check_tls_rpt_judge_old(const char *domain, const struct dns_answer *answer,
                             struct arena *arena, struct findings *findings);

/**
 * Judges where an address leads.
 *
 * mx         the MX records of a mailto's domain; NULL for https
 * addresses  the A and AAAA records of the host, for both kinds
 */
void check_tls_rpt_judge_target(const struct rua_target *target, const struct dns_answer *mx,
                                const struct dns_answer *ipv4, const struct dns_answer *ipv6,
                                struct findings *findings);

/**
 * Judges whether the server of an https address answers: with any status, since nothing is sent to
 * it that it would take for a report.
 */
void check_tls_rpt_judge_server(const struct rua_target *target, const struct http_result *result,
                                struct findings *findings);
