/* SPDX-License-Identifier: MIT */
#include "daemon/main/systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"

enum {
    FIRST_FD = 3,
    MESSAGE_MAX = 256,
};

static uint64_t environment_number(const char *name)
{
    const char *text = getenv(name);
    uint64_t number;

    return text && slice_to_u64(slice_of(text), INT32_MAX, &number) == 0 ? number : 0;
}

int passed_sockets_receive(struct passed_sockets *ret_passed, struct err *err)
{
    *ret_passed = (struct passed_sockets){0};
    /* A child inherits the environment but was passed nothing. */
    if (environment_number("LISTEN_PID") != (uint64_t)getpid())
        return 0;
    ret_passed->n = environment_number("LISTEN_FDS");
    if (ret_passed->n > PASSED_SOCKETS_MAX)
        return err_set(err, ERR_LIMIT, "systemd has passed %zu sockets; at most %d are accepted",
                       ret_passed->n, PASSED_SOCKETS_MAX);
    for (size_t i = 0; i < ret_passed->n; i++)
        socket_name(FIRST_FD + (int)i, ret_passed->sockets[i].name);
    return 0;
}

int passed_sockets_open(struct passed_sockets *passed, const struct listen_address *address,
                        int *ret_fds, size_t n_fds, char ret_name[SOCKET_NAME_MAX], struct err *err)
{
    char name[SOCKET_NAME_MAX];

    listen_address_name(address, name);
    for (size_t i = 0; i < passed->n; i++) {
        struct passed_socket *socket = &passed->sockets[i];

        if (socket->is_taken || strcmp(socket->name, name) != 0)
            continue;
        socket->is_taken = true;
        memcpy(ret_name, name, sizeof(name));
        return sockets_adopt(address, FIRST_FD + (int)i, ret_fds, n_fds, err);
    }
    return sockets_open(address, ret_fds, n_fds, ret_name, err);
}

bool passed_sockets_have(const struct passed_sockets *passed, const struct listen_address *address)
{
    char name[SOCKET_NAME_MAX];

    listen_address_name(address, name);
    for (size_t i = 0; i < passed->n; i++)
        if (passed->sockets[i].is_taken && strcmp(passed->sockets[i].name, name) == 0)
            return true;
    return false;
}

int passed_sockets_check(const struct passed_sockets *passed, struct err *err)
{
    for (size_t i = 0; i < passed->n; i++)
        if (!passed->sockets[i].is_taken)
            return err_set(err, ERR_CONFIG,
                           "systemd has passed a socket bound to '%s', which is no address of "
                           "listen; add it there, or take it out of the .socket unit",
                           passed->sockets[i].name);
    return 0;
}

/* A socket at a path, or, where the name begins with @, in the abstract namespace. */
static int connect_notify(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd, reason;

    if ((name[0] != '/' && name[0] != '@') || len >= sizeof(address.sun_path)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

int systemd_notify_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int fd;

    if (!name)
        return -1;
    /* Connected at once: inside the sandbox there are no new sockets. */
    fd = connect_notify(name);
    if (fd < 0)
        log_line(LOG_WARNING, "NOTIFY_SOCKET: '%s' cannot be told that the daemon is ready: %s",
                 name, strerror(errno));
    return fd;
}

void systemd_notify(int fd, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;
    int len;

    if (fd < 0)
        return;
    va_start(arguments, format);
    len = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (len >= MESSAGE_MAX)
        len = MESSAGE_MAX - 1;
    if (send(fd, message, (size_t)len, MSG_NOSIGNAL) < 0)
        log_line(LOG_WARNING, "systemd cannot be told '%s': %s", message, strerror(errno));
}

void systemd_notify_reloading(int fd)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    systemd_notify(fd, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

bool systemd_wants_watchdog(void)
{
    const char *pid = getenv("WATCHDOG_PID");

    return getenv("WATCHDOG_USEC") &&
           (!pid || environment_number("WATCHDOG_PID") == (uint64_t)getpid());
}

void systemd_notify_alive(int fd)
{
    static const char message[] = "WATCHDOG=1";

    if (fd >= 0)
        (void)!send(fd, message, sizeof(message) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
