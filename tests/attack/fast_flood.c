/* SPDX-License-Identifier: MIT */
/*
 * Floods for which floods.py is too slow: the server shall have the greater part of the work.
 * usage: fast_flood KIND ADDRESS PORT CONNECTIONS SECONDS [SOURCE...]
 *
 * KIND  shakes       a ClientHello, the first octet of the answer, the end
 *       fetches      a whole handshake and a fetch
 *       reports      a whole handshake and a TLS report
 *       key-updates  a handshake, then KeyUpdates until the server has enough of them
 *
 * A thread holds each connection and replaces it when it has ended, for so long or until SIGTERM.
 * It prints and ends as floods.py does.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define HOST "mta-sts.example.com"

enum {
    TIMEOUT_S = 10,
    PAUSE_US = 20000, /* after a connection that was refused */
    BATCH_LEN = 60000 /* KeyUpdates to be sent at once */
};

static const char fetch_request[] = "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " HOST "\r\n"
                                    "Connection: close\r\n\r\n";
static const char report_request[] = "POST /tlsrpt HTTP/1.1\r\nHost: " HOST "\r\n"
                                     "Content-Type: application/tlsrpt+json\r\n"
                                     "Content-Length: 2\r\n\r\n{}";

static struct sockaddr_in server;
static char **sources;
static size_t n_sources;
static SSL_CTX *context;
static const char *request;
static unsigned char hello[1024];
static size_t hello_len;
static _Atomic unsigned long n_connected, n_refused, n_ended, n_tried;

static bool send_all(int fd, const unsigned char *data, size_t len)
{
    while (len > 0) {
        ssize_t n_sent = send(fd, data, len, MSG_NOSIGNAL);

        if (n_sent <= 0)
            return false;
        data += n_sent;
        len -= (size_t)n_sent;
    }
    return true;
}

static SSL *ssl_new(void)
{
    SSL *ssl = SSL_new(context);

    if (!ssl || !SSL_set_tlsext_host_name(ssl, HOST))
        abort();
    SSL_set_connect_state(ssl);
    return ssl;
}

static bool shake(int fd)
{
    unsigned char octet;

    return send_all(fd, hello, hello_len) && recv(fd, &octet, 1, 0) == 1;
}

static bool fetch(int fd, SSL *ssl)
{
    char answer[4096];
    int len = 0;

    if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
        return false;
    for (int n = 0; (n = SSL_read(ssl, answer, sizeof(answer))) > 0;)
        len += n;
    (void)fd;
    return len > 0;
}

/* They are collected in memory: a write for each would leave the server time to rest. */
static bool update_keys(int fd, SSL *ssl)
{
    static _Thread_local unsigned char batch[2 * BATCH_LEN];
    BIO *outgoing = BIO_new(BIO_s_mem());
    int len;

    SSL_set0_wbio(ssl, outgoing);
    do {
        while (BIO_pending(outgoing) < BATCH_LEN)
            if (!SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) || SSL_do_handshake(ssl) != 1)
                return false;
        len = BIO_read(outgoing, batch, sizeof(batch));
    } while (len > 0 && send_all(fd, batch, (size_t)len));
    return false;
}

static bool (*after_handshake)(int fd, SSL *ssl); /* NULL: there is none to wait for */

static bool attack(int fd)
{
    bool is_done;
    SSL *ssl;

    if (!after_handshake)
        return shake(fd);
    ssl = ssl_new();
    is_done = SSL_set_fd(ssl, fd) && SSL_connect(ssl) == 1 && after_handshake(fd, ssl);
    ERR_clear_error();
    SSL_free(ssl);
    return is_done;
}

/* Returns a connected socket, or -1. */
static int connect_from(const char *source)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if ((source && (inet_pton(AF_INET, source, &from.sin_addr) != 1 ||
                    bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)) ||
        connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void *live(void *arg)
{
    size_t number = (size_t)(uintptr_t)arg;
    const char *source = n_sources > 0 ? sources[number % n_sources] : NULL;

    for (bool is_first = true;; is_first = false) {
        int fd = connect_from(source);

        n_tried += is_first;
        if (fd < 0) {
            n_refused++;
            usleep(PAUSE_US);
            continue;
        }
        n_connected++;
        n_ended += !attack(fd);
        close(fd);
    }
    return NULL;
}

static void choose(const char *kind)
{
    if (strcmp(kind, "fetches") == 0) {
        after_handshake = fetch;
        request = fetch_request;
    } else if (strcmp(kind, "reports") == 0) {
        after_handshake = fetch;
        request = report_request;
    } else if (strcmp(kind, "key-updates") == 0) {
        after_handshake = update_keys;
    } else if (strcmp(kind, "shakes") != 0) {
        fprintf(stderr, "fast_flood: '%s' is not shakes, fetches, reports or key-updates\n", kind);
        exit(2);
    }
}

static void make_hello(void)
{
    SSL *ssl = ssl_new();
    BIO *outgoing = BIO_new(BIO_s_mem());

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), outgoing);
    SSL_do_handshake(ssl);
    hello_len = (size_t)BIO_read(outgoing, hello, sizeof(hello));
    ERR_clear_error();
    SSL_free(ssl);
}

/* The threads inherit the blocked signal, so that the first one alone waits for it. */
static void run(unsigned long n_connections, time_t seconds)
{
    struct timespec poll = {.tv_nsec = 50000000}, rest = {.tv_sec = seconds};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (unsigned long i = 0; i < n_connections; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, live, (void *)(uintptr_t)i) != 0)
            abort();
    }
    while (n_tried < n_connections)
        nanosleep(&poll, NULL);
    puts("ready");
    fflush(stdout);
    sigtimedwait(&signals, NULL, &rest);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: fast_flood KIND ADDRESS PORT CONNECTIONS SECONDS [SOURCE...]\n", stderr);
        return 2;
    }
    choose(argv[1]);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10))};
    inet_pton(AF_INET, argv[2], &server.sin_addr);
    sources = argv + 6;
    n_sources = (size_t)argc - 6;
    context = SSL_CTX_new(TLS_client_method());
    make_hello();
    alarm((unsigned)strtoul(argv[5], NULL, 10) + 2 * TIMEOUT_S);
    run(strtoul(argv[4], NULL, 10), (time_t)strtoul(argv[5], NULL, 10));
    printf("{\"connected\": %lu, \"refused\": %lu, \"ended\": %lu}\n", n_connected, n_refused,
           n_ended);
    fflush(stdout);
    _exit(0); /* the threads are still at it */
}
