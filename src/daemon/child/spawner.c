/* SPDX-License-Identifier: MIT */
#include "daemon/child/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/confine/privileges.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    SOCKET_FD = 3, /* in the spawner, which has no others but /dev/null */
};

struct spawner {
    int socket;
    int stop; /* can be read once spawner_stop() was called */
};

/* A datagram: the argument, and the pipe that a child's end is told on. */
struct request {
    uint64_t argument;
    int pipe;
};

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
};

static int send_request(int socket, const struct request *request)
{
    uint64_t argument = request->argument;
    struct iovec bytes = {&argument, sizeof(argument)};
    union control control = {{0}};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    *rights = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(rights), &request->pipe, sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Returns -1 when the daemon has ended. */
static int receive_request(struct request *ret_request)
{
    struct iovec bytes = {&ret_request->argument, sizeof(ret_request->argument)};
    union control control;
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    const struct cmsghdr *rights;

    if (recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC) != sizeof(ret_request->argument))
        return -1;
    rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(&ret_request->pipe, CMSG_DATA(rights), sizeof(int));
    return 0;
}

/* Where memory runs out for the machine or the container, the kernel is to take the child. */
static void go_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, "1000", 4);
    close(fd);
}

/*
 * Returns when the child has ended, which holds the other end of `alive`. The daemon closes its end
 * of `reply` when it waits no longer: then the child is killed, and the daemon need not know it.
 */
static void watch_child(pid_t child, int alive, int reply)
{
    struct pollfd polled[] = {{.fd = alive}, {.fd = reply}};

    while (polled[0].revents == 0) {
        if (poll(polled, ARRAY_LEN(polled), -1) < 0 && errno != EINTR)
            return;
        if (polled[1].revents != 0) {
            kill(child, SIGKILL);
            return;
        }
    }
}

/* Between spawner and child, so that the spawner never has to wait. */
static _Noreturn void mind_child(const struct spawner_work *work, const struct request *request)
{
    int alive[2], status;
    pid_t child;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    if (pipe(alive) != 0)
        _exit(1);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(alive[1], SOCKET_FD);
        close_range(SOCKET_FD + 1, UINT_MAX, 0);
        go_first();
        _exit(work->run(work->context, request->argument));
    }
    close(alive[1]);
    if (child > 0)
        watch_child(child, alive[0], request->pipe);
    if (child > 0 && waitpid(child, &status, 0) == child)
        (void)!write(request->pipe, &status, sizeof(status));
    _exit(0);
}

static void leave_files(int socket)
{
    int null;

    dup2(socket, SOCKET_FD);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    close_range(SOCKET_FD + 1, UINT_MAX, 0);
}

/* Its end is the daemon's, not the terminal's or the service manager's, which signal everybody. */
static void leave_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD};

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
}

static _Noreturn void spawn_on(const struct spawner_work *work, const struct account *account,
                               int socket)
{
    struct request request;
    struct err err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    leave_signals();
    leave_files(socket);
    if (privileges_drop(account, &err) != 0)
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user has cleared it */
    /* Nothing here is secret, and who is not dumpable may not write its own oom_score_adj. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    work->prepare(work->context);
    prctl(PR_SET_NAME, "mta-stsd-spawn"); /* from now on it is what the name says */
    while (receive_request(&request) == 0) {
        if (fork() == 0)
            mind_child(work, &request);
        close(request.pipe);
    }
    _exit(0);
}

static int report_no_spawner(struct err *err)
{
    return err_io(err, errno, "a process to start others cannot be started");
}

static int start_spawner(const struct spawner_work *work, const struct account *account,
                         int *ret_socket, struct err *err)
{
    int sockets[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return report_no_spawner(err);
    /* The kernel is to reap it when it ends: who had to would need calls that the sandbox lacks. */
    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0)
        spawn_on(work, account, sockets[1]);
    close(sockets[1]);
    if (pid < 0) {
        report_no_spawner(err);
        close(sockets[0]);
        return -1;
    }
    *ret_socket = sockets[0];
    return 0;
}

int spawner_new(const struct spawner_work *work, const struct account *account,
                struct spawner **ret_spawner, struct err *err)
{
    int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), socket = -1;

    if (stop < 0)
        return report_no_spawner(err);
    if (start_spawner(work, account, &socket, err) != 0) {
        close(stop);
        return -1;
    }
    *ret_spawner = memory_alloc(sizeof(**ret_spawner));
    **ret_spawner = (struct spawner){socket, stop};
    return 0;
}

int spawner_socket(const struct spawner *spawner)
{
    return spawner->socket;
}

/* A spawner that is stopped or swapped out does not see that its socket is shut, but who waits for
 * it is woken. */
void spawner_stop(struct spawner *spawner)
{
    shutdown(spawner->socket, SHUT_RDWR);
    eventfd_write(spawner->stop, 1);
}

void spawner_free(struct spawner *spawner)
{
    if (!spawner)
        return;
    close(spawner->socket);
    close(spawner->stop);
    free(spawner);
}

/* Returns 0 once the pipe can be read. */
static int await_end(const struct spawner *spawner, int pipe, unsigned timeout_ms, struct err *err)
{
    struct pollfd polled[] = {{.fd = spawner->stop, .events = POLLIN},
                              {.fd = pipe, .events = POLLIN}};
    uint64_t began_at_ms = clock_system.monotonic_ms(&clock_system), passed_ms;

    while ((passed_ms = clock_system.monotonic_ms(&clock_system) - began_at_ms) < timeout_ms) {
        if (poll(polled, ARRAY_LEN(polled), (int)(timeout_ms - passed_ms)) < 0 && errno != EINTR)
            return err_io(err, errno, "a process that was started cannot be waited for");
        if (polled[0].revents != 0)
            return err_set(err, ERR_IO, "the daemon is ending");
        if (polled[1].revents != 0)
            return 0;
    }
    return err_set(err, ERR_LIMIT, "the process that does so has not ended within %u s",
                   timeout_ms / 1000);
}

static int read_status(int pipe, int *ret_status, struct err *err)
{
    ssize_t count;

    do
        count = read(pipe, ret_status, sizeof(*ret_status));
    while (count < 0 && errno == EINTR);
    if (count != sizeof(*ret_status))
        return err_io(err, EAGAIN, "no process can be started");
    return 0;
}

int spawner_run(struct spawner *spawner, uint64_t argument, unsigned timeout_ms, int *ret_status,
                struct err *err)
{
    int pipe[2], status = 0, result = 0;

    if (pipe2(pipe, O_CLOEXEC) != 0)
        return err_io(err, errno, "no process can be started");
    if (send_request(spawner->socket, &(struct request){argument, pipe[1]}) != 0)
        result = err_io(err, errno, "the process that starts others has ended");
    close(pipe[1]);
    if (result == 0)
        result = await_end(spawner, pipe[0], timeout_ms, err);
    if (result == 0)
        result = read_status(pipe[0], &status, err);
    close(pipe[0]);
    if (result == 0)
        *ret_status = status;
    return result;
}
