/* SPDX-License-Identifier: MIT */
/**
 * A source of certificates: one place where they may lie, and what a look there finds.
 *
 * A source whose paths hold {host} is one certificate per host; one without is shared: one
 * certificate for all names in its SAN, read on first use.
 * Internal to tls/. Any thread; a short lock, never held over I/O.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/file_version.h"
#include "lib/base/err.h"

struct cert_source;
struct chain_cache;
struct handshake_trial;

enum {
    PATH_SHOWN_MAX = 192, /* of a path in a message, so that the reason still fits behind it */
};

/** What a pair of files was when it was last read. */
struct stamp {
    bool is_set;
    struct file_versions files;
    int read_errno; /* why it could not be read: tried again each time, as the cure (a permission,
                       a free descriptor) leaves no trace in the ids */
};

/** A stamp that was never taken equals none. */
bool stamp_eq(const struct stamp *a, const struct stamp *b);

enum look_result {
    LOOK_SAME,       /* the files are as they were at the last look; nothing was read */
    LOOK_ABSENT,     /* neither file is there */
    LOOK_FAULT,      /* a file cannot be read or used */
    LOOK_UNUSABLE,   /* no sender could complete a handshake */
    LOOK_OTHER_NAME, /* the certificate does not cover the host */
    LOOK_GOOD,
};

/** What one look at a pair of files found. */
struct look {
    enum look_result result;
    struct stamp stamp;
    struct certificate *certificate; /* one reference with LOOK_GOOD, else NULL */
    char path[PATH_SHOWN_MAX];       /* the chain's */
    struct err err;                  /* unless LOOK_SAME or LOOK_GOOD */
};

struct source {
    char *chain;
    char *key;
    bool is_shared;                      /* no {host} */
    struct chain_cache *chains;          /* not its own */
    const struct handshake_trial *trial; /* not its own */
    pthread_mutex_t lock;                /* of the rest, which only a shared source has */
    bool is_read;                        /* whether the rest holds */
    struct stamp seen; /* of the files when they were last looked at, good or not */
    struct look look;  /* what hosts are answered */
};

/** chains, trial  outlive the source */
void source_init(struct source *source, const struct cert_source *texts, struct chain_cache *chains,
                 const struct handshake_trial *trial);

void source_done(struct source *source);

/** What the source has for a host. last  what it was when this host last asked */
void source_look(struct source *source, const char *host, const struct stamp *last,
                 struct look *ret_look);

/**
 * The background pass over the files of a shared source: a good pair replaces what hosts are
 * answered, a bad one leaves a good one in use.
 *
 * ret_look  what was found
 * ret_kept  what stays in use despite it, or NULL; only to be compared with NULL
 * Returns whether it is news: something has changed since the last look.
 */
bool source_refresh(struct source *source, struct look *ret_look,
                    const struct certificate **ret_kept);

/** cert_store_probe() of one source. */
int source_probe(const struct source *source, struct err *err);
