/* SPDX-License-Identifier: MIT */
/**
 * The challenge handler: what a certificate authority asks for, to see that a host is ours.
 *
 * Runs in a worker's thread.
 * Source: RFC 8555 8.3.
 */
#pragma once

#include <h2o.h>

#include "lib/base/slice.h"

struct challenge_reader;

/**
 * Answers with the challenge at `path`, or sends the authority on to where it is.
 *
 * path         begins with CHALLENGE_URL_PATH
 * elsewhere    URL without a path, of the replica that orders; NULL: challenges are here
 * challenges   those that are here; NULL: none
 */
void challenge_handler_answer(h2o_req_t *req, struct slice path, const char *elsewhere,
                              struct challenge_reader *challenges);
