/* SPDX-License-Identifier: MIT */
/**
 * Makes the workers of a configuration: those that serve policies and, after them, the admin
 * worker. For the time before any thread.
 */
#pragma once

#include <stddef.h>

struct account;
struct config;
struct connection_counts;
struct err;
struct listen_sockets;
struct worker_options;
struct worker_threads;

struct worker_setup {
    const struct worker_options *common; /* all but sockets, counts and shares */
    const struct config *config;
    const struct account *account;
    struct listen_sockets *sockets; /* that of `admin` is opened here */
    struct connection_counts *counts, *admin_counts;
    size_t n_workers;       /* that serve policies */
    size_t descriptors_max; /* for their connections */
};

enum {
    WORKER_SETUP_ADMIN_CONNECTIONS = 64,
};

/** How many workers serve policies. */
size_t worker_setup_count(const struct config *config);

/** Returns 0, or -1 with *err set: ERR_IO, ERR_CRYPTO. */
int worker_setup_add(const struct worker_setup *setup, struct worker_threads *threads,
                     struct err *err);
