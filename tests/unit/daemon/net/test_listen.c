/* SPDX-License-Identifier: MIT */
#include "daemon/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    N_FDS = 3,
};

static void test_names(void **state)
{
    static const struct {
        struct listen_address address;
        const char *name;
    } rows[] = {
        {{.kind = LISTEN_TCP, .host = "0.0.0.0", .port = 443}, "0.0.0.0:443"},
        {{.kind = LISTEN_TCP, .host = "127.0.0.1", .port = 65535}, "127.0.0.1:65535"},
        {{.kind = LISTEN_TCP, .host = "::", .port = 443}, "[::]:443"},
        {{.kind = LISTEN_TCP, .host = "0:0::0:0", .port = 443}, "[::]:443"},
        {{.kind = LISTEN_TCP, .host = "2001:DB8:0:0::1", .port = 0}, "[2001:db8::1]:0"},
        {{.kind = LISTEN_UNIX, .host = "/run/x"}, "unix:/run/x"},
    };
    int n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[SOCKET_NAME_MAX];

        listen_address_name(&rows[i].address, name);
        if (strcmp(name, rows[i].name) == 0)
            continue;
        print_error("row %zu: wanted %s, seen %s\n", i, rows[i].name, name);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

static const struct listen_address loopback = {
    .kind = LISTEN_TCP, .text = "127.0.0.1:0", .host = "127.0.0.1"};

/* A socket as somebody else would pass it on: blocking, and open across exec. */
static int bind_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_adopt(void **state)
{
    int fd = bind_loopback(), fds[N_FDS], value;
    char name[SOCKET_NAME_MAX], other[SOCKET_NAME_MAX];
    socklen_t len = sizeof(value);
    struct err err;

    (void)state;
    assert_int_equal(listen(fd, 1), 0);
    socket_name(fd, name);
    assert_int_equal(sockets_adopt(&loopback, fd, fds, N_FDS, &err), 0);
    assert_int_equal(fds[0], fd);
    for (size_t i = 0; i < N_FDS; i++) {
        assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
        socket_name(fds[i], other);
        assert_string_equal(other, name);
    }
    /* The kernel doubles what it is asked for. */
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len), 0);
    assert_int_equal(value, 64 * 1024);
    sockets_close(&loopback, fds, N_FDS);
}

static void test_adopt_refuses(void **state)
{
    int pipes[2], fd = bind_loopback(), fds[N_FDS];
    char name[SOCKET_NAME_MAX];
    struct err err;

    (void)state;
    assert_int_equal(sockets_adopt(&loopback, fd, fds, N_FDS, &err), -1); /* does not listen */
    assert_int_equal(err.sys_errno, EINVAL);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    socket_name(pipes[0], name);
    assert_string_equal(name, "?");
    assert_int_equal(sockets_adopt(&loopback, pipes[0], fds, N_FDS, &err), -1);
    assert_int_equal(err.sys_errno, ENOTSOCK);
    close(pipes[1]);
}

/* A path as long as the kernel takes: there is no NUL behind it. */
static void test_longest_path(void **state)
{
    struct {
        struct sockaddr_un un;
        char end; /* valgrind looks for a NUL behind the path */
    } address = {.un.sun_family = AF_UNIX};
    char directory[] = "/tmp/mta-stsd-XXXXXX", name[SOCKET_NAME_MAX], want[SOCKET_NAME_MAX];
    char path[sizeof(address.un.sun_path) + 1];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_non_null(mkdtemp(directory));
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    memcpy(path, directory, strlen(directory));
    path[strlen(directory)] = '/';
    memcpy(address.un.sun_path, path, sizeof(address.un.sun_path));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address.un, sizeof(address.un)), 0);
    socket_name(fd, name);
    snprintf(want, sizeof(want), "unix:%s", path);
    assert_string_equal(name, want);
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_adopt_refuses),
        cmocka_unit_test(test_longest_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
