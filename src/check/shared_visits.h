/* SPDX-License-Identifier: MIT */
/**
 * Shared visits: each server of a run is visited once, however many domains have it.
 *
 * A bounded number is visited at a time, in the order in which they were asked for. What was seen
 * is kept for those who ask later, up to a number.
 * One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

struct shared_visit;
struct shared_visits;

/** What is done in a visit. */
struct visit_kind {
    /**
     * Begins a visit, which calls shared_visit_end() once, never from inside this call. Never
     * returns NULL.
     *
     * tools    of shared_visits_new()
     * key      of shared_visits_ask(); valid as long as the visit
     * subject  of shared_visits_ask(); valid in this call only
     */
    void *(*start)(void *tools, const char *key, const void *subject, struct shared_visit *entry);
    /** Ends the visit, if it has not ended, and frees what was seen. Takes NULL. */
    void (*free)(void *visit);
};

/** What was seen is valid in the callback only. */
typedef void visit_seen(void *context, const void *seen);

/**
 * tools      outlive the visits
 * n_at_once  visits at a time, at least 1
 * n_kept     that are kept when they have been seen and are not waited for
 * Never returns NULL.
 */
struct shared_visits *shared_visits_new(uv_loop_t *loop, const struct visit_kind *kind, void *tools,
                                        size_t n_at_once, size_t n_kept);

/** Ends all visits without callbacks; takes NULL. The loop has to go on until handles are closed.
 */
void shared_visits_free(struct shared_visits *visits);

/**
 * Asks for a visit, or for what was seen in it.
 *
 * key           what makes visits the same; copied
 * subject       what start() needs, subject_len bytes, copied; NULL: the key says all
 * callback      comes once, never from inside this call
 */
void shared_visits_ask(struct shared_visits *visits, const char *key, const void *subject,
                       size_t subject_len, visit_seen *callback, void *context);

/** Whether there is a visit with this key, seen or to be seen. */
bool shared_visits_have(const struct shared_visits *visits, const char *key);

/** Called by a visit when it has ended. What was seen belongs to the visit. */
void shared_visit_end(struct shared_visit *entry, const void *seen);
