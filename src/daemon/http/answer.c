/* SPDX-License-Identifier: MIT */
#include "daemon/http/answer.h"

#include <string.h>

#include "lib/base/slice.h"

void answer_bytes(h2o_req_t *req, int status, const char *reason, const char *type,
                  h2o_iovec_t body)
{
    static h2o_generator_t generator;
    bool is_head = slice_eq_text((struct slice){req->method.base, req->method.len}, "HEAD");

    req->res.status = status;
    req->res.reason = reason;
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, type, strlen(type));
    h2o_start_response(req, &generator);
    h2o_send(req, &body, is_head ? 0 : 1, H2O_SEND_STATE_FINAL);
}

void answer_text(h2o_req_t *req, int status, const char *reason, const char *body)
{
    answer_bytes(req, status, reason, ANSWER_TYPE_TEXT, h2o_strdup(&req->pool, body, SIZE_MAX));
}
