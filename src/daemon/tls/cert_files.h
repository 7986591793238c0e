/* SPDX-License-Identifier: MIT */
/**
 * Certificate files: one place of the configuration where certificates may lie, and what a probe
 * of the files there finds.
 *
 * Paths with {host} or {domain} hold one certificate for each host. Paths without are shared: one
 * certificate for all names in its SAN, read on first use. Of the files that a path with '*'
 * matches, the newest is taken whose certificate is worth most.
 * Internal to tls/. Any thread; a short lock, never held over I/O.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/tls/file_version.h"
#include "lib/base/err.h"

struct cert_pattern;
struct cert_source;
struct certificate;
struct chain_cache;
struct clock;
struct handshake_trial;
struct trust_store;

enum {
    PATH_SHOWN_MAX = 192, /* of a path in a message, so that the reason still fits behind it */
};

enum probe_result {
    PROBE_ABSENT,        /* neither file is there */
    PROBE_FAULT,         /* a file cannot be read or used */
    PROBE_UNUSABLE,      /* no sender could complete a handshake */
    PROBE_NAME_MISMATCH, /* the certificate does not cover the host */
    PROBE_WORSE,         /* senders would refuse it, but not the one that is in use */
    PROBE_GOOD,
};

/** What tells one probe from the next. */
struct probe_mark {
    bool is_set; /* false: there was no probe */
    enum probe_result result;
    int sys_errno; /* of PROBE_FAULT; 0: none */
    struct file_versions versions;
    uint32_t matches; /* of a path with '*': which files match, and their versions */
};

/** Whether two probes found the same; one that was not made equals none. */
bool probe_mark_eq(const struct probe_mark *a, const struct probe_mark *b);

struct probe {
    struct probe_mark mark;
    struct certificate *certificate; /* one reference with PROBE_GOOD, else NULL */
    char path[PATH_SHOWN_MAX];       /* the chain's */
    struct err err;                  /* unless PROBE_GOOD */
};

/**
 * Why a file may not be read beside its permissions, in words that complete "...; ", or NULL.
 * Called from any thread.
 */
typedef const char *cert_files_explain(void *context, const char *path, char *buffer, size_t size);

/** What a probe needs; all of it outlives the files. */
struct probe_context {
    struct chain_cache *chains;
    const struct handshake_trial *trial;
    const struct clock *clock;
    const struct trust_store *trust; /* may be NULL */
    cert_files_explain *explain;     /* may be NULL */
    void *explain_context;
};

struct cert_files {
    char *chain;
    char *key;
    bool is_shared;               /* no {host} and no {domain} */
    struct cert_pattern *pattern; /* NULL: no '*' */
    const struct probe_context *context;
    pthread_mutex_t lock;   /* of the rest, which only shared files have */
    struct probe in_use;    /* what hosts are answered; its mark is not set before the first read */
    struct probe_mark seen; /* by the background pass at last, good or not */
};

/** source  copied; context  outlives the files */
void cert_files_init(struct cert_files *files, const struct cert_source *source,
                     const struct probe_context *context);

/** Nobody may be using the files any more. */
void cert_files_done(struct cert_files *files);

/**
 * Whether a probe for the host may find something other than the last one did. Where a file could
 * not be read that is always so: a permission or a free descriptor leaves no trace in a version.
 */
bool cert_files_changed(struct cert_files *files, const char *host, const struct probe_mark *last);

/** file_versions_mark() of the host's files; of shared files, of those that hosts are answered. */
uint32_t cert_files_mark(struct cert_files *files, const char *host, uint32_t mark);

/** Reads the host's files and judges what they hold. Of shared files, those that hosts are answered
 * are judged for this host. */
void cert_files_probe(struct cert_files *files, const char *host, struct probe *ret_probe);

/**
 * Turns PROBE_GOOD into PROBE_WORSE if what is in use is better: senders accept it, or would if
 * they trusted its root, or it has only some of the faults.
 *
 * in_use  NULL: nothing is
 */
void probe_compare(struct probe *probe, const struct certificate *in_use,
                   const struct probe_context *context);

/**
 * The background pass over shared files: a good pair replaces what hosts are answered, a bad or a
 * worse one leaves a good one in use.
 *
 * ret_probe    what was found; its certificate belongs to the files
 * ret_is_kept  whether another certificate stays in use
 * Returns whether there is news: the last pass found something else.
 */
bool cert_files_refresh(struct cert_files *files, struct probe *ret_probe, bool *ret_is_kept);

/** cert_store_check_access() for one place. */
int cert_files_check_access(const struct cert_files *files, struct err *err);
