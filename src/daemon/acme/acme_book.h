/* SPDX-License-Identifier: MIT */
/**
 * The book of orders: what the plan knows and no certificate tells, as lines of text, so that a
 * restart neither orders faster than the rate nor forgets who has to wait.
 *
 *     # mta-stsd orders 1
 *     order UNIX_S                                      of the last hour
 *     hold UNIX_S                                       the authority takes none until then
 *     host NAME OBSTACLE FAILURES NEXT_UNIX_S REASON    one that has failed
 *
 * Only hosts that have failed have a line. Pure. One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct acme_plan;
struct slice;

enum {
    ACME_BOOK_MAX = 256 * 1024 * 1024, /* bytes of one that is read */
};

/** Prints what the plan knows at this time. */
void acme_book_print(const struct acme_plan *plan, int64_t now_unix_s, FILE *out);

/**
 * Tells the plan, whose hosts are set, what a book says. A host that is not the plan's any more is
 * left out.
 *
 * Returns how many lines are none of a book's; they are left out.
 */
size_t acme_book_parse(struct slice text, struct acme_plan *plan, int64_t now_unix_s);
