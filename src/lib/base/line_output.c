/* SPDX-License-Identifier: MIT */
#include "lib/base/line_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between the look and the write nobody else may fill the pipe. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t write_if_ready(int fd, struct slice line)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return -1;
    return write(fd, line.ptr, line.len);
}

int line_output_write(int fd, struct slice line)
{
    ssize_t written;

    if (line.len > PIPE_BUF)
        return -1;
    pthread_mutex_lock(&lock);
    written = send(fd, line.ptr, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK)
        written = write_if_ready(fd, line);
    pthread_mutex_unlock(&lock);
    return written == (ssize_t)line.len ? 0 : -1;
}
