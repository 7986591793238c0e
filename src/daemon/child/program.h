/* SPDX-License-Identifier: MIT */
/**
 * Programs that the spawner starts: a fixed table, so that whoever takes over the daemon can start
 * nothing else.
 *
 * The commands of the configuration are handed over once, when the spawner is started, as
 * arguments of its process: NAME, the number of texts, the texts, and so on.
 */
#pragma once

#include <stddef.h>

struct arena;

/** The first arguments by which mta-stsd becomes another program. */
#define PROGRAM_SPAWNER "--spawner"
#define PROGRAM_TRIAL_LOAD "--trial-load"

enum program {
    TRIAL_LOAD,   /* mta-stsd itself: loads the configuration that is its argument, and ends */
    ON_CHANGE,    /* on_change.run: publishes records which have changed */
    NOTIFY,       /* notify.run: is told what begins and ends */
    CHECK,        /* mta-stsd-check: looks at all domains as senders do */
    REPORTS,      /* mta-stsd-reports: reads the reports in the spool */
    SITE,         /* mta-stsd-reports: writes the status site */
    CONDITIONS,   /* mta-stsd-reports: lists what notify.run may have to be told */
    ACME_READY,   /* mta-stsd-check: whether a certificate can be ordered for the hosts named */
    ACME_ACCOUNT, /* uacme: makes an account at the certificate authority */
    ACME_ORDER,   /* uacme: orders a certificate for the host named */
    PROGRAM_COUNT,
};

struct program_command {
    const char *const *texts; /* the absolute path of the program, then its arguments */
    size_t n_texts;           /* 0: the program is not configured */
};

/** What the configuration says of the programs; that of TRIAL_LOAD is never configured. */
struct program_commands {
    struct program_command of[PROGRAM_COUNT];
};

/**
 * The path of a program in the directory of this one, whatever PATH says; for free(). Of a process
 * whose own path is unknown, it is the name alone, which no exec finds.
 */
char *program_find_beside(const char *name);

/**
 * Makes the arguments of the spawner's process: `first`, those that hand over the commands, NULL.
 *
 * Returns an array of the arena's; its texts are the caller's, the arena's or literals.
 */
const char *const *program_argv_make(struct arena *arena, const char *const *first, size_t n_first,
                                     const struct program_commands *commands);

/**
 * Reads what program_argv_make() has put behind `first`. The commands point into `argv`.
 *
 * Returns 0, or -1: these are not such arguments; *ret_commands is untouched.
 */
int program_commands_parse(const char *const *argv, size_t n_argv,
                           struct program_commands *ret_commands);
