/* SPDX-License-Identifier: MIT */
/**
 * The fetch tally: who has fetched each domain's policy, counted in memory, from the records that
 * the workers leave for the access log.
 *
 * One count for each domain and kind of sender, so what strangers send cannot make it grow beyond
 * what is served. One thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct fetch_tally;
struct log_record;

/** n_max: counts; fetches that would need more are not counted. Never returns NULL. */
struct fetch_tally *fetch_tally_new(size_t n_max);

/** Takes NULL. */
void fetch_tally_free(struct fetch_tally *tally);

/** Counts the record of a request if it has fetched a policy. */
void fetch_tally_add(struct fetch_tally *tally, const struct log_record *record);

/** How many counts there are. */
size_t fetch_tally_size(const struct fetch_tally *tally);

/** Prints the counts as lib/state/fetch_count.h has them. */
void fetch_tally_print(const struct fetch_tally *tally, FILE *out);
