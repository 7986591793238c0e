/* SPDX-License-Identifier: MIT */
/**
 * The control socket: how --reload, --health, --notify-test and --certificates ask the running
 * daemon.
 *
 * One line is asked ("reload", "reload force", "notify test",
 * "health", "orders", "served"); the answer is a line
 * with its outcome, then text for a person, then the end. The socket's file has mode 0600.
 */
#pragma once

#include <stddef.h>

struct err;

enum {
    CONTROL_QUESTION_MAX = 64, /* bytes, with the line's end */
};

/** The first line of an answer. */
#define CONTROL_OK "good"         /* done */
#define CONTROL_REFUSED "refused" /* right, but not now or not like this */
#define CONTROL_INVALID "broken"  /* the configuration has errors */

/**
 * Asks a running daemon and waits for the whole answer.
 *
 * question    one line, without its end
 * timeout_s   for each byte to come
 * ret_answer  NUL-terminated; the caller frees
 * Returns 0, or -1 with *err set: ERR_IO (no daemon answers there).
 */
int control_ask(const char *path, const char *question, unsigned timeout_s, char **ret_answer,
                struct err *err);
