/* SPDX-License-Identifier: MIT */
/**
 * A directory of the test's own, one at a time, with small files in it.
 *
 * What cannot be made, written or removed fails the running cmocka test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** The path of the directory; its address is the same for each one. */
extern char folder_root[64];

/** Makes an empty directory. */
void folder_open(void);

/** Removes the directory with all that is in it. */
void folder_close(void);

/** The path of something in the directory, valid until the next call. */
const char *folder_path(const char *name);

/** Replaces a file as a whole, so that a child that reads it meanwhile sees no half of it. */
void folder_write(const char *name, const char *text);

bool folder_has(const char *name);

/** What is in a file, for free(); "" if there is none. */
char *folder_read(const char *name);

/** How many bytes a file has; 0 if there is none. */
size_t folder_size(const char *name);
