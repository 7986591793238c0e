/* SPDX-License-Identifier: MIT */
/**
 * Fixtures: configuration files that exist in memory only, and what is said of them.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/slice.h"

struct diag;

/** A file to read by its path; nobody else sees it. */
struct fixture {
    int fd;
    char path[32];
};

/** Makes a file of these bytes; closed by fixture_close(). */
struct fixture fixture_open(struct slice bytes);

void fixture_close(struct fixture *fixture);

/** The same to be read from its start; the caller closes it. */
FILE *fixture_stream(struct slice bytes);

/**
 * All findings as they are printed, with `path` shown as `name` wherever it stands; the caller
 * frees.
 */
char *fixture_findings(struct diag *diag, const char *path, const char *name);

/** Whether the texts are equal; prints both if not, with the line that differs first. */
bool fixture_equal(const char *what, const char *want, const char *seen);
