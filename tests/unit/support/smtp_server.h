/* SPDX-License-Identifier: MIT */
/**
 * Scripted SMTP servers on loopback: each plays its steps to every client, one after the other, in
 * a thread of its own.
 *
 * What cannot be made fails the running cmocka test.
 */
#pragma once

#include <openssl/types.h>
#include <stddef.h>
#include <sys/socket.h>

enum smtp_step_kind {
    SMTP_STEP_END,     /* waits until the client closes */
    SMTP_STEP_SAY,     /* sends the text */
    SMTP_STEP_HEAR,    /* reads a line, which is to be the text */
    SMTP_STEP_SHAKE,   /* TLS handshake; all that follows is inside */
    SMTP_STEP_CLOSE,   /* closes */
    SMTP_STEP_RESET,   /* closes with a reset */
    SMTP_STEP_FLOOD,   /* sends the text until the client has gone */
    SMTP_STEP_DRIBBLE, /* sends the text octet by octet, one each 5 ms, again and again */
};

struct smtp_step {
    enum smtp_step_kind kind;
    const char *text;
};

struct smtp_server;

/**
 * steps  end with SMTP_STEP_END, which zeroed memory is
 * tls    NULL if no step shakes hands
 */
struct smtp_server *smtp_server_start(const struct smtp_step *steps, SSL_CTX *tls);

/** The same at another address of loopback, 127.0.0.2, and the port of another server. */
struct smtp_server *smtp_server_start_beside(const struct smtp_server *other,
                                             const struct smtp_step *steps, SSL_CTX *tls);

/** Where it listens. */
const struct sockaddr *smtp_server_address(const struct smtp_server *server);

/** Stops it and joins its thread, then fails the test if a client said something else. */
void smtp_server_stop(struct smtp_server *server);

/** How many clients it has accepted; asked after their end. */
unsigned smtp_server_clients(struct smtp_server *server);

/** The server name of the last handshake, "" without. */
const char *smtp_server_name_asked(struct smtp_server *server);
