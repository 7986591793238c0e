/* SPDX-License-Identifier: MIT */
/**
 * Certificate refresh: looks again at the files of the certificates in use, each minute and in the
 * background, and logs what has changed. Main thread.
 */
#pragma once

struct cert_refresh;
struct cert_scan;
struct cert_store;
struct sandbox;
struct uv_loop_s;

/**
 * store    in use when a look begins; changes meanwhile
 * sandbox  whose directories are watched; NULL: none. Lives as long
 * scan     that looks at the hosts whose files have changed after each look of this one; NULL: none
 * Never returns NULL.
 */
struct cert_refresh *cert_refresh_new(struct uv_loop_s *loop, struct cert_store *const *store,
                                      struct sandbox *sandbox, struct cert_scan *scan);

/** Takes NULL. No look is under way: the loop has ended. */
void cert_refresh_free(struct cert_refresh *refresh);

/** Begins a look without waiting for its minute, after the one that is under way. */
void cert_refresh_start(struct cert_refresh *refresh);
