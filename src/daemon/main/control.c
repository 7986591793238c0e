/* SPDX-License-Identifier: MIT */
#include "daemon/control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "daemon/main/internal.h"
#include "daemon/net/listen.h"
#include "lib/base/arena.h"
#include "lib/base/log.h"

enum {
    CLIENTS_MAX = 64,
    QUESTION_MAX = 64,
    ACCEPT_BACKLOG = 64,
    SWEEP_MS = 1000,
    ASK_TIMEOUT_MS = 5 * 1000,
    READ_TIMEOUT_MS = 10 * 1000, /* for a piece of the answer */
};

enum client_state {
    CLIENT_ASKS,
    CLIENT_WAITS,     /* for the next reload that begins: one under way may have read too early */
    CLIENT_IN_RELOAD, /* the one under way answers; however long it takes */
    CLIENT_READS,
};

/* An answer that several may be reading. */
struct control_text {
    size_t n_references;
    char *bytes;
};

struct client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct client *next; /* who has come before */
    struct control *control;
    enum client_state state;
    uint64_t give_up_at_ms; /* while it asks or reads */
    char question[QUESTION_MAX];
    size_t question_len;
    bool forces;
    struct control_text *text; /* being written */
    size_t n_unwritten;        /* of its bytes, at the last look */
};

struct control {
    struct server *server;
    uv_pipe_t listener;
    uv_timer_t sweep; /* runs while there are clients */
    char *path;
    bool is_bound; /* the file is ours to remove */
    struct client *clients;
    size_t n_clients;
    struct control_text *served; /* by the snapshot that serves; NULL: nobody reads that now */
};

/* Takes over the bytes. */
static struct control_text *text_new(char *bytes)
{
    struct control_text *text = memory_alloc(sizeof(*text));

    text->n_references = 1;
    text->bytes = bytes;
    return text;
}

static struct control_text *text_ref(struct control_text *text)
{
    text->n_references++;
    return text;
}

static void text_unref(struct control *control, struct control_text *text)
{
    if (!text || --text->n_references > 0)
        return;
    if (control->served == text)
        control->served = NULL;
    free(text->bytes);
    free(text);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    text_unref(client->control, client->text);
    free(client);
}

static void close_client(struct client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    LL_DELETE(client->control->clients, client);
    client->control->n_clients--;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void set_deadline(struct client *client, unsigned timeout_ms)
{
    client->give_up_at_ms = uv_now(&client->control->server->loop) + timeout_ms;
}

/* Whoever takes some of its answer gets time for more of it. */
static void look_at_client(struct client *client)
{
    size_t n_unwritten = uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe);

    if (client->state == CLIENT_READS && n_unwritten < client->n_unwritten) {
        client->n_unwritten = n_unwritten;
        set_deadline(client, READ_TIMEOUT_MS);
    }
    if ((client->state == CLIENT_ASKS || client->state == CLIENT_READS) &&
        uv_now(&client->control->server->loop) >= client->give_up_at_ms)
        close_client(client);
}

static void on_sweep(uv_timer_t *timer)
{
    struct control *control = timer->data;
    struct client *client, *next;

    LL_FOREACH_SAFE (control->clients, client, next)
        look_at_client(client);
    if (!control->clients)
        uv_timer_stop(timer);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_client(write->data);
}

/* Takes over the reference. */
static void answer_text(struct client *client, struct control_text *text)
{
    uv_buf_t buffer = uv_buf_init(text->bytes, (unsigned)strlen(text->bytes));

    uv_read_stop((uv_stream_t *)&client->pipe);
    client->state = CLIENT_READS;
    client->text = text;
    client->n_unwritten = buffer.len;
    set_deadline(client, READ_TIMEOUT_MS);
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) != 0)
        close_client(client);
}

/* Takes over the bytes. */
static void answer(struct client *client, char *bytes)
{
    answer_text(client, text_new(bytes));
}

static char *print_served(const struct config *config)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);

    fputs(CONTROL_GOOD "\n", out);
    for (size_t i = 0; i < config->n_domains; i++)
        if (config->domains[i].document)
            fprintf(out, "%s %s\n", config->domains[i].name, config->domains[i].document->id);
    fclose(out);
    return bytes;
}

static const char *health_text(const struct server *server)
{
    if (server->phase != PHASE_SERVING)
        return CONTROL_REFUSED "\nending\n";
    if (atomic_load(&server->tally.n_loops_stalled) > 0)
        return CONTROL_REFUSED "\nthe loop of a worker stands still\n";
    return CONTROL_GOOD "\nserving\n";
}

/* It has megabytes with many domains: all who read at the same time read the same. */
static struct control_text *served_text(struct control *control)
{
    if (control->served)
        return text_ref(control->served);
    control->served = text_new(print_served(control->server->config));
    return control->served;
}

static void take_question(struct client *client, struct slice question)
{
    struct server *server = client->control->server;

    if (slice_eq_text(question, "reload") || slice_eq_text(question, "reload force")) {
        uv_read_stop((uv_stream_t *)&client->pipe);
        client->state = CLIENT_WAITS;
        client->forces = slice_eq_text(question, "reload force");
        reload_start(server);
    } else if (slice_eq_text(question, "health")) {
        answer(client, strdup(health_text(server)));
    } else if (slice_eq_text(question, "served")) {
        answer_text(client, served_text(client->control));
    } else {
        answer(client, strdup(CONTROL_REFUSED "\nthe question is not understood\n"));
    }
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct client *client = handle->data;

    (void)suggested;
    *ret_buffer = uv_buf_init(client->question + client->question_len,
                              (unsigned)(QUESTION_MAX - client->question_len));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
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
    if (len < question.len || question.len == QUESTION_MAX)
        take_question(client, slice_range(question, 0, len));
}

/* The newest may be the only one of them. */
static struct client *find_oldest_asking(const struct control *control)
{
    struct client *client, *oldest = NULL;

    LL_FOREACH (control->clients, client)
        if (client->state == CLIENT_ASKS)
            oldest = client;
    return oldest;
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
    set_deadline(client, ASK_TIMEOUT_MS);
    if (!uv_is_active((uv_handle_t *)&control->sweep))
        uv_timer_start(&control->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0)
        close_client(client);
    else
        uv_read_start((uv_stream_t *)&client->pipe, give_buffer, on_read);
    if (control->n_clients > CLIENTS_MAX)
        close_client(find_oldest_asking(control));
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
    return account_chown(&control->server->account, control->path, err);
}

int control_open(struct server *server, struct err *err)
{
    struct control *control = memory_alloc(sizeof(*control));

    *control = (struct control){.server = server, .path = strdup(server->config->control)};
    server->control = control;
    uv_pipe_init(&server->loop, &control->listener, 0);
    control->listener.data = control;
    uv_timer_init(&server->loop, &control->sweep);
    control->sweep.data = control;
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
        if (client->state != CLIENT_WAITS)
            continue;
        client->state = CLIENT_IN_RELOAD;
        forces = forces || client->forces;
    }
    return forces;
}

void control_end_reload(struct control *control, const char *outcome, const char *text)
{
    struct control_text *whole;
    struct client *client, *next;
    char *bytes;

    if (!control)
        return;
    control->served = NULL; /* another snapshot may serve; who reads the text keeps it */
    if (asprintf(&bytes, "%s\n%s", outcome, text) < 0)
        abort();
    whole = text_new(bytes);
    LL_FOREACH_SAFE (control->clients, client, next)
        if (client->state == CLIENT_IN_RELOAD)
            answer_text(client, text_ref(whole));
    text_unref(control, whole);
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
