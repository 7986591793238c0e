/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "random.h"
#include "targets.h"

const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_PENDING] = "pending",
    [OUTCOME_GOOD] = "good",
    [OUTCOME_NO_CONNECTION] = "no_connection",
    [OUTCOME_NO_HANDSHAKE] = "no_handshake",
    [OUTCOME_OTHER_CERTIFICATE] = "other_certificate",
    [OUTCOME_CUT] = "cut",
    [OUTCOME_OTHER_STATUS] = "other_status",
    [OUTCOME_OTHER_BODY] = "other_body",
    [OUTCOME_LATE] = "late",
};

void fetch_abandon(struct fetch *fetch)
{
    close(fetch->fd);
    fetch->fd = -1;
}

static enum outcome end(struct fetch *fetch, enum outcome outcome)
{
    fetch_abandon(fetch);
    return outcome;
}

static void begin_tls(struct fetch *fetch)
{
    const struct client *client = fetch->client;
    uint64_t random[8];

    for (int i = 0; i < 8; i++)
        random[i] = random_next(&fetch->client->random);
    tls_begin(&fetch->tls, client->secrets, fetch->target->host, (const unsigned char *)random,
              client->checks_certificates ? fetch->target->leaf_digest : NULL);
}

static void write_request(struct fetch *fetch)
{
    char request[512];
    int len = snprintf(request, sizeof(request),
                       "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
                       "Host: %s\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n",
                       fetch->target->host);

    tls_write(&fetch->tls, request, (size_t)len);
    fetch->has_sent = true;
}

enum outcome fetch_start(struct fetch *fetch, struct client *client, const struct target *target)
{
    static const int on = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = fetch};

    fetch->client = client;
    fetch->target = target;
    fetch->has_sent = fetch->has_ended = false;
    fetch->fd = socket(client->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fetch->fd < 0)
        return OUTCOME_NO_CONNECTION;
    setsockopt(fetch->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if ((connect(fetch->fd, (const struct sockaddr *)&client->server, client->server_len) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fetch->fd, &event) != 0)
        return end(fetch, OUTCOME_NO_CONNECTION);
    begin_tls(fetch);
    return fetch_advance(fetch);
}

static enum outcome judge(const struct fetch *fetch)
{
    static const char status[] = "HTTP/1.1 200 ", blank_line[] = "\r\n\r\n";
    const unsigned char *answer = fetch->tls.data, *body;
    size_t len = fetch->tls.data_len, body_len;

    body = memmem(answer, len, blank_line, strlen(blank_line));
    if (!body)
        return OUTCOME_CUT;
    if (memcmp(answer, status, strlen(status)) != 0)
        return OUTCOME_OTHER_STATUS;
    body += strlen(blank_line);
    body_len = len - (size_t)(body - answer);
    if (body_len != fetch->target->body_len || memcmp(body, fetch->target->body, body_len) != 0)
        return OUTCOME_OTHER_BODY;
    return OUTCOME_GOOD;
}

/* What is sent at a time fits into every socket's buffer: it goes out whole or not at all. */
static enum outcome flush(struct fetch *fetch)
{
    struct tls *tls = &fetch->tls;
    ssize_t n;

    if (tls->out_len == 0)
        return OUTCOME_GOOD;
    n = send(fetch->fd, tls->out, tls->out_len, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN)
        return OUTCOME_PENDING;
    if (n != (ssize_t)tls->out_len)
        return errno == ECONNREFUSED ? OUTCOME_NO_CONNECTION : OUTCOME_CUT;
    tls->out_len = 0;
    return OUTCOME_GOOD;
}

/* Finished and the request go out one by one, as they do from senders. */
static enum outcome answer_server(struct fetch *fetch)
{
    struct tls *tls = &fetch->tls;
    enum outcome outcome = OUTCOME_GOOD;

    if (tls->state == TLS_FAILED)
        return tls->has_other_leaf ? OUTCOME_OTHER_CERTIFICATE : OUTCOME_NO_HANDSHAKE;
    if (tls->state == TLS_ESTABLISHED && !fetch->has_sent) {
        outcome = flush(fetch);
        if (outcome == OUTCOME_GOOD)
            write_request(fetch);
    }
    return outcome == OUTCOME_GOOD ? flush(fetch) : outcome;
}

/* Returns OUTCOME_GOOD as long as there may be more to read. */
static enum outcome receive(struct fetch *fetch)
{
    struct tls *tls = &fetch->tls;
    ssize_t n = recv(fetch->fd, tls->in + tls->in_len, sizeof(tls->in) - tls->in_len, 0);

    if (n < 0 && errno == EAGAIN)
        return OUTCOME_PENDING;
    if (n <= 0) {
        fetch->has_ended = true;
        return OUTCOME_GOOD;
    }
    tls_take(tls, (size_t)n);
    return answer_server(fetch);
}

enum outcome fetch_advance(struct fetch *fetch)
{
    enum outcome outcome = flush(fetch);

    while (outcome == OUTCOME_GOOD && !fetch->has_ended)
        outcome = receive(fetch);
    if (outcome == OUTCOME_PENDING)
        return outcome;
    if (outcome == OUTCOME_GOOD)
        outcome = fetch->has_sent ? judge(fetch) : OUTCOME_NO_HANDSHAKE;
    return end(fetch, outcome);
}
