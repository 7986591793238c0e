/* SPDX-License-Identifier: MIT */
/**
 * Loading: from YAML files to a checked snapshot, or to everything that is wrong with them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct config;
struct diag;

/** What is loaded where nobody names a file. */
#define CONFIG_DEFAULT_PATH "/etc/mta-stsd/mta-stsd.yaml"
#define CONFIG_DEFAULT_USER "mta-stsd"

/** How careful a load is; a set. Empty for a command, which a person can repeat. */
enum load_care {
    LOAD_SETTLED = 1 << 0, /* waits for files that were just written, at most 500 ms in all */
    LOAD_REGULAR = 1 << 1, /* refuses a pipe as the main file: to read it might never end */
};

enum {
    CONFIG_FILE_MAX = 64 * 1024 * 1024, /* bytes of one file */
    CONFIG_FILES_MAX = 10000,           /* files of one configuration */
};

/**
 * Reads `path` and what it includes, checks all of it in one run and builds the snapshot. It is an
 * error if one of the files changes meanwhile.
 * Certificates are not looked at.
 *
 * path  "-" is standard input
 * diag  gets every finding; the snapshot does not need it
 * Returns one reference, or NULL if an error was found (also when `diag` held one before).
 */
struct config *config_load(const char *path, struct diag *diag);

/** The same; tells how many domains were found, also where errors refuse the configuration. */
struct config *config_load_counted(const char *path, struct diag *diag, size_t *ret_n_domains);

/** The same with more care: a set of LOAD_*. */
struct config *config_load_with(const char *path, unsigned care, struct diag *diag);

/**
 * Reads the path of the control socket, whatever else is wrong with the files: a reload is often
 * asked for when they have just been broken. A main file that is neither regular nor standard input
 * is not read: a pipe might never end.
 *
 * ret_is_guess  the path is the default one, and what cannot be read may give another
 * Returns the path, the default one if no file gives another; the caller frees.
 */
char *config_load_control(const char *path, bool *ret_is_guess);
