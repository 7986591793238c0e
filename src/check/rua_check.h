/* SPDX-License-Identifier: MIT */
/**
 * Looking up where TLS reports go: the DNS records of each address, and whether servers answer.
 *
 * One thread, that of the loop. Source: RFC 8460 3.
 */
#pragma once

#include <stddef.h>

struct arena;
struct check_tools;
struct findings;
struct mx_record;
struct rua_check;
struct rua_target;

/** Called once all is known, never from inside rua_check_start(). */
typedef void rua_looked_up(void *context);

/**
 * Begins.
 *
 * tools     outlive the callback
 * targets   of check_tls_rpt_judge(), at most RUA_MAX, not 0; not copied
 * arena     owns all, and is uncapped; it lives until after the callback
 * findings  gets what is wrong with servers of https
 */
struct rua_check *rua_check_start(const struct check_tools *tools, const struct rua_target *targets,
                                  size_t n_targets, struct arena *arena, struct findings *findings,
                                  rua_looked_up *callback, void *context);

/**
 * Judges what DNS says, and the way that reports by mail take; after the callback.
 *
 * mx  the MX hosts of `domain`, and what senders do with them
 */
void rua_check_judge(const struct rua_check *check, const char *domain, const struct mx_record *mx,
                     size_t n_mx);
