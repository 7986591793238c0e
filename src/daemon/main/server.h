/* SPDX-License-Identifier: MIT */
/**
 * The daemon: the control plane that starts workers, reloads, and ends in good order.
 *
 * SIGHUP reads configuration and certificates again and keeps what was running on any error.
 * SIGTERM and SIGINT finish what runs, within 10 s; a second one ends at once. Neither waits for a
 * read that hangs.
 */
#pragma once

struct config;
struct err;

/**
 * Serves until a signal ends it.
 *
 * SIGHUP may be blocked by the caller; it no longer is when the server takes signals.
 *
 * config       one reference, taken over
 * config_path  read again at each reload
 * Returns 0 after an orderly end, or -1 with *err set if it could not start.
 */
int server_run(struct config *config, const char *config_path, struct err *err);
