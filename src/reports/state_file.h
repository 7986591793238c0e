/* SPDX-License-Identifier: MIT */
/**
 * Files of this program in the state directory, which belong to the daemon's user whoever makes
 * them.
 */
#pragma once

struct err;

/**
 * Opens a file to read and write it, and makes it if it is missing: for its owner alone, who is the
 * directory's if root makes it. A symbolic link is refused.
 *
 * Returns a descriptor, or -1 with *err set: ERR_IO.
 */
int state_file_open(const char *directory, const char *name, struct err *err);
