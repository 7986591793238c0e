/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into the daemon: the thread that accepts a connection from 198.51.100.66 spins for as
 * long as the first octet of a file is not 0; STALL_FILE is its path.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const volatile char *is_stalled;

__attribute__((constructor)) static void map_file(void)
{
    int fd = open(getenv("STALL_FILE"), O_RDONLY | O_CLOEXEC);

    is_stalled = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    if (is_stalled == MAP_FAILED)
        abort();
    close(fd);
}

static int is_marked(int fd)
{
    struct sockaddr_in6 peer;
    socklen_t len = sizeof(peer);
    char text[INET6_ADDRSTRLEN] = "";

    memset(&peer, 0, sizeof(peer));
    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin6_family == AF_INET6)
        inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text));
    return strcmp(text, "::ffff:198.51.100.66") == 0;
}

int accept4(int listener, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
    int fd = (int)syscall(SYS_accept4, listener, address, len, flags);

    if (fd >= 0 && is_marked(fd))
        while (*is_stalled)
            continue;
    return fd;
}

int accept(int listener, struct sockaddr *restrict address, socklen_t *restrict len)
{
    return accept4(listener, address, len, 0);
}
