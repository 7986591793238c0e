/* SPDX-License-Identifier: MIT */
/**
 * Sweeping: the certificates of hosts that have left the configuration.
 *
 * They are not renewed. Their files stay, with a mark that says since when, as the host may come
 * back; ACME_SWEEP_KEPT_S later they are removed, and what uacme has of the host too. Waits for the
 * disk; any thread, one at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct acme_commands;
struct config;

enum {
    ACME_SWEEP_KEPT_S = 60 * 24 * 60 * 60,
    ACME_SWEEP_EVERY_MS = 24 * 60 * 60 * 1000,
};

/** The mark, beside the certificate. */
#define ACME_SWEEP_MARK "removed"

struct acme_sweep_counts {
    size_t n_marked, n_unmarked, n_removed;
};

/** Marks, unmarks and removes; what cannot be changed is left as it is. */
void acme_sweep_run(const struct acme_commands *commands, const struct config *config,
                    int64_t now_unix_s, struct acme_sweep_counts *ret_counts);
