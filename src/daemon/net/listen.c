/* SPDX-License-Identifier: MIT */
#include "daemon/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/net/socket_hint.h"
#include "lib/base/err.h"
#include "lib/config/config.h"

enum {
    SEND_BUFFER = 32 * 1024,     /* bytes; the largest answer fits, and a peer can pin no more */
    RECEIVE_BUFFER = 64 * 1024,  /* bytes; h2o reads all that is there at once (tls_guard.h, U15) */
    USER_TIMEOUT_MS = 20 * 1000, /* after this time without an acknowledgement a peer is gone */
};

union listen_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static socklen_t listen_fill_tcp(const char *host, uint16_t port, union listen_sockaddr *address)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return sizeof(address->v4);
    }
    inet_pton(AF_INET6, host, &address->v6.sin6_addr);
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return sizeof(address->v6);
}

static int listen_set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

/* A socket bound to `address`, or -1 with errno set. */
static int listen_bind_tcp(const union listen_sockaddr *address, socklen_t len, int reuse_port)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int reason;

    if (fd < 0)
        return -1;
    if (listen_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
        listen_set_option(fd, SOL_SOCKET, SO_REUSEPORT, reuse_port) == 0 &&
        /* Set always: what [::] covers must not depend on the sysctl bindv6only. */
        (address->any.sa_family != AF_INET6 ||
         listen_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0) &&
        bind(fd, &address->any, len) == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/*
 * SO_REUSEPORT would let a second daemon of the same user share the port unnoticed and answer half
 * of the fetches. So the port is bound without it first.
 */
static int listen_probe_port(const union listen_sockaddr *address, socklen_t len)
{
    int fd = listen_bind_tcp(address, len, 0);
    int result;

    if (fd < 0)
        return -1;
    result = listen(fd, 1);
    close(fd);
    return result;
}

/* Closes the descriptors of a failed opening; keeps errno. */
static int listen_give_up(const int *fds, size_t n_fds)
{
    int reason = errno;

    for (size_t i = 0; i < n_fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    errno = reason;
    return -1;
}

/* The accepted connections inherit them. */
static int listen_set_limits(int fd)
{
    if (listen_set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER) != 0 ||
        listen_set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER) != 0)
        return -1;
    return listen_set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

static int listen_open_tcp(union listen_sockaddr *address, socklen_t len, int *fds, size_t n_fds)
{
    if (listen_probe_port(address, len) != 0)
        return -1;
    for (size_t i = 0; i < n_fds; i++) {
        fds[i] = listen_bind_tcp(address, len, 1);
        if (fds[i] >= 0 && listen_set_limits(fds[i]) == 0 && listen(fds[i], LISTEN_BACKLOG) == 0 &&
            getsockname(fds[i], &address->any, &len) == 0)
            continue;
        return listen_give_up(fds, i + 1);
    }
    return 0;
}

/*
 * Removes the socket file of a dead process. A socket that answers stays, and so does any file that
 * is no socket, for which connect() says ECONNREFUSED as well.
 */
static int listen_remove_stale(const union listen_sockaddr *address)
{
    const char *path = address->local.sun_path;
    struct stat status;
    int fd, result;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    result = connect(fd, &address->any, sizeof(address->local));
    close(fd);
    if (result == 0) {
        errno = EADDRINUSE;
        return -1;
    }
    if (errno == ECONNREFUSED)
        return unlink(path);
    return errno == ENOENT ? 0 : -1;
}

int socket_open_unix(const char *path, mode_t mode)
{
    union listen_sockaddr address = {.local = {.sun_family = AF_UNIX}};
    mode_t before;
    int fd, result;

    strncpy(address.local.sun_path, path, sizeof(address.local.sun_path) - 1);
    if (listen_remove_stale(&address) != 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /*
     * The file gets the mode that the socket has. Not chmod(): root would follow a link that the
     * owner of the folder has put there in the meantime.
     */
    before = umask(0);
    result = fchmod(fd, mode) == 0 ? bind(fd, &address.any, sizeof(address.local)) : -1;
    umask(before);
    return result == 0 && listen(fd, LISTEN_BACKLOG) == 0 ? fd : listen_give_up(&fd, 1);
}

/* fds[0] is the first worker's; the others get duplicates. All of them or none. */
static int listen_duplicate(int *fds, size_t n_fds)
{
    for (size_t i = 1; i < n_fds; i++) {
        fds[i] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
        if (fds[i] < 0)
            return listen_give_up(fds, i);
    }
    return 0;
}

static int listen_open_unix(const char *path, int *fds, size_t n_fds)
{
    /* The proxy runs as another user, and what is served here is public. */
    fds[0] = socket_open_unix(path, 0666);
    return fds[0] < 0 ? -1 : listen_duplicate(fds, n_fds);
}

static int listen_refuse(const struct listen_address *address, int reason, struct err *err)
{
    char hint[SOCKET_HINT_MAX];

    if (reason == EAFNOSUPPORT && address->kind == LISTEN_TCP && strchr(address->host, ':'))
        return err_io(err, reason,
                      "listen: '%s' cannot be opened, for there is no IPv6 here; all of IPv4 is "
                      "'0.0.0.0:%u'",
                      address->text, address->port);
    err_io(err, reason, "listen: '%s' cannot be opened", address->text);
    return err_add(err, socket_hint(address, reason, hint));
}

int sockets_open(const struct listen_address *address, int *ret_fds, size_t n_fds,
                 char ret_name[SOCKET_NAME_MAX], struct err *err)
{
    union listen_sockaddr tcp;
    int result;

    if (address->kind == LISTEN_UNIX) {
        snprintf(ret_name, SOCKET_NAME_MAX, "%s", address->text);
        result = listen_open_unix(address->host, ret_fds, n_fds);
    } else {
        result = listen_open_tcp(&tcp, listen_fill_tcp(address->host, address->port, &tcp), ret_fds,
                                 n_fds);
        /* The user did not ask for IPv6: a machine without IPv6 serves by IPv4 alone. */
        if (result != 0 && address->is_default && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            result = listen_open_tcp(&tcp, listen_fill_tcp("0.0.0.0", address->port, &tcp), ret_fds,
                                     n_fds);
        if (result == 0)
            address_print(&tcp.any, ret_name);
    }
    if (result == 0)
        return 0;
    return listen_refuse(address, errno, err);
}

static int listen_prepare_adopted(const struct listen_address *address, int fd)
{
    int is_listening = 0;
    socklen_t len = sizeof(is_listening);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) != 0)
        return -1;
    if (!is_listening) {
        errno = EINVAL;
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return address->kind == LISTEN_TCP ? listen_set_limits(fd) : 0;
}

int sockets_adopt(const struct listen_address *address, int fd, int *ret_fds, size_t n_fds,
                  struct err *err)
{
    ret_fds[0] = fd;
    if (listen_prepare_adopted(address, fd) == 0 ? listen_duplicate(ret_fds, n_fds) == 0
                                                 : listen_give_up(&fd, 1) == 0)
        return 0;
    return err_io(err, errno, "listen: the socket passed for '%s' cannot be used", address->text);
}

void socket_name(int fd, char ret_name[SOCKET_NAME_MAX])
{
    union listen_sockaddr address = {0};
    socklen_t len = sizeof(address);

    /* Left as it is on failure: an address of no family. */
    getsockname(fd, &address.any, &len);
    address_print(&address.any, ret_name);
}

void listen_address_name(const struct listen_address *address, char ret_name[SOCKET_NAME_MAX])
{
    union listen_sockaddr tcp;

    if (address->kind == LISTEN_UNIX) {
        snprintf(ret_name, SOCKET_NAME_MAX, "unix:%s", address->host);
        return;
    }
    listen_fill_tcp(address->host, address->port, &tcp);
    address_print(&tcp.any, ret_name);
}

void sockets_close(const struct listen_address *address, const int *fds, size_t n_fds)
{
    for (size_t i = 0; i < n_fds; i++)
        close(fds[i]);
    if (address->kind == LISTEN_UNIX)
        unlink(address->host);
}
