/* SPDX-License-Identifier: MIT */
/**
 * The state keeper: writes what is served into the ledger of the directory `state:`, and what was
 * published into the list beside it.
 *
 * What cannot be written is logged and counted, and stops nothing: policies are served without a
 * ledger too, and the next call makes good for what is missing. The functions of the ledger take
 * NULL, for a configuration without `state:`, are safe from any thread, and wait for the disk.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct account;
struct clock;
struct config;
struct err;
struct ledger;
struct published_counts;
struct state_keeper;
struct uv_loop_s;

/**
 * Opens the ledger for the account that will serve; before the sandbox is entered, since no file
 * can be opened for writing after it. Returns NULL, after a line in the log, if it cannot be
 * opened.
 *
 * directory   NULL: returns NULL
 * n_failures  counts what could not be written, the opening too; outlives the keeper
 */
struct state_keeper *state_keeper_new(const char *directory, const struct account *account,
                                      const struct clock *clock, _Atomic uint64_t *n_failures);

/** The loop has ended. */
void state_keeper_free(struct state_keeper *keeper);

/** Records, in a job of the loop, what is served since the start. Main thread. */
void state_keeper_begin(struct state_keeper *keeper, struct uv_loop_s *loop, struct config *config);

/** Reads the ledger, for ledger_free(). NULL: nothing is known. Safe from any thread. */
struct ledger *state_keeper_read(struct state_keeper *keeper);

/** Records what is served from now on. */
void state_keeper_record(struct state_keeper *keeper, const struct config *config);

/** Records that senders can fetch the policies of these domains. domains: as in
 * ledger_writer_mark_fetchable() */
void state_keeper_mark_fetchable(struct state_keeper *keeper, const struct config *config,
                                 const size_t *domains, size_t n_domains);

/** published_compare() with what the ledger says now; -1 also if the ledger cannot be read. */
int state_keeper_compare(struct state_keeper *keeper, const struct config *config,
                         struct published_counts *ret_counts, struct err *err);

/** The document of the last comparison. Returns a descriptor, or -1 with *err set: ERR_IO. */
int state_keeper_open_changes(const struct state_keeper *keeper, struct err *err);

/** published_accept() */
int state_keeper_accept(const struct state_keeper *keeper, struct err *err);
