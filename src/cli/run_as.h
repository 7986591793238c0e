/* SPDX-License-Identifier: MIT */
/**
 * Whose eyes look at certificates: what root can read, the daemon may not.
 */
#pragma once

struct config;

/**
 * Reads files from now on as the daemon does that root starts: as `user`. Whoever is not root, or
 * has no such user, stays as before. For the time before any thread.
 */
void identity_take(const struct config *config);

/** Ends that, as far as it went. */
void identity_return(void);
