/* SPDX-License-Identifier: MIT */
/**
 * The book of notices: which conditions are open, since when, and what the receiver was told.
 *
 * A condition is told of once when it begins and once when it ends. One that begins again within
 * the cooldown waits until the cooldown is over, and is not told of if it has ended by then. What
 * the first look at a kind finds is told by the digest alone: neither a new book nor a lost one
 * makes a flood. Of a verdict, which is always one of several, only what it is now is told.
 *
 * The book is changed in two steps: notice_book_take() takes what is open, and
 * notice_book_accept() what the receiver has accepted. What it has not accepted is collected again.
 *
 * Pure but for malloc: no clock, no I/O. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"
#include "lib/state/condition.h"

struct arena;
struct err;
struct notice_book;

struct notice_rules {
    int64_t cooldown_s; /* between two notices that the same condition has begun */
    int64_t digest_s;   /* from one digest to the next; 0: there are none */
};

enum {
    NOTICE_BOOK_MAX = 256 * 1024 * 1024, /* bytes of its file */
    /* From a new book to its first digest: by then all that can be known is known. */
    NOTICE_FIRST_DIGEST_S = 60 * 60,
};

enum notice_event {
    NOTICE_BEGAN,
    NOTICE_ENDED,
    NOTICE_DIGEST, /* one of the digest's: open, or ended since the digest before */
    NOTICE_TEST,
    NOTICE_EVENT_COUNT,
};

struct notice {
    enum notice_event event;
    struct condition condition; /* without texts if it has ended */
    int64_t since_unix_s;       /* 0: a test */
    int64_t until_unix_s;       /* 0: it is open */
    size_t entry;               /* the book's own */
};

struct notice_digest {
    int64_t since_unix_s; /* the digest before */
    size_t n_open, n_began, n_ended;
};

/** A book in which nothing is known. Never returns NULL. */
struct notice_book *notice_book_new(const struct notice_rules *rules, int64_t now_unix_s);

/** Takes NULL. */
void notice_book_free(struct notice_book *book);

/** Prints a book's file. */
void notice_book_print(const struct notice_book *book, FILE *out);

/**
 * Parses a book's file. A time that is still to come, from a clock that was ahead, becomes now.
 *
 * Returns 0, or -1 with *err set: ERR_SYNTAX.
 */
int notice_book_parse(struct slice text, int64_t now_unix_s, struct notice_book **ret_book,
                      struct err *err);

/** Whether a domain is one of the configuration. */
typedef bool notice_has_domain(void *context, struct slice domain);

/**
 * Takes what is open. The conditions of a domain that has left the configuration go silently.
 * Times that are still to come become now.
 *
 * Returns whether the book has changed.
 */
bool notice_book_take(struct notice_book *book, const struct condition_list *list,
                      const struct notice_rules *rules, int64_t now_unix_s,
                      notice_has_domain *has_domain, void *context);

/**
 * Collects what is to be told: what began, then what ended, each in the order of conditions.
 *
 * list         that was taken last; it and the book own what *ret_notices points to
 * arena        owns *ret_notices
 * Returns how many there are.
 */
size_t notice_book_collect(const struct notice_book *book, const struct condition_list *list,
                           const struct notice_rules *rules, int64_t now_unix_s,
                           struct arena *arena, struct notice **ret_notices);

/** Whether it is time for a digest. */
bool notice_book_is_digest_due(const struct notice_book *book, const struct notice_rules *rules,
                               int64_t now_unix_s);

/** Collects the digest: what is open, then what has ended. The rest is as above. */
size_t notice_book_sum_up(const struct notice_book *book, const struct condition_list *list,
                          struct arena *arena, struct notice **ret_notices,
                          struct notice_digest *ret_digest);

/** The receiver has accepted the notices that were collected; nothing was taken since. */
void notice_book_accept(struct notice_book *book, const struct notice *notices, size_t n_notices,
                        int64_t now_unix_s);

/** The receiver has accepted the digest, or there was nothing in it. */
void notice_book_accept_digest(struct notice_book *book, const struct notice_rules *rules,
                               int64_t now_unix_s);
