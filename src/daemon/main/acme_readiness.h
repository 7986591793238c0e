/* SPDX-License-Identifier: MIT */
/**
 * Readiness: asks mta-stsd-check whether a certificate can be ordered for some hosts, before an
 * order that would count as failed is made.
 *
 * The program prints a line for each host, "HOST ready" or "HOST waiting REASON". On the loop's
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct acme_readiness;
struct spawner;
struct uv_loop_s;

enum {
    ACME_READINESS_HOSTS_MAX = 24, /* asked for at once */
    ACME_READINESS_TIMEOUT_MS = 5 * 60 * 1000,
};

struct acme_readiness_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;
    /** Called for each host that was asked for, before `done`. reason: NULL: it is ready */
    void (*host)(void *context, const char *host, const char *reason);
    /** Called once for each time that was not stopped. fault: NULL: all hosts were answered */
    void (*done)(void *context, const char *fault);
    void *context;
};

/** Never returns NULL. */
struct acme_readiness *acme_readiness_new(const struct acme_readiness_options *options);

/** Begins; nothing is under way. hosts: at most ACME_READINESS_HOSTS_MAX; copied */
void acme_readiness_ask(struct acme_readiness *readiness, const char *const *hosts, size_t n_hosts);

/** Whether an answer is still to come. */
bool acme_readiness_is_under_way(const struct acme_readiness *readiness);

/** Nothing is said of what is under way; its program is the spawner's to end. */
void acme_readiness_stop(struct acme_readiness *readiness);

/** Takes NULL. After acme_readiness_stop(), when the loop has ended. */
void acme_readiness_free(struct acme_readiness *readiness);
