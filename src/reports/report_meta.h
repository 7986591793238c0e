/* SPDX-License-Identifier: MIT */
/**
 * Where a report came from, and how far that is proven.
 */
#pragma once

#include <stdint.h>

#include "lib/base/slice.h"

/** Kept in the database: a number never changes its meaning. */
enum report_transport {
    REPORT_BY_HTTPS = 0,
    REPORT_BY_MAIL = 1,
    REPORT_BY_FILE = 2,
};

/** Likewise; the better one is the greater. */
enum report_proof {
    REPORT_PROOF_NONE = 0, /* anybody can have made it */
    REPORT_PROOF_FILE = 1, /* who imported the file vouches for it */
    REPORT_PROOF_PEER = 2, /* the name of the peer leads to its address, and is the reporter's */
    REPORT_PROOF_DKIM = 3, /* a good signature of the sender's domain */
    REPORT_PROOF_COUNT,
};

struct report_meta {
    int64_t received_unix_s;
    enum report_transport transport;
    enum report_proof proof;
    struct slice proven_domain; /* with REPORT_PROOF_PEER and _DKIM; else empty */
    struct slice host, peer;    /* of HTTPS; else empty */
};
