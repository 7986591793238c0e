/* SPDX-License-Identifier: MIT */
/**
 * Policy hosts of a run: each address of each is visited once, however many domains lead there.
 *
 * Domains lead to a policy host by a CNAME. Where each has the address in its own zone, and is a
 * policy host of its own, HOSTS_AT_ADDRESS of them are visited; of the others it is known what is
 * the server's behaviour whatever the host.
 * One thread, that of the loop.
 */
#pragma once

#include <stddef.h>

#include "check/host_visit.h"
#include "check/shared_visits.h"

struct host_visits;

enum {
    HOST_VISITS_KEPT = 4096, /* seen and not waited for; about 3 KiB each */
    HOSTS_AT_ADDRESS = 16,
};

/**
 * tools      copied
 * n_at_once  visits at a time, at least 1
 * Never returns NULL.
 */
struct host_visits *host_visits_new(const struct host_visit_tools *tools, size_t n_at_once);

/** Ends all visits without callbacks; takes NULL. The loop has to go on until handles are closed.
 */
void host_visits_free(struct host_visits *visits);

/**
 * Asks how a policy host behaves at one of its addresses.
 *
 * goal      copied
 * callback  comes once, never from inside this call, with a struct host_behaviour
 */
void host_visits_ask(struct host_visits *visits, const struct host_visit_goal *goal,
                     visit_seen *callback, void *context);
