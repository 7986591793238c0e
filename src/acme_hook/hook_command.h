/* SPDX-License-Identifier: MIT */
/**
 * The hook: what uacme runs when a challenge begins and ends.
 *
 * Source: uacme(1), --hook.
 */
#pragma once

/**
 * Runs the hook with the arguments METHOD TYPE IDENT TOKEN AUTH.
 *
 * Returns the exit status: 0, or 1: the challenge is declined, and standard error says why unless
 * that is because of its type, of which uacme offers each.
 */
int hook_command_run(int argc, const char *const *argv);
