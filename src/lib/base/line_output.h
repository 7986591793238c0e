/* SPDX-License-Identifier: MIT */
/**
 * Outputs: lines for a reader that may have stopped reading.
 *
 * Standard output and standard error of a daemon are pipes, sockets or files of others. A full pipe
 * would stop whoever writes; the descriptor cannot be made non-blocking, since that would change it
 * for everybody who shares it, such as the terminal's shell.
 */
#pragma once

#include "lib/base/slice.h"

/**
 * Writes a line as a whole, or drops it rather than wait. Safe from any thread.
 *
 * line  with its end, at most PIPE_BUF bytes: so much a pipe that is not full takes at once
 * Returns 0, or -1: dropped, because the reader does not read or the disk is full.
 */
int output_line(int fd, struct slice line);
