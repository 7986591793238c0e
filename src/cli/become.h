/* SPDX-License-Identifier: MIT */
/**
 * Becoming another program: the modes of programs that lie beside this one.
 *
 * What talks to strangers' servers is no part of the daemon: `mta-stsd --check` becomes
 * mta-stsd-check, in the directory in which mta-stsd itself lies, wherever that is.
 */
#pragma once

/**
 * Replaces this process if the command line names a mode of another program, which gets the whole
 * command line.
 *
 * ret_status  the exit status, after an error on standard error
 * Returns 0 if the command line names none, or -1 with *ret_status set.
 */
int become_program(int argc, char **argv, int *ret_status);
