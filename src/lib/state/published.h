/* SPDX-License-Identifier: MIT */
/**
 * What was published: the records that the program of `on_change` has accepted, and how those to be
 * published now differ from them.
 *
 * The state directory holds three files: `published`, a line for each accepted record; and of the
 * last comparison `changes.json`, the document for the program, and `published.next`, which becomes
 * `published` once the program has accepted the document. Each is replaced as a whole, so a crash
 * leaves the old one or the new one; the worst is that the program gets the same changes once more.
 *
 * The functions wait for the disk. For one process, and in it one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct ledger;

#define PUBLISHED_FILE "published"
#define PUBLISHED_NEXT "published.next"
#define PUBLISHED_CHANGES "changes.json"
#define PUBLISHED_HEAD "mta-stsd published 1\n"

struct published_counts {
    size_t n_added, n_changed, n_deleted;
    size_t n_withheld; /* records whose policy no sender can fetch yet; they are in no document */
};

/**
 * Compares what is to be published for `config` with what was accepted, and writes changes.json and
 * published.next. Without a list of what was accepted, each record is added.
 *
 * A _mta-sts TXT record is withheld until senders can fetch the policy (RFC 8461 8.1), and the
 * records of a policy that is not served any more stay until no sender holds it (RFC 8461 8.3), by
 * what the ledger knows; what it does not know stays.
 *
 * directory  of `state:`
 * Returns 0, or -1 with *err set: ERR_IO, ERR_SYNTAX (the list is damaged).
 */
int published_compare(const char *directory, const struct config *config,
                      const struct ledger *ledger, int64_t now_unix_s,
                      struct published_counts *ret_counts, struct err *err);

/** The last document was accepted. Returns 0, or -1 with *err set: ERR_IO. */
int published_accept(const char *directory, struct err *err);
