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

/** How often a text is in a file. */
unsigned folder_count(const char *name, const char *text);

/** Fails the test, and shows the file, if a text is not in it. */
void folder_expect(const char *name, const char *text);

/** How many bytes a file has; 0 if there is none. */
size_t folder_size(const char *name);

/** Lets a file have all that is written to a descriptor. Returns it as it was. */
int folder_capture(const char *name, int fd);

/** Ends that, and writes to the descriptor what the file has: a test that fails has said so there.
 */
void folder_release(const char *name, int fd, int saved_fd);
