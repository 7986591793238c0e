/* SPDX-License-Identifier: MIT */
/**
 * Host fetches: the policy from one address of a policy host, and how the server behaves there.
 *
 * One thread, that of the loop.
 */
#pragma once

struct arena;
struct host_address;
struct host_visits;
struct http_fetcher;

/** What to do. */
struct host_fetch_order {
    struct http_fetcher *http;
    struct host_visits *visits;
    struct arena *arena; /* owns what is seen */
    const char *host;    /* the policy host */
    struct host_address *address;
};

typedef void host_fetched(void *context);

/**
 * Begins; what is seen is written to the address. The callback comes once, never from inside this
 * call.
 *
 * order  copied; what it points to outlives the fetch
 */
void host_fetch_start(const struct host_fetch_order *order, host_fetched *callback, void *context);
