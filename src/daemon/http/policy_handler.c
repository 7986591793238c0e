/* SPDX-License-Identifier: MIT */
#include "daemon/http/policy_handler.h"

#include "daemon/http/answer.h"
#include "daemon/worker/connection.h"
#include "lib/config/config.h"

static void add_header(h2o_req_t *req, const h2o_token_t *name, const char *value, size_t len)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, len);
}

static void add_headers(const struct policy_document *document, h2o_req_t *req)
{
    char *etag = h2o_mem_alloc_pool(&req->pool, POLICY_ID_LEN + 3);

    memcpy(etag + 1, document->id, POLICY_ID_LEN);
    etag[0] = etag[POLICY_ID_LEN + 1] = '"';
    add_header(req, H2O_TOKEN_CACHE_CONTROL, H2O_STRLIT("max-age=60"));
    add_header(req, H2O_TOKEN_ETAG, etag, POLICY_ID_LEN + 2);
}

void policy_handler_answer(const struct policy_document *document, h2o_req_t *req)
{
    h2o_iovec_t body = {(char *)(uintptr_t)document->body.ptr, document->body.len};

    if (!is_get_or_head(req)) {
        answer_not_allowed(req);
        return;
    }
    /* TLS encrypts, and so copies, at once. Plain bytes wait for the peer, perhaps past a reload.
     */
    if (!connection_of_request(req)->certificate)
        body = h2o_strdup(&req->pool, body.base, body.len);
    add_headers(document, req);
    answer_bytes(req, 200, "OK", ANSWER_TYPE_TEXT, body);
}
