/* SPDX-License-Identifier: MIT */
#include "support/shaken.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "daemon/worker/hello.h"

enum {
    ROUNDS = 4, /* more than a handshake has */
};

struct shaken shaken_open(struct room *room, const char *server_name)
{
    char name[256]; /* the macro wants it without const */
    struct shaken shaken = {.room = room, .ctx = SSL_CTX_new(TLS_client_method())};

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to a connection that has ended */
    shaken.connection = room_connect(room, NULL, &shaken.peer);
    hello_begin(shaken.connection);
    assert_int_equal(fcntl(shaken.peer, F_SETFL, O_NONBLOCK), 0);
    shaken.ssl = SSL_new(shaken.ctx);
    SSL_set_fd(shaken.ssl, shaken.peer);
    if (server_name) {
        snprintf(name, sizeof(name), "%s", server_name);
        SSL_set_tlsext_host_name(shaken.ssl, name);
    }
    for (int i = 0; i < ROUNDS; i++) {
        shaken.is_done = SSL_connect(shaken.ssl) == 1;
        ERR_clear_error();
        room_run(room);
    }
    return shaken;
}

void shaken_close(struct shaken *shaken)
{
    SSL_free(shaken->ssl);
    SSL_CTX_free(shaken->ctx);
    close(shaken->peer);
    room_run(shaken->room);
}
