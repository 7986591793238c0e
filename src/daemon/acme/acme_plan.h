/* SPDX-License-Identifier: MIT */
/**
 * The plan of orders: which policy host's certificate is ordered next, and when.
 *
 * Hosts without a certificate go before renewals, but for renewals that have lost half of their
 * time. In no hour are there more orders than the rate. A host whose order fails waits, twice as
 * long each time; the certificate authority's refusal of all orders, or its silence, holds all of
 * them and is no host's failure. Renewals are spread by each host's name.
 *
 * Pure but for malloc: no clock, no I/O. One thread.
 * Source: RFC 8555 6.6 and 6.7 (rate limits, types of errors).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acme_plan;

enum acme_state {
    ACME_MISSING, /* there is no certificate, and nothing was tried yet */
    ACME_WAITING, /* DNS does not point here, or a CAA record forbids: no order is made */
    ACME_FAILING, /* the last order has failed */
    ACME_PAUSED,  /* the certificate authority wants a person to act */
    ACME_VALID,
    ACME_EXPIRING, /* the certificate has lost half of the time for its renewal */
    ACME_FOREIGN,  /* the certificate is one of certificates:, not ours to renew */
    ACME_STATE_COUNT,
};

/** The word for people, "waiting". */
const char *acme_state_word(enum acme_state state);

/** Why a host's last try brought no certificate. */
enum acme_obstacle {
    ACME_NO_OBSTACLE,
    ACME_NOT_READY, /* no order was made */
    ACME_DISTURBED, /* the order has failed, which says nothing of the host */
    ACME_UNLUCKY,   /* the same, and the next order may well bring it */
    ACME_HELD,      /* the certificate authority takes no orders, of no host: see the hold */
    ACME_REFUSED,   /* the order has failed */
    ACME_STOPPED,   /* the certificate authority has paused the host */
    ACME_UNTIMELY,  /* there is a new certificate, but its dates do not fit this machine's clock */
    ACME_OBSTACLE_COUNT,
};

enum {
    ACME_BACKOFF_S = 60,           /* after the first failure; doubles */
    ACME_BACKOFF_ORDER_S = 4 * 60, /* the same of orders: 5 failures an hour are allowed */
    ACME_BACKOFF_UNLUCKY_S = 5,
    ACME_BACKOFF_MAX_S = 24 * 60 * 60,
    ACME_TOUCH_S =
        60 * 60,      /* after an order that has failed, before a person may ask for another */
    ACME_HOLD_S = 60, /* of all orders, after the first failure of the authority; doubles */
    ACME_HOLD_MAX_S = 60 * 60,
    ACME_HOLD_NAMED_MAX_S = 2 * ACME_HOLD_MAX_S,
    ACME_REASON_MAX = 1024, /* bytes of a reason, with its NUL; a link to be opened fits */
};

/** What the plan knows of a host. */
struct acme_host {
    char *name;
    int64_t not_before_unix_s, not_after_unix_s; /* of the certificate in use; 0: none */
    int64_t since_unix_s;                        /* known without a certificate since */
    int64_t next_unix_s;                         /* no try before; 0: none is held back */
    int64_t touch_unix_s;                        /* acme_plan_touch() does nothing before */
    int64_t begin_unix_s; /* when it is tried next, if the rate has room; 0: now */
    uint32_t n_failures;  /* since the last certificate */
    enum acme_obstacle obstacle;
    bool is_seen;      /* somebody has looked for its certificate */
    bool is_foreign;   /* the certificate is not of the plan's */
    bool is_under_way; /* a try has begun */
    bool is_fresh;     /* no look has seen the plan's last certificate yet */
    char *reason;      /* of the obstacle; NULL: none */
};

struct acme_plan_options {
    uint32_t orders_per_hour; /* at least 1 */
    uint32_t renew_before_s;  /* 0: a third of the certificate's life */
    uint64_t seed;            /* of what is spread by chance */
};

/** A plan without hosts. Never returns NULL. */
struct acme_plan *acme_plan_new(const struct acme_plan_options *options);

/** Takes NULL. */
void acme_plan_free(struct acme_plan *plan);

/** Another rate or another time of renewals; the seed stays. */
void acme_plan_set_options(struct acme_plan *plan, const struct acme_plan_options *options);

/**
 * The hosts from now on. One that was there before keeps what is known of it.
 *
 * names  sorted, each once; copied
 */
void acme_plan_set_hosts(struct acme_plan *plan, const char *const *names, size_t n_names,
                         int64_t now_unix_s);

/** How many hosts there are. */
size_t acme_plan_count(const struct acme_plan *plan);

/** Valid until the next acme_plan_set_hosts(). */
const struct acme_host *acme_plan_host(const struct acme_plan *plan, size_t host);

/** The index of a host; acme_plan_count() if there is none of the name. */
size_t acme_plan_find(const struct acme_plan *plan, const char *name);

/**
 * The host is tried again at once, as something has changed, if no order could be made for it, or
 * if the last order has failed ACME_TOUCH_S ago. A host that the authority has paused is not.
 */
void acme_plan_touch(struct acme_plan *plan, size_t host, int64_t now_unix_s);

/** What a person is to know of a host first. */
enum acme_state acme_plan_state(const struct acme_plan *plan, size_t host, int64_t now_unix_s);

/**
 * Takes what a look at the certificate in use has found. A look that may be older than an order is
 * left out: one during the order, and one after it that does not find its certificate.
 *
 * not_after_unix_s  0: there is none that a sender accepts
 * is_foreign        it lies elsewhere than where the plan's are put
 */
void acme_plan_see(struct acme_plan *plan, size_t host, int64_t not_before_unix_s,
                   int64_t not_after_unix_s, bool is_foreign);

/**
 * Picks the hosts that are to be tried now, the most urgent first, as many as the rate has room for
 * but at most `max`; they are under way then.
 *
 * ret_hosts  room for `max` indices
 * ret_wait_s seconds until there may be another; at most a day
 * Returns how many.
 */
size_t acme_plan_pick(struct acme_plan *plan, int64_t now_unix_s, size_t max, size_t *ret_hosts,
                      int64_t *ret_wait_s);

/** An order of a host that is under way begins: it counts in the rate from now on. */
void acme_plan_order(struct acme_plan *plan, int64_t now_unix_s);

/**
 * The host that was under way has a certificate of these dates.
 *
 * Returns whether the dates of a certificate that was issued just now fit the clock. If they do
 * not, the certificate would be ordered again at once, and again: acme_plan_fail() with
 * ACME_UNTIMELY has to follow. The plan forgets that obstacle when the clock was set right.
 */
bool acme_plan_succeed(struct acme_plan *plan, size_t host, int64_t not_before_unix_s,
                       int64_t not_after_unix_s, int64_t now_unix_s);

/**
 * The host that was under way has none, or an untimely one.
 *
 * reason  for people, one line; cut at ACME_REASON_MAX
 */
void acme_plan_fail(struct acme_plan *plan, size_t host, enum acme_obstacle obstacle,
                    const char *reason, int64_t now_unix_s);

/**
 * The authority has named the time before which it takes no order of a host that has failed: none
 * is made before, nor is the host forgotten for more than ACME_BACKOFF_MAX_S.
 */
void acme_plan_postpone(struct acme_plan *plan, size_t host, int64_t until_unix_s,
                        int64_t now_unix_s);

/** The try of a host that was under way has told nothing of the host: it is as it was before. */
void acme_plan_put_back(struct acme_plan *plan, size_t host);

/**
 * The certificate authority takes no orders, of no host.
 *
 * Returns for how many seconds nothing is tried.
 */
int64_t acme_plan_hold(struct acme_plan *plan, int64_t now_unix_s);

/**
 * The same until a time that the authority has named, but for at most ACME_HOLD_NAMED_MAX_S; the
 * next time is no longer.
 */
int64_t acme_plan_hold_until(struct acme_plan *plan, int64_t until_unix_s, int64_t now_unix_s);

/** The same for a reason of this machine's own: the next time is no longer. */
int64_t acme_plan_wait(struct acme_plan *plan, int64_t now_unix_s);

/** When the rate has room for an order; 0: it has. */
int64_t acme_plan_full_until(const struct acme_plan *plan, int64_t now_unix_s);

/** When the hold ends; 0: there is none. */
int64_t acme_plan_held_until(const struct acme_plan *plan);

/** The times of the orders that still count in the rate, oldest first, for free(). */
size_t acme_plan_list_orders(const struct acme_plan *plan, int64_t now_unix_s, int64_t **ret_times);

/** @{ What a file of an earlier process says: before anything is picked. */
void acme_plan_restore_order(struct acme_plan *plan, int64_t at_unix_s);
void acme_plan_restore_hold(struct acme_plan *plan, int64_t until_unix_s);
void acme_plan_restore_host(struct acme_plan *plan, size_t host, enum acme_obstacle obstacle,
                            uint32_t n_failures, int64_t next_unix_s, const char *reason);
/** @} */
