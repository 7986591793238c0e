/* SPDX-License-Identifier: MIT */
/**
 * The sandbox: what the kernel keeps a daemon from that somebody else has taken over.
 *
 * Landlock leaves it the files that the configuration names, seccomp the system calls of serving.
 * Entered once, before the first thread; there is no way out, so what a reload may name is settled
 * then.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct account;
struct config;
struct sandbox;

/**
 * Enters, and logs what is in force and what this kernel lacks.
 * Returns NULL where any file may be read: Landlock is off or not to be had.
 */
struct sandbox *sandbox_enter(const struct config *config, const char *config_path,
                              const struct account *account);

/** Takes NULL. */
void sandbox_free(struct sandbox *sandbox);

/**
 * Whether files that `next` names may be read. If not, prints a sentence that says so.
 * Any thread; also with NULL.
 */
bool sandbox_allows(const struct sandbox *sandbox, const struct config *next,
                    const char *config_path, FILE *out);

/** Prints what may be read, for a file that could not be; nothing with NULL. */
void sandbox_explain(const struct sandbox *sandbox, FILE *out);

/**
 * Logs each directory that may be read and in whose place there is another one now, which may not.
 * One caller at a time; also with NULL.
 */
void sandbox_watch(struct sandbox *sandbox);
