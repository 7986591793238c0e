/* SPDX-License-Identifier: MIT */
#include "daemon/worker/hello.h"

#include <stdbool.h>

#include <h2o.h>

#include "daemon/worker/connection.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/first_octets.h"
#include "daemon/worker/read_stage.h"
#include "daemon/worker/request.h"

enum {
    CONTENT_HANDSHAKE = 22,
    RECORD_HEADER_LEN = 5,
    RECORD_MAX = 16 * 1024,
    MESSAGE_HEADER_LEN = 4,
};

static void hello_on_handshake(h2o_socket_t *sock, const char *err)
{
    struct connection *connection = connection_of_socket(sock);

    if (err || connection->is_ending)
        h2o_socket_close(sock);
    else
        request_begin(connection);
}

static size_t hello_record_len(const h2o_buffer_t *input)
{
    const unsigned char *octets = (const unsigned char *)input->bytes;

    return (size_t)octets[3] << 8 | octets[4];
}

/* Also true of octets that are no handshake record: OpenSSL refuses these at once. */
static bool hello_has_first_record(const h2o_buffer_t *input)
{
    size_t len;

    if (input->size > 0 && (unsigned char)input->bytes[0] != CONTENT_HANDSHAKE)
        return true;
    if (input->size < RECORD_HEADER_LEN)
        return false;
    len = hello_record_len(input);
    return len > RECORD_MAX || input->size >= RECORD_HEADER_LEN + len;
}

/* What OpenSSL allocates for a large message: a third more than its size. */
static size_t hello_message_cost(const h2o_buffer_t *input)
{
    const unsigned char *message = (const unsigned char *)input->bytes + RECORD_HEADER_LEN;
    size_t len;

    if (input->size < RECORD_HEADER_LEN + MESSAGE_HEADER_LEN ||
        hello_record_len(input) < MESSAGE_HEADER_LEN)
        return COST_HELLO_MAX;
    len = (size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3];
    if (len < RECORD_MAX)
        return 0;
    return len < COST_HELLO_MAX / 4 * 3 ? len / 3 * 4 : COST_HELLO_MAX;
}

static void hello_take(struct connection *connection)
{
    h2o_socket_t *sock = connection->sock;

    if (!hello_has_first_record(sock->input)) {
        connection_hold(connection, COST_CONNECTION + sock->input->capacity);
        return;
    }
    h2o_socket_read_stop(sock);
    connection_hold(connection, COST_HANDSHAKE + hello_message_cost(sock->input));
    if (connection->is_ending) {
        h2o_socket_close(sock);
        return;
    }
    first_octets_log(connection);
    h2o_socket_ssl_handshake(sock, connection->kind->ssl_ctx, NULL, hello_on_handshake);
}

void hello_begin(struct connection *connection)
{
    connection_enter(connection, PHASE_HANDSHAKE);
    read_stage_begin(connection, hello_take);
}

void hello_expect_another(struct connection *connection)
{
    connection_hold(connection, COST_HANDSHAKE + COST_HELLO_MAX);
}

void hello_answered(struct connection *connection)
{
    connection_hold(connection,
                    connection->share.bytes - (COST_HANDSHAKE - COST_HANDSHAKE_ANSWERED));
}
