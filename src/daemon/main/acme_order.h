/* SPDX-License-Identifier: MIT */
/**
 * An order: uacme, run once for an account or for a host, with what comes before and after.
 *
 * Keys are made and certificates installed in the thread pool; uacme is the spawner's child. What
 * uacme prints is in our log with the host's name. On the loop's thread.
 */
#pragma once

#include "daemon/acme/acme_answer.h"
#include "daemon/tls/cert_install.h"

struct acme_commands;
struct acme_order;
struct cert_store;
struct spawner;
struct uv_loop_s;

enum {
    /* uacme waits for the authority's answers as long as the authority asks it to. */
    ACME_ORDER_TIMEOUT_MS = 10 * 60 * 1000,
};

struct acme_order_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;
    const struct acme_commands *commands;
    unsigned timeout_ms;
};

struct acme_order_end {
    enum acme_outcome outcome;
    const char *host;     /* NULL: an account was asked for */
    const char *reason;   /* unless ACME_ORDERED */
    int64_t retry_unix_s; /* the authority has named the time; 0: it has not */
    bool is_kept;         /* nothing was ordered: an earlier order has brought the certificate */
    struct cert_install_dates dates;
};

/** Called on the loop, once for each order that was not stopped. */
typedef void acme_order_done(void *context, const struct acme_order_end *end);

/** Never returns NULL. */
struct acme_order *acme_order_new(const struct acme_order_options *options, acme_order_done *done,
                                  void *context);

/**
 * Begins; nothing is under way. A certificate that an earlier order has brought, and that could not
 * be installed for want of room, is installed without another order.
 *
 * host   copied; NULL: an account, whose key is made if there is none
 * store  whose certificate the new one is compared with; a reference is taken; NULL for an account
 */
void acme_order_start(struct acme_order *order, const char *host, struct cert_store *store);

/** Whose certificate is ordered, or was last; "": an account. */
const char *acme_order_host(const struct acme_order *order);

/** Whether an account or a certificate is being ordered. */
bool acme_order_is_under_way(const struct acme_order *order);

/** Nothing is said of what is under way; its program is the spawner's to end. */
void acme_order_stop(struct acme_order *order);

/** Takes NULL. After acme_order_stop(), when the loop has ended. */
void acme_order_free(struct acme_order *order);
