/* SPDX-License-Identifier: MIT */
/**
 * The ledger's writer: one process opens the ledger and appends to it.
 *
 * What is appended is the difference between what the ledger says and a configuration, so nothing
 * of it is kept in memory, and what could not be written once is made good for by the next call.
 * A call returns 0 only when the disk has the lines. The file stays open: a process that may open
 * no file any more can still write. Each function is safe from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct ledger;
struct ledger_writer;

enum {
    LEDGER_KEPT_S = 400 * 24 * 60 * 60, /* after its end a policy is forgotten; max_age is less */
    LEDGER_LARGE = 64 * 1024 * 1024,    /* bytes from which an opened ledger forgets */
};

/**
 * Opens the ledger in `directory`, which exists; makes it if it is missing, and drops half a line
 * at its end. A large one is written anew without the policies that ended LEDGER_KEPT_S ago; that a
 * domain was fetchable is kept for ever.
 *
 * Returns 0, or -1 with *err set: ERR_IO, ERR_LIMIT, ERR_SYNTAX (the file is no ledger), ERR_CONFIG
 * (another process has it open).
 */
int ledger_writer_open(const char *directory, int64_t now_unix_s, struct ledger_writer **ret_writer,
                       struct err *err);

/** Takes NULL. */
void ledger_writer_close(struct ledger_writer *writer);

/** Reads the ledger, for ledger_free(). Returns as ledger_writer_record(). */
int ledger_writer_read(struct ledger_writer *writer, struct ledger **ret_ledger, struct err *err);

/**
 * Appends what is served from now on, and what is not any more.
 * Returns 0, or -1 with *err set (ERR_IO, ERR_LIMIT); then the ledger is as it was.
 */
int ledger_writer_record(struct ledger_writer *writer, const struct config *config,
                         int64_t now_unix_s, struct err *err);

/**
 * Appends that senders can fetch these domains' policies, unless the ledger says so already.
 *
 * domains  indices into config->domains
 * Returns as ledger_writer_record().
 */
int ledger_writer_mark_fetchable(struct ledger_writer *writer, const struct config *config,
                                 const size_t *domains, size_t n_domains, int64_t now_unix_s,
                                 struct err *err);
