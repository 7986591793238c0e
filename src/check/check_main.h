/* SPDX-License-Identifier: MIT */
/**
 * mta-stsd-check: the program that `mta-stsd --check` becomes.
 */
#pragma once

/** Runs the mode that the arguments name. Returns the exit status of the process. */
int check_main(int argc, char **argv);
