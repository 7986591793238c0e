/* SPDX-License-Identifier: MIT */
/**
 * Readiness: whether the daemon serves, for /readyz and for systemd.
 *
 * Main thread, but for readiness_is_ready().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct readiness;

/** Not ready yet. notify_fd: of systemd_notify_open(), taken over; -1: nobody wants to be told. */
struct readiness *readiness_new(int notify_fd);

/** Takes NULL. */
void readiness_free(struct readiness *readiness);

/** Serves. remark: goes behind the number of domains in systemd's status. */
void readiness_set_serving(struct readiness *readiness, size_t n_domains, const char *remark);

/** A reload begins. The daemon stays ready: it serves meanwhile. */
void readiness_set_reloading(struct readiness *readiness);

/** Ends, and is not ready any more, whatever is called later. */
void readiness_set_stopping(struct readiness *readiness);

/** Tells systemd's watchdog, if there is one, that the main thread is alive. */
void readiness_tell_alive(const struct readiness *readiness);

/** Any thread. */
bool readiness_is_ready(const struct readiness *readiness);
