/* SPDX-License-Identifier: MIT */
#include "server/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "base/arena.h"
#include "base/log.h"
#include "http/socket.h"
#include "server/internal.h"

enum {
    CLIENTS_MAX = 64,
    QUESTION_MAX = 64,
    ACCEPT_BACKLOG = 64,
};

struct client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct client *next;
    struct control *control;
    char question[QUESTION_MAX];
    size_t question_len;
    bool waits_for_reload; /* the next one that begins: one under way may have read too early */
    bool is_in_reload;     /* the one under way answers */
    bool forces;
    char *answer; /* being written */
};

struct control {
    struct server *server;
    uv_pipe_t listener;
    char *path;
    bool is_bound; /* the file is ours to remove */
    struct client *clients;
    size_t n_clients;
};

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    LL_DELETE(client->control->clients, client);
    client->control->n_clients--;
    free(client->answer);
    free(client);
}

static void close_client(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_client(write->data);
}

/* Takes over the text. */
static void answer(struct client *client, char *text)
{
    uv_buf_t buffer = uv_buf_init(text, (unsigned)strlen(text));

    uv_read_stop((uv_stream_t *)&client->pipe);
    client->answer = text;
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0)
        close_client(client);
}

static char *served_text(const struct server *server)
{
    const struct config *config = server->config;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    fputs(CONTROL_GOOD "\n", out);
    for (size_t i = 0; i < config->n_domains; i++)
        if (config->domains[i].document)
            fprintf(out, "%s %s\n", config->domains[i].name, config->domains[i].document->id);
    fclose(out);
    return text;
}

static const char *health_text(const struct server *server)
{
    if (server->phase != PHASE_SERVING)
        return CONTROL_REFUSED "\nending\n";
    if (atomic_load(&server->tally.n_loops_stalled) > 0)
        return CONTROL_REFUSED "\nthe loop of a worker stands still\n";
    return CONTROL_GOOD "\nserving\n";
}

static void take_question(struct client *client)
{
    struct server *server = client->control->server;
    const char *question = client->question;

    if (strcmp(question, "reload") == 0 || strcmp(question, "reload force") == 0) {
        uv_read_stop((uv_stream_t *)&client->pipe);
        client->waits_for_reload = true;
        client->forces = strcmp(question, "reload force") == 0;
        reload_start(server);
    } else if (strcmp(question, "health") == 0) {
        answer(client, strdup(health_text(server)));
    } else if (strcmp(question, "served") == 0) {
        answer(client, served_text(server));
    } else {
        answer(client, strdup(CONTROL_REFUSED "\nthe question is not understood\n"));
    }
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct client *client = handle->data;

    (void)suggested;
    *ret_buffer = uv_buf_init(client->question + client->question_len,
                              (unsigned)(QUESTION_MAX - 1 - client->question_len));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    char *end;

    (void)buffer;
    if (count < 0) {
        close_client(client);
        return;
    }
    client->question_len += (size_t)count;
    client->question[client->question_len] = '\0';
    end = strchr(client->question, '\n');
    if (end) {
        *end = '\0';
        take_question(client);
    } else if (client->question_len == QUESTION_MAX - 1) {
        close_client(client);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = stream->data;
    struct client *client;

    if (status != 0)
        return;
    client = memory_alloc(sizeof(*client));
    *client = (struct client){.control = control};
    uv_pipe_init(&control->server->loop, &client->pipe, 0);
    client->pipe.data = client;
    LL_PREPEND(control->clients, client);
    control->n_clients++;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0 || control->n_clients > CLIENTS_MAX)
        close_client(client);
    else
        uv_read_start((uv_stream_t *)&client->pipe, give_buffer, on_read);
}

static int listen_at(struct control *control, struct err *err)
{
    int fd = socket_open_unix(control->path, 0600);
    int result;

    /* uv_pipe_bind() calls every reason "permission denied". */
    if (fd < 0)
        return err_io(err, errno, "control: '%s' cannot be opened", control->path);
    control->is_bound = true;
    result = uv_pipe_open(&control->listener, fd);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&control->listener, ACCEPT_BACKLOG, on_connection);
    if (result != 0)
        return err_io(err, -result, "control: '%s' cannot be opened", control->path);
    return account_take_file(&control->server->account, control->path, err);
}

int control_open(struct server *server, struct err *err)
{
    struct control *control = memory_alloc(sizeof(*control));

    *control = (struct control){.server = server, .path = strdup(server->config->control)};
    server->control = control;
    uv_pipe_init(&server->loop, &control->listener, 0);
    control->listener.data = control;
    if (listen_at(control, err) == 0)
        return 0;
    if (!server->config->has_default_control)
        return -1;
    /* Nobody asked for it by name, and a daemon started by hand may have no /run of its own. */
    log_line(LOG_INFO,
             "%s; --reload and --health work once its folder is there and the daemon's user may "
             "write to it, SIGHUP does without",
             err->msg);
    return 0;
}

bool control_begin_reload(struct control *control)
{
    struct client *client;
    bool forces = false;

    if (!control)
        return false;
    LL_FOREACH (control->clients, client) {
        if (!client->waits_for_reload)
            continue;
        client->waits_for_reload = false;
        client->is_in_reload = true;
        forces = forces || client->forces;
    }
    return forces;
}

void control_end_reload(struct control *control, const char *outcome, const char *text)
{
    struct client *client, *next;

    if (!control)
        return;
    LL_FOREACH_SAFE (control->clients, client, next) {
        char *whole;

        if (!client->is_in_reload)
            continue;
        client->is_in_reload = false;
        if (asprintf(&whole, "%s\n%s", outcome, text) < 0)
            abort();
        answer(client, whole);
    }
}

void control_close(struct control *control)
{
    struct client *client, *next;

    if (!control)
        return;
    LL_FOREACH_SAFE (control->clients, client, next)
        close_client(client);
    if (control->is_bound)
        unlink(control->path);
    control->is_bound = false;
    if (!uv_is_closing((uv_handle_t *)&control->listener))
        uv_close((uv_handle_t *)&control->listener, NULL);
}

void control_free(struct control *control)
{
    if (!control)
        return;
    free(control->path);
    free(control);
}
