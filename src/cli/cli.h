/* SPDX-License-Identifier: MIT */
/**
 * The command line: one command, a table of modes.
 */
#pragma once

/** Runs the mode that the arguments name. Returns the exit status of the process. */
int cli_main(int argc, char **argv);
