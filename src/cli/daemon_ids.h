/* SPDX-License-Identifier: MIT */
/**
 * What the running daemon serves, so that no id is published before its policy (RFC 8461 8.1).
 */
#pragma once

#include <stdbool.h>

struct served;

/**
 * Asks the daemon on the control socket of a configuration.
 *
 * Returns NULL if none answers there.
 */
struct served *served_ask(const char *control_path);

/** Takes NULL. */
void served_free(struct served *served);

/** Whether the daemon serves this id for the domain (stored form). */
bool served_has(const struct served *served, const char *domain, const char *id);

/** Whether senders could fetch a policy of the domain since the daemon was started. Takes NULL. */
bool served_was_fetchable(const struct served *served, const char *domain);
