/* SPDX-License-Identifier: MIT */
#include "daemon/http/admin_handler.h"

#include <stdlib.h>

#include "daemon/http/answer.h"

static const char *admin_reason(int status)
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

void admin_handler_answer(h2o_req_t *req, struct slice path, admin_printer *print, void *context)
{
    const char *type = ANSWER_TYPE_TEXT;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int status = print(context, path, &type, out);

    fclose(out);
    answer_bytes(req, status, admin_reason(status), type, h2o_strdup(&req->pool, text, len));
    free(text);
}
