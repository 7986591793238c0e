/* SPDX-License-Identifier: MIT */
#include "daemon/http/report_handler.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/http/answer.h"
#include "daemon/http/report_limiter.h"
#include "daemon/net/address.h"
#include "daemon/worker/clients.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/mailbox.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum {
    JOBS_MAX = 512, /* each holds a connection that makes no room for a fetch */
    JOBS_PART = 4,  /* of the connections, a quarter may wait */
    TYPE_BYTES_MAX = SPOOL_TYPE_MAX,
};

/* A report on its way, with copies of all that came. Freed in the end by whoever takes its mail. */
struct report_post {
    struct report_job job;
    struct mail mail;
    struct mailbox *mailbox;
    struct report_wait *wait; /* of the worker's thread; NULL: nobody waits any more */
    char bytes[];
};

/* A request that waits, in its pool. */
struct report_wait {
    h2o_req_t *req;
    struct report_post *post; /* NULL: it is answered */
};

static const struct report_answer {
    int status;
    const char *reason, *text, *retry_after;
} report_answers[REPORT_RESULT_COUNT] = {
    [REPORT_KEPT] = {200, "OK", "the report is kept\n", NULL},
    [REPORT_REFUSED] = {400, "Bad Request",
                        "this is no TLS report: expected JSON, or JSON in gzip\n", NULL},
    [REPORT_TOO_LARGE] = {413, "Request Entity Too Large", "the report is too large\n", NULL},
    [REPORT_LIMITED] = {429, "Too Many Requests", "too many reports in a short time\n", "60"},
    [REPORT_BUSY] = {503, "Service Unavailable", "too many reports wait for the disk\n", "60"},
    [REPORT_FULL] = {503, "Service Unavailable", "there is no room for more reports\n", "600"},
    [REPORT_FAILED] = {503, "Service Unavailable", "the report cannot be kept now\n", "600"},
    [REPORT_LATE] = {503, "Service Unavailable", "the disk is too slow\n", "60"},
};

static void report_answer(h2o_req_t *req, enum report_result result)
{
    const struct report_answer *answer = &report_answers[result];
    struct connection *connection = connection_of_request(req);

    metrics_count(&connections_metrics(connection->connections)->reports[result]);
    connection_enter(connection, PHASE_ANSWER);
    if (answer->retry_after)
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_RETRY_AFTER, NULL,
                       answer->retry_after, strlen(answer->retry_after));
    answer_text(req, answer->status, answer->reason, answer->text);
}

/* gzip's magic number, or what JSON begins with after white space, and maybe a byte order mark. */
static bool report_is_possible(struct slice body)
{
    size_t at = slice_starts_with(body, "\xef\xbb\xbf") ? 3 : 0;

    if (slice_starts_with(body, "\x1f\x8b"))
        return true;
    while (at < body.len && memchr(" \t\r\n", body.ptr[at], 4))
        at++;
    return at < body.len && (body.ptr[at] == '{' || body.ptr[at] == '[');
}

static struct slice report_content_type(const h2o_req_t *req)
{
    ssize_t index = h2o_find_header(&req->headers, H2O_TOKEN_CONTENT_TYPE, -1);
    h2o_iovec_t value;

    if (index < 0)
        return (struct slice){0};
    value = req->headers.entries[index].value;
    return slice_range((struct slice){value.base, value.len}, 0, TYPE_BYTES_MAX);
}

static struct slice report_copy(char **to, struct slice bytes)
{
    char *copy = *to;

    if (bytes.len > 0)
        *to = mempcpy(copy, bytes.ptr, bytes.len);
    return (struct slice){copy, bytes.len};
}

static void report_post_free(struct report_post *post)
{
    mailbox_unref(post->mailbox);
    free(post);
}

static enum report_result report_result_of(enum spool_result result)
{
    switch (result) {
    case SPOOL_KEPT:
        return REPORT_KEPT;
    case SPOOL_FULL:
        return REPORT_FULL;
    default:
        return REPORT_FAILED;
    }
}

static void report_take_result(struct mail *mail, enum mail_fate fate)
{
    struct report_post *post = H2O_STRUCT_FROM_MEMBER(struct report_post, mail, mail);
    struct report_wait *wait = post->wait;

    /* Of a dropped mail the worker has left its loop, and nothing of it may be touched. */
    if (fate == MAIL_TAKEN && wait) {
        wait->post = NULL;
        report_answer(wait->req, report_result_of(post->job.report.result));
    }
    report_post_free(post);
}

/* In a thread of the keeper's. */
static void report_send_result(struct report_job *job)
{
    struct report_post *post = H2O_STRUCT_FROM_MEMBER(struct report_post, job, job);

    mailbox_send(post->mailbox, &post->mail);
}

/* The request has gone, answered or not. The report itself is written all the same. */
static void report_wait_dispose(void *memory)
{
    struct report_wait *wait = memory;

    if (wait->post)
        wait->post->wait = NULL;
    wait->post = NULL;
}

static void report_give_up(void *context)
{
    struct report_wait *wait = context;

    report_wait_dispose(wait);
    report_answer(wait->req, REPORT_LATE);
}

static struct report_post *report_post_new(h2o_req_t *req, struct slice host, struct slice peer)
{
    const struct slice type = report_content_type(req), body = {req->entity.base, req->entity.len};
    struct report_post *post =
        memory_alloc(sizeof(*post) + host.len + peer.len + type.len + body.len);
    struct connections *connections = connection_of_request(req)->connections;
    char *to = post->bytes;

    post->job = (struct report_job){.done = report_send_result};
    post->job.report.entry = (struct spool_entry){.host = report_copy(&to, host),
                                                  .peer = report_copy(&to, peer),
                                                  .content_type = report_copy(&to, type),
                                                  .body = report_copy(&to, body)};
    post->mail = (struct mail){.take = report_take_result};
    post->mailbox = mailbox_ref(connections_mailbox(connections));
    post->wait = h2o_mem_alloc_shared(&req->pool, sizeof(*post->wait), report_wait_dispose);
    *post->wait = (struct report_wait){req, post};
    return post;
}

static size_t report_jobs_max(size_t connections_max)
{
    size_t part = connections_max / JOBS_PART;

    if (part > JOBS_MAX)
        return JOBS_MAX;
    return part > 0 ? part : 1;
}

static void report_submit(h2o_req_t *req, const struct report_request *request,
                          const struct report_intake *intake, struct slice peer)
{
    struct report_post *post = report_post_new(req, request->host, peer);
    struct report_wait *wait = post->wait;

    /* Before the job is another thread's. */
    connection_wait(connection_of_request(req), report_give_up, wait);
    if (intake->keep(intake->keep_context, &post->job, report_jobs_max(request->connections_max)))
        return;
    wait->post = NULL;
    report_post_free(post);
    report_answer(req, REPORT_BUSY);
}

void report_handler_answer(h2o_req_t *req, const struct report_request *request,
                           const struct report_intake *intake)
{
    const struct slice body = {req->entity.base, req->entity.len};
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    char peer_text[ADDRESS_TEXT_MAX];
    uint64_t network;
    bool has_network;

    req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer);
    has_network = client_network_find((const struct sockaddr *)&peer, &network);
    address_print_host((const struct sockaddr *)&peer, peer_text);
    if (!report_is_possible(body))
        report_answer(req, REPORT_REFUSED);
    else if (body.len > request->body_max)
        report_answer(req, REPORT_TOO_LARGE);
    else if (!intake->keep)
        report_answer(req, REPORT_FAILED);
    else if (!report_limiter_admit(intake->limiter, has_network ? &network : NULL,
                                   intake->clock->monotonic_ms(intake->clock)))
        report_answer(req, REPORT_LIMITED);
    else
        report_submit(req, request, intake, slice_of(peer_text));
}
