/* SPDX-License-Identifier: MIT */
/**
 * The report handler: takes in TLS reports, which senders POST, and answers once they are kept.
 *
 * It does not look inside a report: senders mislabel and misspell, some never try again, and for
 * one of them any answer counts as success. So only what cannot be a report is refused for good.
 * Runs in a worker's thread.
 * Source: RFC 8460 3, 5.4; RFC 6585 4 (429); RFC 9110 10.2.3 (Retry-After).
 */
#pragma once

#include <stddef.h>

#include <h2o.h>

#include "daemon/http/report_job.h"
#include "lib/base/slice.h"

struct clock;
struct report_limiter;

/** What all workers take reports in with. */
struct report_intake {
    report_keep *keep; /* NULL: there is no place to keep reports, all of them are answered 503 */
    void *keep_context;
    struct report_limiter *limiter;
    const struct clock *clock;
};

struct report_request {
    struct slice host;      /* that was asked for, in stored form */
    size_t body_max;        /* bytes */
    size_t connections_max; /* of all workers: a part of them may wait for the disk */
};

/** Answers a POST. Another part of the daemon may do so later. */
void report_handler_answer(h2o_req_t *req, const struct report_request *request,
                           const struct report_intake *intake);
