/* SPDX-License-Identifier: MIT */
#include "http/policy_handler.h"

#include "config/config.h"
#include "http/connection.h"
#include "http/router.h"

static void add_header(h2o_req_t *req, const h2o_token_t *name, const char *value, size_t len)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, len);
}

static void add_headers(const struct policy_document *document, h2o_req_t *req)
{
    char *etag = h2o_mem_alloc_pool(&req->pool, POLICY_ID_LEN + 3);

    memcpy(etag + 1, document->id, POLICY_ID_LEN);
    etag[0] = etag[POLICY_ID_LEN + 1] = '"';
    add_header(req, H2O_TOKEN_CONTENT_TYPE, H2O_STRLIT("text/plain; charset=utf-8"));
    add_header(req, H2O_TOKEN_CACHE_CONTROL, H2O_STRLIT("max-age=60"));
    add_header(req, H2O_TOKEN_ETAG, etag, POLICY_ID_LEN + 2);
}

void policy_handler_answer(const struct policy_document *document, h2o_req_t *req)
{
    static h2o_generator_t generator;
    bool is_head = slice_eq_text((struct slice){req->method.base, req->method.len}, "HEAD");
    h2o_iovec_t body = {(char *)(uintptr_t)document->body.ptr, document->body.len};

    if (!is_get_or_head(req)) {
        answer_not_allowed(req);
        return;
    }
    /* TLS encrypts, and so copies, at once. Plain bytes wait for the peer, perhaps past a reload.
     */
    if (!connection_of_request(req)->certificate)
        body = h2o_strdup(&req->pool, body.base, body.len);
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = body.len;
    add_headers(document, req);
    h2o_start_response(req, &generator);
    h2o_send(req, &body, is_head ? 0 : 1, H2O_SEND_STATE_FINAL);
}
