/* SPDX-License-Identifier: MIT */
/**
 * Hosts that certificates are ordered for: the plan of orders behind a lock, with a line in the log
 * for what befalls each host.
 *
 * On the loop's thread, but for those functions that say otherwise.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/acme/acme_plan.h"
#include "lib/dns/record.h"

struct acme_commands;
struct acme_hosts;
struct cert_install_dates;
struct cert_state;
struct clock;
struct config;
struct slice;

/** Numbers for /metrics; any thread may read them. */
struct acme_stats {
    _Atomic uint64_t n_hosts[ACME_STATE_COUNT];
    _Atomic uint64_t n_ordered, n_failed;
    _Atomic int64_t
        earliest_expiry_unix_s;        /* of the certificates that are ours; 0: there are none */
    _Atomic int64_t held_until_unix_s; /* 0: orders are made */
};

/** What is known of a host, for a person. */
struct acme_host_info {
    enum acme_state state;
    int64_t not_after_unix_s;     /* 0: there is no certificate */
    int64_t next_unix_s;          /* when it is tried next; 0: as soon as there is room */
    char reason[ACME_REASON_MAX]; /* why the last try brought none; "" */
};

/** Whether a certificate's dates can be held against the clock. */
enum acme_arrival {
    ACME_JUST_ISSUED,
    ACME_OF_EARLIER_ORDER,
};

struct acme_hosts_options {
    const struct acme_commands *commands;
    const struct clock *clock;
    struct acme_stats *stats;
    uint64_t seed;
};

/** The hosts of a configuration with `acme:`. Never returns NULL. */
struct acme_hosts *acme_hosts_new(const struct acme_hosts_options *options, struct config *config);

/** Takes NULL. */
void acme_hosts_free(struct acme_hosts *hosts);

/**
 * Another configuration serves. A host that waits is tried at once if the configuration changes its
 * domain, or where policy hosts lead; all that wait are, if it changes nothing: then somebody asks
 * for just that.
 */
void acme_hosts_set_config(struct acme_hosts *hosts, struct config *config);

/** Takes what a look at the certificate in use has found. name: the host's. Any thread. */
void acme_hosts_see(struct acme_hosts *hosts, const char *name, const struct cert_state *state);

/** Returns 0, or -1: the host is not one of those to be ordered for. Any thread. */
int acme_hosts_find(struct acme_hosts *hosts, const char *name, struct acme_host_info *ret_info);

/** Counts all hosts for /metrics. */
void acme_hosts_count(struct acme_hosts *hosts);

/** acme_book_parse() and acme_book_print() of what is known now. */
size_t acme_hosts_parse_book(struct acme_hosts *hosts, struct slice text);
void acme_hosts_print_book(struct acme_hosts *hosts, FILE *out);

/**
 * Picks the hosts that are to be tried now; they are under way then.
 *
 * ret_names   room for `max`
 * ret_wait_s  seconds until there may be another
 * Returns how many.
 */
size_t acme_hosts_pick(struct acme_hosts *hosts, size_t max, char (*ret_names)[POLICY_HOST_SIZE],
                       int64_t *ret_wait_s);

/** An order begins, which counts in the rate. Returns false if the host has left meanwhile. */
bool acme_hosts_begin_order(struct acme_hosts *hosts, const char *name);

/**
 * @{ How a try has ended. A host that has left meanwhile is left out.
 *
 * retry_unix_s  when the next one is not in vain, by the authority's words; 0: it has not said so
 */
void acme_hosts_succeed(struct acme_hosts *hosts, const char *name,
                        const struct cert_install_dates *dates, enum acme_arrival arrival);
void acme_hosts_fail(struct acme_hosts *hosts, const char *name, enum acme_obstacle obstacle,
                     const char *reason, int64_t retry_unix_s);
void acme_hosts_put_back(struct acme_hosts *hosts, const char *name);
/** @} */

/** The authority takes no orders, of no host: nothing is tried for longer each time. */
void acme_hosts_hold(struct acme_hosts *hosts, const char *reason);

/** The same until a time that the authority has named. */
void acme_hosts_hold_until(struct acme_hosts *hosts, const char *reason, int64_t until_unix_s);

/** This machine lets no order be made: nothing is tried for about ACME_HOLD_S. */
void acme_hosts_wait(struct acme_hosts *hosts, const char *reason);
