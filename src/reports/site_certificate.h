/* SPDX-License-Identifier: MIT */
/**
 * The certificate of a policy host, by the files that the configuration names.
 *
 * Keys are not read. Of several places that one is taken whose certificate covers the host and
 * lasts longest, which is what the daemon serves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct config;
struct site_certificates;

enum site_certificate_state {
    SITE_CERTIFICATE_GOOD,
    SITE_CERTIFICATE_ENDING, /* in the last sixth of its life */
    SITE_CERTIFICATE_EXPIRED,
    SITE_CERTIFICATE_EARLY, /* it is not yet valid */
    SITE_CERTIFICATE_NAME,  /* it does not cover the host */
    SITE_CERTIFICATE_MISSING,
    SITE_CERTIFICATE_UNKNOWN, /* this user may not read the file, or another server ends TLS */
    SITE_CERTIFICATE_COUNT,
};

struct site_certificate {
    enum site_certificate_state state;
    int64_t from_unix_s, until_unix_s; /* 0: there is none that can be read */
    const char *path;                  /* NULL likewise */
};

/** config  outlives it. Never returns NULL. */
struct site_certificates *site_certificates_new(const struct config *config, int64_t now_unix_s);

/** Takes NULL. */
void site_certificates_free(struct site_certificates *certificates);

/** arena  owns the path */
struct site_certificate site_certificates_find(struct site_certificates *certificates,
                                               const char *host, struct arena *arena);

/** Whether senders refuse it, or there is none. */
bool site_certificate_is_refused(enum site_certificate_state state);

/** "ok", "ending", "expired", "early", "name", "missing", "unknown". */
const char *site_certificate_state_name(enum site_certificate_state state);
