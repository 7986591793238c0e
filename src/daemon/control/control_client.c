/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/control.h"
#include "lib/base/err.h"

static int connect_control(const char *path, unsigned timeout_s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = timeout_s};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Reads to the end. Returns 0, or -1 with errno set. */
static int read_all(int fd, FILE *out)
{
    char buffer[4096];
    ssize_t count;

    while ((count = read(fd, buffer, sizeof(buffer))) != 0) {
        if (count < 0)
            return -1;
        fwrite(buffer, 1, (size_t)count, out);
    }
    return 0;
}

/* A daemon that is busy or ends may have closed already: that is an error, no SIGPIPE. */
static int send_question(int fd, const char *question)
{
    char line[CONTROL_QUESTION_MAX];
    int len = snprintf(line, sizeof(line), "%s\n", question);

    return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -1;
}

int control_ask(const char *path, const char *question, unsigned timeout_s, char **ret_answer,
                struct err *err)
{
    int fd = connect_control(path, timeout_s);
    char *answer = NULL;
    size_t len = 0;
    FILE *out;
    int result;

    if (fd < 0)
        return err_io(err, errno, "no daemon answers at '%s'", path);
    out = open_memstream(&answer, &len);
    result = send_question(fd, question) != 0 || read_all(fd, out) != 0 ? -1 : 0;
    if (result != 0)
        err_io(err, errno, "the daemon at '%s' does not answer", path);
    close(fd);
    fclose(out);
    if (result == 0 && len == 0)
        result = err_set(err, ERR_IO, "the daemon at '%s' has closed without an answer", path);
    if (result == 0)
        *ret_answer = answer;
    else
        free(answer);
    return result;
}
