/* SPDX-License-Identifier: MIT */
#include "daemon/worker/read_stage.h"

#include <h2o.h>

#include "daemon/worker/connection.h"

static void read_stage_on_read(h2o_socket_t *sock, const char *err)
{
    struct connection *connection = connection_of_socket(sock);

    /* A connection that is ending may still have octets to read, and counts for nothing. */
    if (err || connection->is_ending)
        h2o_socket_close(sock);
    else
        connection->take(connection);
}

void read_stage_begin(struct connection *connection, read_stage_take *take)
{
    connection->take = take;
    h2o_socket_read_start(connection->sock, read_stage_on_read);
    if (connection->sock->input->size > 0)
        take(connection);
}
