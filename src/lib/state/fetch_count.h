/* SPDX-License-Identifier: MIT */
/**
 * Fetch counts: how often senders of a kind have fetched a domain's policy, as the daemon hands it
 * to mta-stsd-reports in the file `fetches` of the state directory.
 *
 * The file is text: a line with the time of its writing, "mta-stsd fetches 1 MICROSECONDS", by
 * which a file that was taken twice is known, then a line for each count. Pure, safe from any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"
#include "lib/state/fetch_sender.h"

#define FETCHES_FILE "fetches"

enum {
    FETCH_PREFIX_SIZE = 64, /* of a network as text, with its NUL */
};

struct fetch_count {
    struct slice domain; /* stored form */
    enum fetch_sender sender;
    uint64_t n;
    int64_t first_unix_s, last_unix_s;
    struct slice prefix; /* where the last one came from, "192.0.2.0/24"; "-": not known */
};

/** Prints the first line. */
void fetch_count_print_head(int64_t at_unix_us, FILE *out);

/** Whether `line`, without its newline, is the first line of such a file. */
bool fetch_count_parse_head(struct slice line, int64_t *ret_at_unix_us);

/** Prints a line with its newline. */
void fetch_count_print(const struct fetch_count *count, FILE *out);

/** Whether `line`, without its newline, is a count; then *ret_count points into it. */
bool fetch_count_parse(struct slice line, struct fetch_count *ret_count);
