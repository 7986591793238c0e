/* SPDX-License-Identifier: MIT */
#include "daemon/http/challenge_handler.h"

#include <stdio.h>
#include <string.h>

#include "daemon/http/answer.h"
#include "daemon/http/challenge_reader.h"
#include "lib/acme/challenge.h"

#define CHALLENGE_TYPE "application/octet-stream"

static void challenge_answer_unknown(h2o_req_t *req)
{
    answer_text(req, 404, "Not Found", "there is no such challenge\n");
}

/* The token has no octet that could end the field. */
static void challenge_redirect(h2o_req_t *req, struct slice token, const char *elsewhere)
{
    size_t size = strlen(elsewhere) + sizeof(CHALLENGE_URL_PATH) + token.len;
    char *location = h2o_mem_alloc_pool(&req->pool, size);

    snprintf(location, size, "%s" CHALLENGE_URL_PATH "%.*s", elsewhere, SLICE_ARG(token));
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_LOCATION, NULL, location,
                   strlen(location));
    answer_text(req, 302, "Found", "the challenge is elsewhere\n");
}

void challenge_handler_answer(h2o_req_t *req, struct slice path, const char *elsewhere,
                              struct challenge_reader *challenges)
{
    struct slice token = slice_range(path, strlen(CHALLENGE_URL_PATH), path.len);
    char answer[CHALLENGE_ANSWER_MAX + 1];

    if (!challenge_token_is_valid(token) || (!elsewhere && !challenges)) {
        challenge_answer_unknown(req);
        return;
    }
    if (elsewhere) {
        challenge_redirect(req, token, elsewhere);
        return;
    }
    switch (challenge_reader_find(challenges, token, answer)) {
    case CHALLENGE_FOUND:
        answer_bytes(req, 200, "OK", CHALLENGE_TYPE, h2o_strdup(&req->pool, answer, SIZE_MAX));
        break;
    case CHALLENGE_UNKNOWN:
        challenge_answer_unknown(req);
        break;
    case CHALLENGE_LATE:
        answer_text(req, 503, "Service Unavailable",
                    "the challenge cannot be read now; try again\n");
        break;
    }
}
