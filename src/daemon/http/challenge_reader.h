/* SPDX-License-Identifier: MIT */
/**
 * The challenge reader: reads challenges' files in a thread that may hang in a worker's stead.
 *
 * On a disk that works a read takes microseconds. While one takes longer than the time-out nobody
 * waits for another, so that a disk that hangs holds a worker up once, and for that time only.
 * Safe from any thread.
 */
#pragma once

#include <stddef.h>

#include "lib/acme/challenge.h"

struct challenge_reader;
struct slice;

enum {
    CHALLENGE_READER_TIMEOUT_MS = 250,
};

enum challenge_outcome {
    CHALLENGE_FOUND,
    CHALLENGE_UNKNOWN,
    CHALLENGE_LATE, /* reads take too long; it is not known whether there is one */
};

/** challenge_read(), but for tests. */
typedef size_t challenge_reader_read(const char *directory, struct slice token,
                                     char ret_answer[CHALLENGE_ANSWER_MAX + 1]);

/**
 * Starts no thread yet: it has the signal mask and the sandbox of the thread that first needs it.
 *
 * state  the directory of `state:`
 * Never returns NULL.
 */
struct challenge_reader *challenge_reader_new(const char *state, challenge_reader_read *read,
                                              unsigned timeout_ms);

/**
 * Waits for a read that runs, at most the time-out. Takes NULL.
 *
 * Returns 0, or -1 if it hangs. Then its thread and the reader stay.
 */
int challenge_reader_free(struct challenge_reader *reader);

/**
 * Reads the challenge with this token.
 *
 * token       any bytes
 * ret_answer  NUL-terminated; untouched unless found
 */
enum challenge_outcome challenge_reader_find(struct challenge_reader *reader, struct slice token,
                                             char ret_answer[CHALLENGE_ANSWER_MAX + 1]);
