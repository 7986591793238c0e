/* SPDX-License-Identifier: MIT */
/**
 * The store maker: a certificate store for each configuration, with what the daemon knows beside
 * it.
 */
#pragma once

struct cert_store;
struct config;
struct sandbox;
struct trust_store;

/** Outlives the stores that it makes. */
struct store_maker {
    struct trust_store *trust; /* read before the sandbox is entered */
    struct sandbox *sandbox;   /* NULL: any file may be read; set before any thread is started */
};

/** Makes an empty store, with one reference. Safe from any thread. */
struct cert_store *store_maker_make(struct store_maker *maker, const struct config *config);
