/* SPDX-License-Identifier: MIT */
#include "check/server_query.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define NAME "_mta-sts.example.com"
#define TEXT "v=STSv1; id=1;"

enum {
    MESSAGE_MAX = 8192,
    LARGE = 40, /* records, more than a datagram's 512 octets hold */
};

/* What a name server does with the question once it has come over TCP. */
enum stream_manner {
    STREAM_WHOLE,
    STREAM_DRIBBLED,  /* octet by octet */
    STREAM_TWO,       /* another message follows at once */
    STREAM_FOREIGN,   /* the id of another question */
    STREAM_CUT,       /* closed in the middle */
    STREAM_REFUSED,   /* nothing listens */
    STREAM_UNWANTED,  /* the datagram holds all */
    DATAGRAM_FOREIGN, /* one with another id comes first, then the right one */
};

struct name_server {
    enum stream_manner manner;
    int datagrams, listener;
    struct sockaddr_in address;
    pthread_t thread;
};

struct heard {
    enum server_end end;
    size_t n_rdata;
    bool is_text;
    unsigned n_calls;
};

/* The question turned into an answer with records at its name. Returns its length. */
static size_t answer_make(unsigned char *message, size_t question_len, unsigned n_records,
                          bool is_truncated)
{
    static const unsigned char start[] = {0xc0, 0x0c, 0, ns_t_txt, 0, ns_c_in, 0, 0, 1, 0};
    size_t len = question_len;

    message[2] = (unsigned char)(0x84 | (is_truncated ? 0x02 : 0)); /* QR, AA */
    message[6] = 0;
    message[7] = (unsigned char)n_records;
    for (unsigned i = 0; i < n_records; i++) {
        memcpy(message + len, start, sizeof(start));
        len += sizeof(start);
        message[len++] = 0;
        message[len++] = sizeof(TEXT);
        message[len++] = sizeof(TEXT) - 1;
        memcpy(message + len, TEXT, sizeof(TEXT) - 1);
        len += sizeof(TEXT) - 1;
    }
    return len;
}

static void stream_send(int client, const unsigned char *bytes, size_t len, size_t step)
{
    for (size_t i = 0; i < len; i += step) {
        size_t n = len - i < step ? len - i : step;

        if (send(client, bytes + i, n, MSG_NOSIGNAL) != (ssize_t)n)
            return;
    }
}

static void stream_answer(const struct name_server *server)
{
    unsigned char bytes[2 + MESSAGE_MAX], *message = bytes + 2;
    int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
    size_t len;

    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (recv(client, bytes, 2, MSG_WAITALL) != 2)
        return;
    len = ns_get16(bytes);
    if (len > 512 || recv(client, message, len, MSG_WAITALL) != (ssize_t)len)
        return;
    len = answer_make(message, len, LARGE, false);
    ns_put16((unsigned)len, bytes);
    if (server->manner == STREAM_FOREIGN)
        message[0] ^= 1;
    stream_send(client, bytes, server->manner == STREAM_CUT ? len / 2 : len + 2,
                server->manner == STREAM_DRIBBLED ? 1 : len + 2);
    if (server->manner == STREAM_TWO)
        stream_send(client, bytes, len + 2, len + 2);
    close(client);
}

static void *server_run(void *context)
{
    const struct name_server *server = context;
    unsigned char message[MESSAGE_MAX];
    struct sockaddr_in client;
    socklen_t size = sizeof(client);
    ssize_t len = recvfrom(server->datagrams, message, 512, 0, (struct sockaddr *)&client, &size);
    bool fits = server->manner == STREAM_UNWANTED || server->manner == DATAGRAM_FOREIGN;

    if (len < 0)
        return NULL;
    len = (ssize_t)answer_make(message, (size_t)len, fits ? 2 : 0, !fits);
    if (server->manner == DATAGRAM_FOREIGN) {
        message[0] ^= 1;
        message[3] = ns_r_refused;
        sendto(server->datagrams, message, (size_t)len, 0, (struct sockaddr *)&client, size);
        message[0] ^= 1;
        message[3] = 0;
    }
    sendto(server->datagrams, message, (size_t)len, 0, (struct sockaddr *)&client, size);
    if (!fits && server->manner != STREAM_REFUSED)
        stream_answer(server);
    return NULL;
}

static void server_start(struct name_server *server, enum stream_manner manner)
{
    socklen_t size = sizeof(server->address);

    *server = (struct name_server){
        .manner = manner,
        .datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        .address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}},
    };
    assert_int_equal(bind(server->listener, (struct sockaddr *)&server->address, size), 0);
    getsockname(server->listener, (struct sockaddr *)&server->address, &size);
    assert_int_equal(bind(server->datagrams, (struct sockaddr *)&server->address, size), 0);
    if (manner != STREAM_REFUSED)
        assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_stop(struct name_server *server)
{
    pthread_join(server->thread, NULL);
    close(server->datagrams);
    close(server->listener);
}

static void on_answered(void *context, const struct server_answer *answer)
{
    struct heard *heard = context;

    heard->n_calls++;
    heard->end = answer->end;
    heard->n_rdata = answer->n_rdata;
    heard->is_text = true;
    for (size_t i = 0; i < answer->n_rdata; i++)
        if (answer->rdata[i].len != sizeof(TEXT) ||
            memcmp(answer->rdata[i].ptr + 1, TEXT, sizeof(TEXT) - 1) != 0)
            heard->is_text = false;
}

static struct heard server_ask_once(enum stream_manner manner)
{
    struct name_server server;
    struct heard heard = {0};
    uv_loop_t loop;

    server_start(&server, manner);
    assert_int_equal(uv_loop_init(&loop), 0);
    server_query_start(&loop, (const struct sockaddr *)&server.address, NAME, on_answered, &heard);
    assert_int_equal(heard.n_calls, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    server_stop(&server);
    assert_int_equal(heard.n_calls, 1);
    return heard;
}

static void test_datagram(void **state)
{
    static const enum stream_manner manners[] = {STREAM_UNWANTED, DATAGRAM_FOREIGN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        struct heard heard = server_ask_once(manners[i]);

        assert_int_equal(heard.end, SERVER_ANSWERED);
        assert_int_equal(heard.n_rdata, 2);
        assert_true(heard.is_text);
    }
}

static void test_truncated(void **state)
{
    static const enum stream_manner manners[] = {STREAM_WHOLE, STREAM_DRIBBLED, STREAM_TWO};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        struct heard heard = server_ask_once(manners[i]);

        assert_int_equal(heard.end, SERVER_ANSWERED);
        assert_int_equal(heard.n_rdata, SERVER_RDATA_MAX);
        assert_true(heard.is_text);
    }
}

/* A truncated answer is not taken for one without records. */
static void test_no_stream(void **state)
{
    (void)state;
    assert_int_equal(server_ask_once(STREAM_CUT).end, SERVER_SILENT);
    assert_int_equal(server_ask_once(STREAM_REFUSED).end, SERVER_SILENT);
    assert_int_equal(server_ask_once(STREAM_FOREIGN).end, SERVER_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagram),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_no_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
