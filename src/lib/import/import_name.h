/* SPDX-License-Identifier: MIT */
/**
 * Names in paths: for which domain a file with a hand-made policy is.
 *
 * Pure: no I/O, no globals. Safe to call from any thread.
 */
#pragma once

#include <stdbool.h>

#include "lib/dns/name.h"

/** How a file in a folder looks by its name alone. */
enum import_look {
    IMPORT_LOOKS_OTHER,
    IMPORT_LOOKS_LIKELY, /* "example.com.txt": a policy, or a text about anything */
    IMPORT_LOOKS_CERTAIN /* "mta-sts.txt", the name that senders ask for (RFC 8461 3.3) */
};

/** `base` is the last component of a path. */
enum import_look import_name_look(const char *base);

/**
 * Finds the domain in a path. The file's own name decides, with or without ".txt" and "mta-sts.";
 * else the nearest folder "mta-sts.<domain>"; else the nearest folder named like a domain.
 *
 * ret_name  in stored form, of two labels or more; untouched if there is none
 * Returns whether there is one.
 */
bool import_name_find(const char *path, char ret_name[DNS_NAME_MAX + 1]);
