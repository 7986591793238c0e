/* SPDX-License-Identifier: MIT */
/**
 * The sandbox: the kernel limits what an intruder could do who has taken over the daemon.
 *
 * Landlock allows only to read the files that the configuration names, and to write below the state
 * directory if there is one; seccomp allows only the system calls of serving. The daemon enters the
 * sandbox once, before its first thread, and can never leave it: a reloaded configuration may name
 * files only in the directories that were allowed at the start.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct account;
struct config;
struct sandbox;

/** Called before anything of libuv's is made: seccomp_refuse_io_uring(), if the sandbox is on. */
void sandbox_prepare(const struct config *config);

/**
 * Enters the sandbox, once the state directory is made, and logs which parts are in force and which
 * this kernel lacks.
 *
 * config_path  as allowed_paths_new() takes it
 * Returns NULL if no file is refused: the configuration turns the sandbox off, the kernel lacks
 * Landlock, or the build is instrumented.
 */
struct sandbox *sandbox_enter(const struct config *config, const char *config_path,
                              const struct account *account);

/** Takes NULL. */
void sandbox_free(struct sandbox *sandbox);

/**
 * Whether the sandbox allows all files that `next` names. If not, prints a line that says which
 * directory is refused and what to do. NULL allows everything. Safe to call from any thread.
 */
bool sandbox_allows(const struct sandbox *sandbox, const struct config *next,
                    const char *config_path, FILE *out);

/**
 * Why the sandbox refuses a file, in words that complete "...; ", or NULL if it does not: a link
 * that came after the start may lead out of the directories that were allowed then. Takes NULL.
 * Safe from any thread.
 */
const char *sandbox_find_reason(const struct sandbox *sandbox, const char *path, char *buffer,
                                size_t size);

/** Prints which directories are allowed, after a file could not be read. NULL prints nothing. */
void sandbox_explain(const struct sandbox *sandbox, FILE *out);

/**
 * Logs each allowed directory that another directory has replaced: Landlock allows the old one and
 * refuses the new one, whatever its name. Logs each replacement once. One caller at a time. Takes
 * NULL.
 */
void sandbox_watch(struct sandbox *sandbox);
