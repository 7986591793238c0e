/* SPDX-License-Identifier: MIT */
/**
 * The command line: one command, a table of modes.
 */
#pragma once

enum exit_status {
    STATUS_GOOD = 0,
    STATUS_FINDINGS = 1, /* a check says no; with --strict, warnings and withheld records too */
    STATUS_USAGE = 2,    /* the command line or the configuration is wrong */
    STATUS_FAILED = 3,   /* could not run */
};

/** Runs the mode that the arguments name. Returns the exit status of the process. */
int cli_main(int argc, char **argv);
