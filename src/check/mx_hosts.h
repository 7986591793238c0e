/* SPDX-License-Identifier: MIT */
/**
 * MX hosts of a run: each is visited once, however many domains name it.
 *
 * One thread, that of the loop.
 */
#pragma once

#include <stddef.h>

#include "check/shared_visits.h"

struct mx_hosts;
struct mx_tools;

enum {
    MX_HOSTS_KEPT = 8192, /* seen and not waited for; about 3 KiB each */
};

/**
 * tools     copied
 * n_at_once hosts that are visited at a time, at least 1
 * Never returns NULL.
 */
struct mx_hosts *mx_hosts_new(const struct mx_tools *tools, size_t n_at_once);

/** Ends all visits without callbacks; takes NULL. The loop has to go on until handles are closed.
 */
void mx_hosts_free(struct mx_hosts *hosts);

/**
 * Asks for a host.
 *
 * name      as mx_visit_start() takes it; copied
 * callback  comes once, never from inside this call, with a struct mx_host
 */
void mx_hosts_ask(struct mx_hosts *hosts, const char *name, visit_seen *callback, void *context);
