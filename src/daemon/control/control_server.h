/* SPDX-License-Identifier: MIT */
/**
 * The control server: answers those who ask the running daemon over its control socket
 * (daemon/control/control.h), by a table of questions.
 *
 * Clients that say nothing or read nothing are disconnected; those who wait for an answer that
 * takes time leave room for the others. Belongs to one loop and its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct control_client;
struct control_server;
struct err;
struct uv_loop_s;

enum {
    CONTROL_CLIENTS_MAX = 64,
    CONTROL_WAITING_MAX = 48,            /* of them, for a question that takes time */
    CONTROL_ASK_TIMEOUT_MS = 5 * 1000,   /* for the whole question */
    CONTROL_READ_TIMEOUT_MS = 10 * 1000, /* for a piece of the answer */
};

/** A question and who answers it: either of the two functions. */
struct control_row {
    const char *question;

    /** Answers at once: returns the whole answer, its outcome's line first; freed. */
    char *(*answer)(void *context);

    /** Takes time: control_client_answer() follows once, maybe at once. */
    void (*begin)(void *context, struct control_client *client);

    /** The answer is large: those who read it at the same time share one. */
    bool is_shared;
};

struct control_server_options {
    struct uv_loop_s *loop;
    const struct control_row *rows;
    size_t n_rows;
    unsigned ask_timeout_ms, read_timeout_ms;
    void *context; /* of the rows; lives as long as the server, as they do */
};

/** Never returns NULL. */
struct control_server *control_server_new(const struct control_server_options *options);

/**
 * Listens at `path`, with mode 0600.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int control_server_open(struct control_server *server, const char *path, struct err *err);

/** Sends the answer to a `begin`. The client may have left. */
void control_client_answer(struct control_client *client, const char *outcome, const char *text);

/** What shared answers tell has changed: those who ask from now on get a new one. */
void control_server_renew(struct control_server *server);

/**
 * Leaves all clients, closes and removes the socket. Each `begin` was answered. Takes NULL; may be
 * called again.
 */
void control_server_close(struct control_server *server);

/** Takes NULL. After control_server_close(), and the loop has closed all handles. */
void control_server_free(struct control_server *server);
