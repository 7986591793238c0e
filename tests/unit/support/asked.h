/* SPDX-License-Identifier: MIT */
/**
 * Requests to handlers in a room, over plain connections, and what is answered.
 */
#pragma once

#include <h2o.h>

#include "support/room.h"

struct asked {
    struct room room;
    char bytes[8192];
    const char *head; /* the status line of the last answer */
    const char *body; /* NUL-terminated */
    bool is_last;     /* whether the connection has ended with it */
};

/** Makes a room with these handlers. */
void asked_open(struct asked *asked, room_register *reg);

void asked_close(struct asked *asked);

/** Makes `on_request` the handler of all paths of the host. */
void asked_register(h2o_hostconf_t *host, int (*on_request)(h2o_handler_t *, h2o_req_t *));

/** Sends a request over a new connection and takes the answer. */
void asked_send(struct asked *asked, const char *request);

/** A field of the answer by its name in lower case; "" if it has none. Valid until the next call.
 */
const char *asked_field(struct asked *asked, const char *name);
