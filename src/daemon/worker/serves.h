/* SPDX-License-Identifier: MIT */
/**
 * What a listener serves: the routes of its requests have it in their rows (daemon/http/routes.h).
 */
#pragma once

/** Where TLS reports are POSTed to: their bodies may come slowly. */
#define REPORT_PATH "/tlsrpt"

enum serves {
    SERVES_POLICIES,   /* by the host that is asked for */
    SERVES_CHALLENGES, /* those of a certificate authority, whatever the host */
    SERVES_ADMIN,      /* health and metrics, whatever the host */
    SERVES_COUNT,
};
