/* SPDX-License-Identifier: MIT */
/**
 * The admin handler: health and metrics on a listener of their own, read-only.
 *
 * Runs in the admin worker's thread, so that nothing asked here meets the policy path.
 */
#pragma once

#include <h2o.h>

/** Answers GET and HEAD with what the worker's admin callback prints for the path. */
void admin_handler_answer(h2o_req_t *req);
