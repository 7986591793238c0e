/* SPDX-License-Identifier: MIT */
/**
 * Loading: from YAML files to a checked snapshot, or to everything that is wrong with them.
 */
#pragma once

struct config;
struct diag;

/** How much care a load takes; a set. None: a command's, which a person can ask again. */
enum load_care {
    LOAD_SETTLED = 1 << 0, /* waits for files that were just written, at most 500 ms in all */
    LOAD_REGULAR = 1 << 1, /* the main file may be no pipe, so that nothing can hold up the load */
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

/** The same with more care: a set of LOAD_*. */
struct config *config_load_with(const char *path, unsigned care, struct diag *diag);

/**
 * Reads where the control socket is, whatever else is wrong with the files: who asks the running
 * daemon to reload may have just broken them.
 *
 * Returns the path; the caller frees.
 */
char *config_load_control(const char *path);
