/* SPDX-License-Identifier: MIT */
/**
 * Challenges: what a certificate authority asks for by HTTP before it issues, a file each.
 *
 * A file is named by the challenge's token and holds the key authorization. The hook writes and
 * removes it; the daemon answers with it.
 * Source: RFC 8555 8.1 (token, key authorization), 8.3 (http-01).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct err;
struct slice;

/** Below the directory of `state:`. */
#define CHALLENGE_DIRECTORY "challenges"

/** The environment variable by which the daemon tells the hook the path of that directory. */
#define CHALLENGE_DIRECTORY_VARIABLE "MTA_STSD_CHALLENGES"

/** The path of a challenge's URL, before the token. */
#define CHALLENGE_URL_PATH "/.well-known/acme-challenge/"

enum {
    CHALLENGE_TOKEN_MAX = 128,   /* characters; authorities' have 43 */
    CHALLENGE_ANSWER_MAX = 1024, /* bytes; the answers have 87 */
};

/** Whether these can be a token: 1 to CHALLENGE_TOKEN_MAX characters of the base64url alphabet. */
bool challenge_token_is_valid(struct slice token);

/** Whether this can be a key authorization of the token: the token, a dot, base64url. */
bool challenge_answer_is_valid(struct slice answer, struct slice token);

/**
 * Writes a challenge beside its name and renames it, so that nobody reads half of it.
 *
 * token, answer  valid
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int challenge_write(const char *directory, const char *token, const char *answer, struct err *err);

/** Removes a challenge; that there is none is no error. Returns 0, or -1 with *err set: ERR_IO. */
int challenge_remove(const char *directory, const char *token, struct err *err);

/** Removes all files of the directory, such as a crash leaves. Returns 0, or -1 with *err set:
 * ERR_IO. */
int challenge_remove_all(const char *directory, struct err *err);

/**
 * Reads a challenge, if it is a regular file of the directory and no link to one.
 *
 * token       any bytes
 * ret_answer  NUL-terminated
 * Returns its length, or 0: there is none with this token, or it cannot be read.
 */
size_t challenge_read(const char *directory, struct slice token,
                      char ret_answer[CHALLENGE_ANSWER_MAX + 1]);
