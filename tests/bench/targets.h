/* SPDX-License-Identifier: MIT */
/**
 * The hosts that are fetched from, each with what it is to answer.
 *
 * Read from a file with a line a host: its name, a tab, and the body with \r and \n written so.
 */
#pragma once

#include <stddef.h>

enum {
    LEAF_DIGEST_LEN = 32, /* SHA-256 */
};

struct target {
    char *host;
    char *body;
    size_t body_len;
    unsigned char leaf_digest[LEAF_DIGEST_LEN]; /* of its certificate, if those were read */
};

struct targets {
    struct target *items;
    size_t n_items;
};

/** Ends the program if the file cannot be read or has no host. */
void targets_load(const char *path, struct targets *ret_targets);

/** Reads the leaf of each host below `folder`, <folder>/<host>/fullchain.pem; ends the program if
 * one cannot be read. */
void targets_read_leaves(struct targets *targets, const char *folder);

void targets_done(struct targets *targets);
