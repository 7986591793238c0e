/* SPDX-License-Identifier: MIT */
#include "daemon/http/admin_handler.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/http/answer.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/request_head.h"
#include "daemon/worker/worker_internal.h"

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 503:
        return "Service Unavailable";
    default:
        return "Not Found";
    }
}

void admin_handler_answer(h2o_req_t *req)
{
    const struct worker_options *options = &connection_of_request(req)->worker->options;
    const char *type = ANSWER_TYPE_TEXT;
    struct slice authority, path;
    char *text = NULL;
    size_t len;
    FILE *out;
    int status;

    if (!is_get_or_head(req)) {
        answer_not_allowed(req);
        return;
    }
    request_target_split((struct slice){req->input.path.base, req->input.path.len}, &authority,
                         &path);
    out = open_memstream(&text, &len);
    status = options->admin(options->context, path, &type, out);
    fclose(out);
    answer_bytes(req, status, reason_of(status), type, h2o_strdup(&req->pool, text, len));
    free(text);
}
