/* SPDX-License-Identifier: MIT */
/**
 * Answers: what every handler sends, whole and at once.
 *
 * Runs in a worker's thread.
 * Source: RFC 9110 9.3.2 (HEAD).
 */
#pragma once

#include <h2o.h>

#define ANSWER_TYPE_TEXT "text/plain; charset=utf-8"

/**
 * Answers with a body, HEAD without it.
 *
 * type  static; the media type
 * body  on a plain connection it lives in req->pool
 */
void answer_bytes(h2o_req_t *req, int status, const char *reason, const char *type,
                  h2o_iovec_t body);

/** Answers with plain text, which is copied. */
void answer_text(h2o_req_t *req, int status, const char *reason, const char *body);
