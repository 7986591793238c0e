/* SPDX-License-Identifier: MIT */
/**
 * A child's output: what a child prints, as lines of our log.
 *
 * The lines are escaped, cut, and limited in number, as they may be a stranger's: a DNS server's
 * answer, say. The child never waits longer than the loop does: what is not logged is read all the
 * same. On the thread of the loop.
 */
#pragma once

#include <stdbool.h>

struct child_output;
struct err;
struct uv_loop_s;

enum {
    CHILD_OUTPUT_LINES_MAX = 20,  /* logged of one child */
    CHILD_OUTPUT_LINE_MAX = 1000, /* bytes of one that are logged */
};

/**
 * Makes a pipe and logs the lines that come out of it, at level info: "PREFIX: line". Empty lines
 * are left out.
 *
 * prefix  at most 128 bytes; is copied
 * Returns NULL with *err set: ERR_IO (no pipe can be made).
 */
struct child_output *child_output_new(struct uv_loop_s *loop, const char *prefix, struct err *err);

/**
 * Called with each line, escaped and cut, before it is logged. Returns whether it is to be logged.
 */
typedef bool child_output_line(void *context, const char *line);

/** Has the lines that come from now on looked at. */
void child_output_watch(struct child_output *output, child_output_line *on_line, void *context);

/** The child's end, for its standard output and error; it stays ours and is open until _finish().
 */
int child_output_fd(const struct child_output *output);

/**
 * Called once, when the child has ended: logs what is left in the pipe, and how many lines were not
 * logged, and closes both ends. What a child of the child prints later is lost.
 */
void child_output_finish(struct child_output *output);

/** The last line, escaped and cut; "" if there was none. Valid until _free(). */
const char *child_output_last_line(const struct child_output *output);

/** Takes NULL. Without _finish() the rest is not read. The loop must run once more. */
void child_output_free(struct child_output *output);
