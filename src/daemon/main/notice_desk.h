/* SPDX-License-Identifier: MIT */
/**
 * The desk of notices: the book, and the document that the program of `notify:` is to get next,
 * in the state directory.
 *
 * It keeps two files there, each replaced as a whole: NOTICES_FILE, the book; and NOTICE_DOCUMENT.
 * A book that is lost or damaged begins anew, after a line in the log. All wait for the disk: for
 * the thread pool, one function at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct clock;
struct condition_list;
struct config;
struct err;
struct notice_desk;

#define NOTICES_FILE "notices"
#define NOTICE_DOCUMENT "notice.json"

/**
 * Adds the conditions that the daemon itself knows of; they need not be sorted.
 *
 * list   has room for two of each domain more
 * arena  for their texts
 */
typedef void notice_gather(void *context, const struct config *config, struct arena *arena,
                           struct condition_list *list);

struct notice_look {
    const struct config *config;
    notice_gather *gather;
    void *context;
    const char *refusal; /* of the last reload, on one line; NULL: it was good, or there was none */
};

/** What a look has brought. */
struct notice_task {
    size_t n_notices; /* in the document that is to be delivered; 0: there is none */
    bool is_digest;
    int64_t recheck_unix_s; /* when a check would tell more; 0: at its own time */
};

/** Never returns NULL. */
struct notice_desk *notice_desk_new(const char *directory, const struct clock *clock);

/** Takes NULL. */
void notice_desk_free(struct notice_desk *desk);

/**
 * Looks what is open, and writes the document if there is something to tell.
 *
 * Returns 0, or -1 with *err set: ERR_IO, ERR_LIMIT, ERR_SYNTAX (the list of conditions).
 */
int notice_desk_look(struct notice_desk *desk, const struct notice_look *look,
                     struct notice_task *ret_task, struct err *err);

/** Writes the document of a test. Returns 0, or -1 with *err set: ERR_IO. */
int notice_desk_write_test(struct notice_desk *desk, struct err *err);

/** Returns a descriptor of the document, or -1 with *err set: ERR_IO. On any thread. */
int notice_desk_open(const struct notice_desk *desk, struct err *err);

/** The document of the last look was delivered. Returns 0, or -1 with *err set: ERR_IO. */
int notice_desk_accept(struct notice_desk *desk, const struct config *config, struct err *err);
