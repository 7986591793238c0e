/* SPDX-License-Identifier: MIT */
#include "check/curl_loop.h"

#include <stdlib.h>

#include "lib/base/arena.h"

struct curl_loop {
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    curl_loop_done *done;
};

/* A socket of libcurl's that the loop watches. */
struct curl_socket {
    uv_poll_t poll;
    struct curl_loop *curl;
    curl_socket_t fd;
};

static void curl_loop_collect(struct curl_loop *curl)
{
    CURLMsg *message;
    int n_left;

    while ((message = curl_multi_info_read(curl->multi, &n_left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_multi_remove_handle(curl->multi, easy);
        curl->done(easy, code);
    }
}

static void curl_socket_on_event(uv_poll_t *poll, int status, int events)
{
    struct curl_socket *socket = poll->data;
    struct curl_loop *curl = socket->curl; /* the socket may be closed below */
    int flags = 0, n_running;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(curl->multi, socket->fd, flags, &n_running);
    curl_loop_collect(curl);
}

static void curl_socket_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int curl_on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    struct curl_loop *curl = context;
    struct curl_socket *socket = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket) {
            uv_poll_stop(&socket->poll);
            uv_close((uv_handle_t *)&socket->poll, curl_socket_on_closed);
            curl_multi_assign(curl->multi, fd, NULL);
        }
        return 0;
    }
    if (!socket) {
        socket = memory_alloc(sizeof(*socket));
        socket->curl = curl;
        socket->fd = fd;
        uv_poll_init_socket(curl->loop, &socket->poll, fd);
        socket->poll.data = socket;
        curl_multi_assign(curl->multi, fd, socket);
    }
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    uv_poll_start(&socket->poll, events, curl_socket_on_event);
    return 0;
}

static void curl_on_timeout(uv_timer_t *timer)
{
    struct curl_loop *curl = timer->data;
    int n_running;

    curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
    curl_loop_collect(curl);
}

static int curl_on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct curl_loop *curl = context;

    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&curl->timer);
    else
        uv_timer_start(&curl->timer, curl_on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

struct curl_loop *curl_loop_new(uv_loop_t *loop, curl_loop_done *done)
{
    CURLM *multi = curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? curl_multi_init() : NULL;
    struct curl_loop *curl;

    if (!multi)
        return NULL;
    curl = memory_alloc(sizeof(*curl));
    *curl = (struct curl_loop){.loop = loop, .multi = multi, .done = done};
    uv_timer_init(loop, &curl->timer);
    curl->timer.data = curl;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, curl_on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, curl_on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
    return curl;
}

static void curl_loop_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void curl_loop_free(struct curl_loop *curl)
{
    if (curl == NULL)
        return;
    curl_multi_cleanup(curl->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&curl->timer, curl_loop_on_closed);
}

void curl_loop_add(struct curl_loop *curl, CURL *easy)
{
    curl_multi_add_handle(curl->multi, easy);
}

void curl_loop_remove(struct curl_loop *curl, CURL *easy)
{
    curl_multi_remove_handle(curl->multi, easy);
}
