/* SPDX-License-Identifier: MIT */
#include "daemon/control/control_server.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>
#include <uv.h>

#include "daemon/control/control.h"
#include "daemon/net/listen.h"
#include "daemon/net/socket_hint.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    ACCEPT_BACKLOG = 64,
    SWEEP_MS = 1000,
};

enum client_state {
    CLIENT_ASKS,
    CLIENT_WAITS,
    CLIENT_READS,
};

/* An answer that several may be reading. */
struct control_text {
    size_t n_references;
    char *bytes;
};

struct control_client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct control_client *next; /* who has come before */
    struct control_server *server;
    enum client_state state;
    uint64_t leave_at_ms; /* while it asks or reads */
    char question[CONTROL_QUESTION_MAX];
    size_t question_len;
    struct control_text *text; /* being written */
    size_t n_unwritten;        /* of its bytes, at the last sweep */
};

struct control_server {
    struct control_server_options options;
    uv_pipe_t listener;
    uv_timer_t sweep; /* runs while there are clients */
    char *path;       /* of the file that is ours to remove; NULL: none */
    struct control_client *clients;
    size_t n_clients;
    struct control_text **shared; /* by row; NULL: nobody reads the answer now */
};

/* Takes over the bytes. */
static struct control_text *
control_text_new(char *bytes) /* NOLINT(readability-non-const-parameter): freed */
{
    struct control_text *text = memory_alloc(sizeof(*text));

    *text = (struct control_text){.n_references = 1, .bytes = bytes};
    return text;
}

static void control_text_unref(struct control_server *server, struct control_text *text)
{
    if (!text || --text->n_references > 0)
        return;
    for (size_t i = 0; i < server->options.n_rows; i++)
        if (server->shared[i] == text)
            server->shared[i] = NULL;
    free(text->bytes);
    free(text);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *client = handle->data;

    control_text_unref(client->server, client->text);
    free(client);
}

static void close_client(struct control_client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    LL_DELETE(client->server->clients, client);
    client->server->n_clients--;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void set_client_deadline(struct control_client *client, unsigned timeout_ms)
{
    client->leave_at_ms = uv_now(client->server->options.loop) + timeout_ms;
}

/* Whoever takes some of its answer gets time for more of it. */
static void sweep_client(struct control_client *client)
{
    const struct control_server_options *options = &client->server->options;
    size_t n_unwritten = uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe);

    if (client->state == CLIENT_READS && n_unwritten < client->n_unwritten) {
        client->n_unwritten = n_unwritten;
        set_client_deadline(client, options->read_timeout_ms);
    }
    if (client->state != CLIENT_WAITS && uv_now(options->loop) >= client->leave_at_ms)
        close_client(client);
}

static void on_sweep(uv_timer_t *timer)
{
    struct control_server *server = timer->data;
    struct control_client *client, *next;

    LL_FOREACH_SAFE (server->clients, client, next)
        sweep_client(client);
    if (!server->clients)
        uv_timer_stop(timer);
}

static void on_client_written(uv_write_t *write, int status)
{
    (void)status;
    close_client(write->data);
}

/* Takes over the reference. */
static void write_text(struct control_client *client, struct control_text *text)
{
    uv_buf_t buffer = uv_buf_init(text->bytes, (unsigned)strlen(text->bytes));

    uv_read_stop((uv_stream_t *)&client->pipe);
    client->state = CLIENT_READS;
    client->text = text;
    client->n_unwritten = buffer.len;
    set_client_deadline(client, client->server->options.read_timeout_ms);
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_client_written) != 0)
        close_client(client);
}

void control_client_answer(struct control_client *client, const char *outcome, const char *text)
{
    char *bytes;

    if (asprintf(&bytes, "%s\n%s", outcome, text) < 0)
        abort();
    write_text(client, control_text_new(bytes));
}

static struct control_text *answer_row(struct control_server *server, size_t i)
{
    const struct control_row *row = &server->options.rows[i];
    struct control_text *text = server->shared[i];

    if (text) {
        text->n_references++;
        return text;
    }
    text = control_text_new(row->answer(server->options.context));
    if (row->is_shared)
        server->shared[i] = text;
    return text;
}

static size_t count_waiting(const struct control_server *server)
{
    const struct control_client *client;
    size_t n_waiting = 0;

    LL_FOREACH (server->clients, client)
        n_waiting += client->state == CLIENT_WAITS;
    return n_waiting;
}

static void take_question(struct control_client *client, struct slice question)
{
    struct control_server *server = client->server;
    const struct control_server_options *options = &server->options;
    size_t i = 0;

    while (i < options->n_rows && !slice_eq_text(question, options->rows[i].question))
        i++;
    if (i == options->n_rows) {
        control_client_answer(client, CONTROL_REFUSED, "unknown command\n");
    } else if (options->rows[i].answer) {
        write_text(client, answer_row(server, i));
    } else if (count_waiting(server) == CONTROL_WAITING_MAX) {
        control_client_answer(client, CONTROL_REFUSED, "too many wait for an answer already\n");
    } else {
        uv_read_stop((uv_stream_t *)&client->pipe);
        client->state = CLIENT_WAITS;
        options->rows[i].begin(options->context, client);
    }
}

static void give_client_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct control_client *client = handle->data;

    (void)suggested;
    *ret_buffer = uv_buf_init(client->question + client->question_len,
                              (unsigned)(CONTROL_QUESTION_MAX - client->question_len));
}

static void on_client_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct control_client *client = stream->data;
    struct slice question;
    size_t len;

    (void)buffer;
    if (count < 0) {
        close_client(client);
        return;
    }
    client->question_len += (size_t)count;
    question = (struct slice){client->question, client->question_len};
    len = slice_find_byte(question, '\n');
    /* A whole buffer without a line's end is no question either. */
    if (len < question.len || question.len == CONTROL_QUESTION_MAX)
        take_question(client, slice_range(question, 0, len));
}

/* The newest client may be the only one that asks. */
static struct control_client *find_oldest_asking(const struct control_server *server)
{
    struct control_client *client, *oldest = NULL;

    LL_FOREACH (server->clients, client)
        if (client->state == CLIENT_ASKS)
            oldest = client;
    return oldest;
}

static void on_client(uv_stream_t *stream, int status)
{
    struct control_server *server = stream->data;
    struct control_client *client;

    if (status != 0)
        return;
    client = memory_alloc(sizeof(*client));
    *client = (struct control_client){.server = server};
    uv_pipe_init(server->options.loop, &client->pipe, 0);
    client->pipe.data = client;
    LL_PREPEND(server->clients, client);
    server->n_clients++;
    set_client_deadline(client, server->options.ask_timeout_ms);
    if (!uv_is_active((uv_handle_t *)&server->sweep))
        uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0)
        close_client(client);
    else
        uv_read_start((uv_stream_t *)&client->pipe, give_client_buffer, on_client_read);
    if (server->n_clients > CONTROL_CLIENTS_MAX)
        close_client(find_oldest_asking(server));
}

struct control_server *control_server_new(const struct control_server_options *options)
{
    struct control_server *server = memory_alloc(sizeof(*server));

    *server = (struct control_server){.options = *options};
    server->shared = memory_alloc((options->n_rows + 1) * sizeof(*server->shared));
    memset(server->shared, 0, (options->n_rows + 1) * sizeof(*server->shared));
    uv_pipe_init(options->loop, &server->listener, 0);
    server->listener.data = server;
    uv_timer_init(options->loop, &server->sweep);
    server->sweep.data = server;
    return server;
}

static int control_server_refuse(const char *path, int reason, struct err *err)
{
    const struct listen_address address = {.kind = LISTEN_UNIX};
    char hint[SOCKET_HINT_MAX];

    err_io(err, reason, "control: '%s' cannot be opened", path);
    if (reason == EADDRINUSE)
        return err_add(err,
                       "; another mta-stsd is running, and 'mta-stsd --health' reaches it: one "
                       "more needs a control of its own");
    return err_add(err, socket_hint(&address, reason, hint));
}

int control_server_open(struct control_server *server, const char *path, struct err *err)
{
    int fd = socket_open_unix(path, 0600);
    int result;

    /* uv_pipe_bind() calls every reason "permission denied". */
    if (fd < 0)
        return control_server_refuse(path, errno, err);
    server->path = strdup(path);
    result = uv_pipe_open(&server->listener, fd);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&server->listener, ACCEPT_BACKLOG, on_client);
    if (result != 0)
        return err_io(err, -result, "control: '%s' cannot be opened", path);
    return 0;
}

void control_server_renew(struct control_server *server)
{
    memset(server->shared, 0, server->options.n_rows * sizeof(*server->shared));
}

void control_server_close(struct control_server *server)
{
    struct control_client *client, *next;

    if (!server)
        return;
    LL_FOREACH_SAFE (server->clients, client, next)
        close_client(client);
    if (server->path)
        unlink(server->path);
    free(server->path);
    server->path = NULL;
    if (!uv_is_closing((uv_handle_t *)&server->listener))
        uv_close((uv_handle_t *)&server->listener, NULL);
    if (!uv_is_closing((uv_handle_t *)&server->sweep))
        uv_close((uv_handle_t *)&server->sweep, NULL);
}

void control_server_free(struct control_server *server)
{
    if (!server)
        return;
    free(server->shared);
    free(server);
}
