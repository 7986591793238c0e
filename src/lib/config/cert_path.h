/* SPDX-License-Identifier: MIT */
/**
 * Paths of certificates in the configuration: {host} is a policy host's name (mta-sts.<domain>),
 * {domain} the name behind "mta-sts.", and one '*' is any characters within one name of the path.
 *
 * Pure. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    CERT_PATH_FAULT_MAX = 256, /* a buffer for cert_path_check() */
};

/**
 * Whether a path is written as it is meant: not "~/certs", "$HOME/certs", "/certs/%h.pem",
 * "/certs/{Host}.pem", nor with two '*'.
 *
 * ret_why  what completes "'<path>' "; untouched if all is well
 */
bool cert_path_check(const char *path, char ret_why[static CERT_PATH_FAULT_MAX]);

/** Whether the path has {host} or {domain}: one certificate for each host. */
bool cert_path_has_variable(const char *path);

/** Whether the path has a '*'. */
bool cert_path_has_star(const char *path);

/** The length of what is the same for all hosts and matches: up to the first variable or '*'. */
size_t cert_path_fixed_len(const char *path);

/** The path with the host's name in its variables; the caller frees. */
char *cert_path_expand(const char *path, const char *host);
