/* SPDX-License-Identifier: MIT */
/**
 * Certificate patterns: a pair of paths with a '*', and the files that it matches for a host.
 *
 * certbot makes live/<host>-0001 beside live/<host>, and renews only the later one. A directory
 * that is the same for all hosts is listed once and then kept until it changes, so that 100,000
 * hosts don't list 100,000 names each. Internal to tls/. Any thread; the lock of a kept listing is
 * held while the directory is read.
 */
#pragma once

#include <stddef.h>

struct cert_pattern;
struct err;

enum {
    PATTERN_PAIRS_MAX = 64,       /* that one host may match */
    PATTERN_NAMES_MAX = 250000,   /* in a directory that is kept */
    PATTERN_OWN_NAMES_MAX = 4096, /* in a directory of one host */
};

struct pattern_pair {
    char *chain, *key;
};

/** chain, key  with one '*' each; copied. Never returns NULL. */
struct cert_pattern *cert_pattern_new(const char *chain, const char *key);

/** Takes NULL. */
void cert_pattern_free(struct cert_pattern *pattern);

/** The next listing looks at the directory, however short a time ago the last one did. */
void cert_pattern_expire(struct cert_pattern *pattern);

/**
 * Lists the pairs whose chain's path matches, in the order of their names. Names with a dot in
 * front are matched by no '*' at the beginning of a name, as in a shell.
 *
 * host       NULL: the paths have no variables
 * ret_pairs  for pattern_pairs_free()
 * Returns how many, or -1 with *err set (no place): ERR_IO (sys_errno; ENOENT where the directory
 * is absent), ERR_LIMIT.
 */
int cert_pattern_list(struct cert_pattern *pattern, const char *host,
                      struct pattern_pair **ret_pairs, struct err *err);

/** Frees what cert_pattern_list() made. */
void pattern_pairs_free(struct pattern_pair *pairs, int n_pairs);
