/* SPDX-License-Identifier: MIT */
#include "daemon/http/policy_handler.h"

#include <string.h>

#include "daemon/http/answer.h"
#include "lib/config/config.h"

static void policy_handler_add_headers(h2o_req_t *req, const struct policy_document *document)
{
    char *etag = h2o_mem_alloc_pool(&req->pool, POLICY_ID_LEN + 3);

    memcpy(etag + 1, document->id, POLICY_ID_LEN);
    etag[0] = etag[POLICY_ID_LEN + 1] = '"';
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, NULL,
                   H2O_STRLIT("max-age=60"));
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_ETAG, NULL, etag, POLICY_ID_LEN + 2);
}

void policy_handler_answer(h2o_req_t *req, const struct policy_document *document)
{
    h2o_iovec_t body = {(char *)(uintptr_t)document->body.ptr, document->body.len};

    /* TLS encrypts, and so copies, at once. Plain bytes wait for the peer, maybe past a reload. */
    if (req->input.scheme != &H2O_URL_SCHEME_HTTPS)
        body = h2o_strdup(&req->pool, body.base, body.len);
    policy_handler_add_headers(req, document);
    answer_bytes(req, 200, "OK", ANSWER_TYPE_TEXT, body);
}
