/* SPDX-License-Identifier: MIT */
#include "daemon/worker/peer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "support/room.h"

static void set_peer(h2o_socket_t *sock, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(65535)};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        h2o_socket_setpeername(sock, (struct sockaddr *)&v4, sizeof(v4));
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        h2o_socket_setpeername(sock, (struct sockaddr *)&v6, sizeof(v6));
}

static void test_print(void **state)
{
    static const struct {
        const char *address; /* "": a unix socket */
        const char *want;
    } rows[] = {
        {"", ""},
        {"192.0.2.1", "192.0.2.1:4711"},
        {"::ffff:192.0.2.1", "192.0.2.1:65535"}, /* to a socket of [::] */
        {"2001:db8::1", "[2001:db8::1]:65535"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    };
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char seen[64];
        int peer;
        h2o_socket_t *sock = room_socket(&room, &peer);

        set_peer(sock, rows[i].address);
        peer_print(sock, seen, sizeof(seen));
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', seen '%s'", i, rows[i].want, seen);
        h2o_socket_close(sock);
        close(peer);
    }
    room_close(&room);
}

/* Of a connection that was reset the kernel knows no peer any more; an unconnected socket is one.
 */
static void test_unknown(void **state)
{
    struct room room;
    h2o_socket_t *sock;
    char seen[64], cut[4];

    (void)state;
    room_open(&room, NULL, NULL);
    sock = h2o_evloop_socket_create(room.loop, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    peer_print(sock, seen, sizeof(seen));
    assert_string_equal(seen, "unknown");
    peer_print(sock, cut, sizeof(cut));
    assert_string_equal(cut, "unk");
    h2o_socket_close(sock);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
