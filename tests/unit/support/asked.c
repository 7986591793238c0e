/* SPDX-License-Identifier: MIT */
#include "support/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/request.h"

void asked_open(struct asked *asked, room_register *reg)
{
    memset(asked, 0, sizeof(*asked));
    room_open(&asked->room, NULL, reg);
}

void asked_close(struct asked *asked)
{
    room_close(&asked->room);
}

void asked_register(h2o_hostconf_t *host, int (*on_request)(h2o_handler_t *, h2o_req_t *))
{
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);

    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
}

/* Cuts the lines of the head, so that each is a text. */
static void asked_cut(struct asked *asked)
{
    char *end = strstr(asked->bytes, "\r\n\r\n");

    assert_non_null(end);
    *end = '\0';
    asked->head = asked->bytes;
    asked->body = end + 4;
    for (char *line = asked->bytes; (line = strstr(line, "\r\n")); line += 2)
        memset(line, 0, 2);
}

void asked_send(struct asked *asked, const char *request)
{
    int peer;
    struct connection *connection = room_connect(&asked->room, NULL, &peer);

    connection_enter(connection, PHASE_REQUEST);
    request_begin(connection);
    room_send(peer, request);
    memset(asked->bytes, 0, sizeof(asked->bytes));
    room_receive(&asked->room, peer, asked->bytes, sizeof(asked->bytes));
    asked->is_last = room_is_ended(peer);
    close(peer);
    room_run(&asked->room);
    asked_cut(asked);
}

const char *asked_field(struct asked *asked, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = asked->bytes; line + 1 < asked->body; line += strlen(line) + 1)
        if (strncasecmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return line + len + 2;
    return "";
}
