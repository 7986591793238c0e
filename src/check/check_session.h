/* SPDX-License-Identifier: MIT */
/**
 * A session: the loop and the clients that all checks of a run share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct check_session;
struct check_tools;
struct config;
struct err;

struct check_session_options {
    const struct config *config; /* NULL: none */
    const char *dns_server;      /* NULL: the authoritative servers */
    const char *dns_config;      /* NULL: none */
    const char *ca_file;         /* NULL: the system's roots */
    const char *helo;            /* our name; NULL: that of the machine */
    size_t n_jobs;               /* domains, and MX hosts, at a time; at least 1 */
    uint64_t timeout_ms;         /* of one answer, fetch or conversation */
    bool allow_private;
    bool skips_smtp; /* MX hosts are not contacted */
};

/** Returns NULL with *err set: ERR_CONFIG, ERR_CRYPTO. */
struct check_session *check_session_new(const struct check_session_options *options,
                                        struct err *err);

/** All checks have ended. Runs the loop until all handles are closed. Takes NULL. */
void check_session_free(struct check_session *session);

/** What checks need; lives as long as the session. */
const struct check_tools *check_session_tools(const struct check_session *session);

/** Runs the loop until nothing is left to do. */
void check_session_run(struct check_session *session);
