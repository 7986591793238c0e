/* SPDX-License-Identifier: MIT */
#include "support/smtp_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

struct smtp_server {
    pthread_t thread;
    pthread_mutex_t lock; /* of what the test reads */
    const struct smtp_step *steps;
    SSL_CTX *tls;
    struct sockaddr_in address;
    int fd;
    unsigned n_clients;
    char name_asked[256];
    char fault[600]; /* "": all clients have said what they were to say */
};

struct served {
    int fd;
    SSL *ssl; /* NULL: in clear */
};

static bool served_send(struct served *client, const char *bytes, size_t len)
{
    if (client->ssl)
        return SSL_write(client->ssl, bytes, (int)len) == (int)len;
    return send(client->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static int served_receive_octet(struct served *client, char *ret_octet)
{
    if (client->ssl)
        return SSL_read(client->ssl, ret_octet, 1);
    return (int)recv(client->fd, ret_octet, 1, 0);
}

static bool served_hear(struct smtp_server *server, struct served *client, const char *want)
{
    char line[512];
    size_t len = 0;

    while (len < sizeof(line) - 1 && served_receive_octet(client, &line[len]) == 1)
        if (line[len++] == '\n')
            break;
    line[len] = '\0';
    if (strcmp(line, want) == 0)
        return true;
    pthread_mutex_lock(&server->lock);
    snprintf(server->fault, sizeof(server->fault), "expected <%.200s>, heard <%.300s>", want, line);
    pthread_mutex_unlock(&server->lock);
    return false;
}

static bool served_shake(struct smtp_server *server, struct served *client)
{
    const char *name;
    bool is_done;

    client->ssl = SSL_new(server->tls);
    SSL_set_fd(client->ssl, client->fd);
    is_done = SSL_accept(client->ssl) == 1;
    name = SSL_get_servername(client->ssl, TLSEXT_NAMETYPE_host_name);
    pthread_mutex_lock(&server->lock);
    snprintf(server->name_asked, sizeof(server->name_asked), "%s", name ? name : "");
    pthread_mutex_unlock(&server->lock);
    return is_done;
}

static bool served_dribble(struct served *client, const char *text)
{
    const struct timespec gap = {.tv_nsec = 5000000};

    for (size_t i = 0;; i = (i + 1) % strlen(text)) {
        if (!served_send(client, text + i, 1))
            return false;
        nanosleep(&gap, NULL);
    }
}

static bool served_step(struct smtp_server *server, struct served *client,
                        const struct smtp_step *step)
{
    const struct linger reset = {.l_onoff = 1};
    char octet;

    switch (step->kind) {
    case SMTP_STEP_SAY:
        return served_send(client, step->text, strlen(step->text));
    case SMTP_STEP_HEAR:
        return served_hear(server, client, step->text);
    case SMTP_STEP_SHAKE:
        return served_shake(server, client);
    case SMTP_STEP_RESET:
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        return false;
    case SMTP_STEP_FLOOD:
        while (served_send(client, step->text, strlen(step->text)))
            ;
        return false;
    case SMTP_STEP_DRIBBLE:
        return served_dribble(client, step->text);
    case SMTP_STEP_END:
        while (served_receive_octet(client, &octet) == 1)
            ;
        return false;
    case SMTP_STEP_CLOSE:
        return false;
    }
    return false;
}

static void *server_run(void *data)
{
    struct smtp_server *server = data;

    for (;;) {
        struct served client = {.fd = accept(server->fd, NULL, NULL)};
        if (client.fd < 0)
            return NULL;
        pthread_mutex_lock(&server->lock);
        server->n_clients++;
        pthread_mutex_unlock(&server->lock);
        for (const struct smtp_step *step = server->steps; served_step(server, &client, step);)
            step++;
        SSL_free(client.ssl);
        close(client.fd);
    }
}

static struct smtp_server *server_start_at(in_addr_t address, in_port_t port,
                                           const struct smtp_step *steps, SSL_CTX *tls)
{
    struct smtp_server *server = calloc(1, sizeof(*server));
    socklen_t len = sizeof(server->address);

    assert_non_null(server);
    server->steps = steps;
    server->tls = tls;
    server->address.sin_family = AF_INET;
    server->address.sin_addr.s_addr = htonl(address);
    server->address.sin_port = port;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->fd >= 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&server->address, len), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&server->address, &len), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    pthread_mutex_init(&server->lock, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
    return server;
}

struct smtp_server *smtp_server_start(const struct smtp_step *steps, SSL_CTX *tls)
{
    return server_start_at(INADDR_LOOPBACK, 0, steps, tls);
}

struct smtp_server *smtp_server_start_beside(const struct smtp_server *other,
                                             const struct smtp_step *steps, SSL_CTX *tls)
{
    return server_start_at(INADDR_LOOPBACK + 1, other->address.sin_port, steps, tls);
}

const struct sockaddr *smtp_server_address(const struct smtp_server *server)
{
    return (const struct sockaddr *)&server->address;
}

void smtp_server_stop(struct smtp_server *server)
{
    char fault[sizeof(server->fault)];

    shutdown(server->fd, SHUT_RDWR); /* wakes accept() */
    pthread_join(server->thread, NULL);
    close(server->fd);
    pthread_mutex_destroy(&server->lock);
    strcpy(fault, server->fault);
    free(server);
    if (*fault)
        fail_msg("%s", fault);
}

unsigned smtp_server_clients(struct smtp_server *server)
{
    unsigned n_clients;

    pthread_mutex_lock(&server->lock);
    n_clients = server->n_clients;
    pthread_mutex_unlock(&server->lock);
    return n_clients;
}

const char *smtp_server_name_asked(struct smtp_server *server)
{
    return server->name_asked;
}
