/* SPDX-License-Identifier: MIT */
#include "daemon/net/socket_hint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/config/config.h"

static void test_hints(void **state)
{
    static const struct {
        enum listen_kind kind;
        uint16_t port;
        int reason;
        const char *want; /* a part of the hint; NULL: there is none */
    } rows[] = {
        {LISTEN_TCP, 443, EACCES, "CAP_NET_BIND_SERVICE"},
        {LISTEN_TCP, 1023, EACCES, "below 1024"},
        {LISTEN_TCP, 1024, EACCES, NULL},
        {LISTEN_TCP, 443, EADDRNOTAVAIL, "'ip address'"},
        {LISTEN_TCP, 65535, EADDRINUSE, "'ss -ltnp sport = :65535' names it"},
        {LISTEN_TCP, 443, EMFILE, NULL},
        {LISTEN_UNIX, 0, ENOENT, "make its folder"},
        {LISTEN_UNIX, 0, EACCES, "write to its folder"},
        {LISTEN_UNIX, 0, EADDRINUSE, "another mta-stsd"},
        {LISTEN_UNIX, 0, EEXIST, "no socket"},
        {LISTEN_UNIX, 0, EADDRNOTAVAIL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct listen_address address = {.kind = rows[i].kind, .port = rows[i].port};
        char hint[SOCKET_HINT_MAX];

        socket_hint(&address, rows[i].reason, hint);
        if (rows[i].want ? !strstr(hint, rows[i].want) || strncmp(hint, "; ", 2) != 0
                         : hint[0] != '\0')
            fail_msg("row %zu: '%s'", i, hint);
        assert_true(strlen(hint) < SOCKET_HINT_MAX - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
