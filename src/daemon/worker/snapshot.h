/* SPDX-License-Identifier: MIT */
/**
 * The snapshot that a worker serves from: a configuration and the certificates for its hosts.
 */
#pragma once

struct cert_store;
struct config;

/** Belongs to the worker, which replaces both between two turns of its loop, and never within. */
struct snapshot {
    struct config *config;
    struct cert_store *store;
};
