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
 * GET and HEAD are answered with 200 and the whole body whatever Range, If-None-Match or
 * Accept-Encoding say: a sender takes 304, 206 and gzip for failure. Other methods get 405.
 *
 * document  of the worker's snapshot; not needed after the call
 */
void policy_handler_answer(const struct policy_document *document, h2o_req_t *req);
