/* SPDX-License-Identifier: MIT */
/**
 * Metrics of one worker: numbers that only its thread writes and any thread may read.
 *
 * They are relaxed atomics: each number is right, but two that are read together may be of
 * different moments. All but those in bytes only grow.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/** How a handshake went. */
enum handshake_result {
    HANDSHAKE_OK,
    HANDSHAKE_UNKNOWN_NAME,
    HANDSHAKE_NO_CERTIFICATE,
    HANDSHAKE_FAILED, /* bytes that are no TLS, no version or suite in common, the peer went away */
    HANDSHAKE_RESULT_COUNT,
};

/** Why a connection ended. */
enum end_reason {
    END_ANSWERED,
    END_PEER,      /* the peer went away, or sent what cannot be answered */
    END_HANDSHAKE, /* deadline */
    END_REQUEST,   /* deadline */
    END_ANSWER,    /* deadline */
    END_EVICTED,   /* made room for a newer one */
    END_MEMORY,    /* held most when all together held too much memory */
    END_REFUSED,   /* at a cap where none could be evicted */
    END_DRAINED,   /* the daemon ended */
    END_UNTRUSTED, /* from a peer that may send no PROXY protocol header */
    END_HEADER,    /* without a good PROXY protocol header */
    END_REASON_COUNT,
};

/** What became of a TLS report that was POSTed. */
enum report_result {
    REPORT_KEPT,
    REPORT_REFUSED,   /* what cannot be a report */
    REPORT_TOO_LARGE, /* for its host */
    REPORT_LIMITED,   /* too many in a short time, from its source or from all */
    REPORT_BUSY,      /* too many waited for the disk */
    REPORT_FULL,      /* the spool's quota was used up */
    REPORT_FAILED,    /* it could not be written */
    REPORT_LATE,      /* it may have been written, but not in time */
    REPORT_RESULT_COUNT,
};

/** The status codes that are ever answered, a row each. */
#define METRICS_CODES(ROW) \
    ROW(200)               \
    ROW(400)               \
    ROW(404)               \
    ROW(405)               \
    ROW(413)               \
    ROW(417)               \
    ROW(421)               \
    ROW(429)               \
    ROW(431)               \
    ROW(503)

/** Their indices in struct metrics: METRICS_CODE_200. */
#define METRICS_CODE(code) METRICS_CODE_##code,
enum metrics_code {
    METRICS_CODES(METRICS_CODE) METRICS_CODE_OTHER,
    METRICS_CODE_COUNT,
};
#undef METRICS_CODE

/** The codes by these indices; 0: all others. */
extern const unsigned metrics_codes[METRICS_CODE_COUNT];

struct metrics {
    _Atomic uint64_t requests[METRICS_CODE_COUNT];
    _Atomic uint64_t handshakes[HANDSHAKE_RESULT_COUNT];
    _Atomic uint64_t ends[END_REASON_COUNT];
    _Atomic uint64_t reports[REPORT_RESULT_COUNT];
    _Atomic uint64_t opened;
    _Atomic uint64_t turns;        /* of the worker's loop, and waits that ended within a turn */
    _Atomic uint64_t memory_bytes; /* that its connections hold, by reckoning */
    _Atomic uint64_t memory_max;   /* that they may hold */
};

/** The word in a label: "unknown_name", "evicted", "kept". */
const char *handshake_result_name(enum handshake_result result);
const char *end_reason_name(enum end_reason end);
const char *report_result_name(enum report_result result);

/** Counts one more. Safe from the worker's thread only, as are the next two. */
void metrics_count(_Atomic uint64_t *counter);

/** Sets a number that does not only grow. */
void metrics_set(_Atomic uint64_t *gauge, uint64_t value);

/** Counts an answer by its status. */
void metrics_count_request(struct metrics *metrics, unsigned status);

/** Adds the numbers of one worker to the caller's sum. Safe from any thread. */
void metrics_add(struct metrics *sum, const struct metrics *metrics);
