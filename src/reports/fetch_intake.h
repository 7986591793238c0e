/* SPDX-License-Identifier: MIT */
/**
 * The fetch intake: takes who fetched which policy from the daemon's file into the database, and
 * answers who fetched a domain's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/state/fetch_sender.h"

struct arena;
struct err;
struct report_database;

/** Who fetched a domain's policy, all in all. */
struct policy_fetcher {
    enum fetch_sender sender;
    int64_t n;
    int64_t first_unix_s, last_unix_s;
    const char *prefix; /* of the last one, "192.0.2.0/24"; "-": not known */
};

struct policy_fetchers {
    const struct policy_fetcher *list; /* who fetched last comes first */
    size_t n;
};

/**
 * Takes the file, if there is one, and removes it when the database has it. Lines that are damaged
 * are left out. What is older than `keep_s` is removed from the database.
 *
 * Returns 0, or -1 with *err set: ERR_IO, ERR_SYNTAX (the file is none of these), or as
 * report_sqlite_fail().
 */
int fetch_intake_take(struct report_database *database, const char *state_directory,
                      int64_t now_unix_s, int64_t keep_s, struct err *err);

/** arena: owns *ret_fetchers. Returns 0, or -1 with *err set as report_sqlite_fail(). */
int fetch_intake_find(struct report_database *database, const char *domain, struct arena *arena,
                      struct policy_fetchers *ret_fetchers, struct err *err);
