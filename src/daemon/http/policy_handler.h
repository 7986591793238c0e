/* SPDX-License-Identifier: MIT */
/**
 * The policy handler: answers what senders ask for.
 *
 * Runs in a worker's thread.
 * Source: RFC 8461 3.2 (media type), 3.3 (200 or nothing), 8.2 (60 s for reverse proxies).
 */
#pragma once

#include <h2o.h>

struct policy_document;

/**
 * Answers GET and HEAD with 200 and the whole body whatever Range, If-None-Match or Accept-Encoding
 * say: a sender takes 304, 206 and gzip for failure.
 *
 * document  of the worker's snapshot; not needed after the call
 */
void policy_handler_answer(h2o_req_t *req, const struct policy_document *document);
