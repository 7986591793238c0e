/* SPDX-License-Identifier: MIT */
/**
 * The start check: what the daemon would refuse on this machine, if root started it, though the
 * configuration is right.
 */
#pragma once

struct config;
struct diag;

/** Adds a warning if the program of on_change cannot be run by the user that the daemon runs as. */
void start_check_program(const struct config *config, struct diag *diag);

/**
 * Adds findings: the user does not exist, or cannot read a file of the configuration, so that each
 * reload would be refused. Finds nothing if the process is not root's.
 */
void start_check(const struct config *config, const char *config_path, struct diag *diag);
