/* SPDX-License-Identifier: MIT */
/**
 * The ledger: which policy and id each domain was served with, from when until when.
 *
 * The daemon appends to one text file in the directory `state:` (ledger_writer.h); this is its
 * reader, which may read while the daemon writes. Senders keep a policy for its max_age, whatever
 * happens to the daemon, so the ledger says what they may still hold (RFC 8461 3.2, 8.3). Times are
 * seconds since 1970.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/state/ledger_line.h"

struct arena;
struct err;
struct ledger;

/** A time in which a domain was served one policy. */
struct ledger_period {
    int64_t from_unix_s;
    int64_t until_unix_s; /* 0: it is served now */
    struct ledger_policy policy;
    const struct ledger_period *earlier; /* NULL: none is known */
};

struct ledger_domain {
    const char *name;
    int64_t fetchable_unix_s;           /* the first time; 0: senders could never fetch from us */
    const struct ledger_period *latest; /* NULL: none is known */
};

/**
 * Reads the ledger of a state directory. No ledger is an empty one.
 *
 * domain  read only the lines of this one; NULL: all
 * Returns 0, or -1 with *err set: ERR_IO, ERR_LIMIT, ERR_SYNTAX (the file is no ledger).
 */
int ledger_read(const char *directory, const char *domain, struct ledger **ret_ledger,
                struct err *err);

/**
 * The same from bytes.
 *
 * arena  of the bytes, which the ledger takes over unless this fails; NULL: they outlive the ledger
 */
int ledger_read_bytes(struct slice bytes, struct arena *arena, const char *domain,
                      struct ledger **ret_ledger, struct err *err);

/** Takes NULL. */
void ledger_free(struct ledger *ledger);

/** Returns NULL if the ledger has nothing of the domain. Takes a NULL ledger. */
const struct ledger_domain *ledger_find(const struct ledger *ledger, struct slice name);

/** Visits all domains, in the order in which they came. Returns the next one, or NULL; previous
 * NULL: the first one. */
const struct ledger_domain *ledger_next(const struct ledger *ledger,
                                        const struct ledger_domain *previous);

/** The number of the first line that is damaged, and so was skipped; 0: none is. */
size_t ledger_damaged_line(const struct ledger *ledger);

/** Where the last whole line ends; what follows is half a line, from a crash. */
size_t ledger_whole_len(const struct ledger *ledger);

/**
 * Until when a sender may hold a policy of the domain that is not `mode: none`: the end of each
 * period and its max_age. 0: no sender holds one by what the ledger knows.
 */
int64_t ledger_held_until(const struct ledger_domain *domain, int64_t now_unix_s);

/** Whether the domain was served a policy, is served none now, and no sender holds one any more. */
bool ledger_is_over(const struct ledger_domain *domain, int64_t now_unix_s);

/** The same for policies in mode enforce that do not have this mx pattern; empty: for all of them.
 */
int64_t ledger_enforced_until(const struct ledger_domain *domain, struct slice mx,
                              int64_t now_unix_s);

/**
 * Until when a sender may hold a policy, of any mode, that was served while `zone` had TXT records
 * of the domain. 0: none does.
 */
int64_t ledger_delegated_until(const struct ledger_domain *domain, struct slice zone,
                               int64_t now_unix_s);

/** Where TXT records of the domain were while the policy was served; empty: in the domain's zone.
 */
struct slice ledger_policy_delegation_zone(const struct ledger_policy *policy);

#define LEDGER_FILE "ledger"
#define LEDGER_HEAD "mta-stsd ledger 1\n"
enum {
    LEDGER_BYTES_MAX = 512 * 1024 * 1024,
};
