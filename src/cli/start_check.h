/* SPDX-License-Identifier: MIT */
/**
 * The start check: what the daemon would refuse on this machine, if root started it, though the
 * configuration is right.
 */
#pragma once

struct config;
struct diag;

/** Adds a warning for each program of on_change and notify that the daemon's user cannot run. */
void start_check_programs(const struct config *config, struct diag *diag);

/**
 * Adds findings: the user does not exist, or cannot read a file of the configuration, so that each
 * reload would be refused. Finds nothing if the process is not root's.
 */
void start_check(const struct config *config, const char *config_path, struct diag *diag);
