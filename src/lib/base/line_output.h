/* SPDX-License-Identifier: MIT */
/**
 * Line output: lines for a reader that may have stopped reading.
 *
 * Standard output and standard error of a daemon are pipes, sockets or files that other processes
 * share. A full pipe would block the writer, and setting the descriptor to non-blocking would
 * change it for all of these processes, such as the terminal's shell.
 */
#pragma once

#include "lib/base/slice.h"

/**
 * Writes a line as a whole, or drops it rather than wait. Safe from any thread.
 *
 * line  with its newline, at most PIPE_BUF bytes, which a pipe takes as a whole or not at all
 * Returns 0, or -1: dropped, because the reader does not read or the disk is full.
 */
int line_output_write(int fd, struct slice line);
