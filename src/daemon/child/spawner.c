/* SPDX-License-Identifier: MIT */
#include "daemon/child/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>
#include <uv.h>

#include "daemon/child/spawn_message.h"
#include "daemon/child/spawner_process.h"
#include "daemon/confine/privileges.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

struct spawner {
    int socket; /* -1: the spawner has ended */
    uv_poll_t poll;
    struct spawned *running;
    uint32_t last_id;
    spawner_lost *on_lost;
    void *context;
};

struct spawned {
    struct spawned *prev, *next;
    struct spawner *spawner;
    uint32_t id;
    uv_timer_t deadline;
    spawn_done *done;
    void *context;
};

/* Standard streams are /dev/null; of all other descriptors only the two that the process needs. */
static void set_descriptors(int socket, int program)
{
    int null = open("/dev/null", O_RDWR);
    int above = fcntl(program, F_DUPFD, SPAWNER_PROGRAM_FD + 1);

    dup2(socket, SPAWNER_SOCKET_FD);
    dup2(above, SPAWNER_PROGRAM_FD);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    close_range(SPAWNER_PROGRAM_FD + 1, UINT_MAX, 0);
}

/* A fresh copy of the program, so that nothing of the daemon's memory is in the process. */
static _Noreturn void become_spawner(const struct account *account, const char *const *argv,
                                     int socket, int program)
{
    struct err err;

    set_descriptors(socket, program);
    if (privileges_drop(account, &err) != 0)
        _exit(1);
    execveat(SPAWNER_PROGRAM_FD, "", (char *const *)(uintptr_t)argv, environ, AT_EMPTY_PATH);
    _exit(1);
}

static int report_no_spawner(struct err *err)
{
    return err_io(err, errno, "a process to start others cannot be started");
}

static int fork_spawner(const struct account *account, const char *const *argv, int program,
                        int *ret_socket, struct err *err)
{
    int sockets[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return report_no_spawner(err);
    /* The sandbox lacks the calls to reap it when it ends, so the kernel does. */
    signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0)
        become_spawner(account, argv, sockets[1], program);
    close(sockets[1]);
    if (pid < 0) {
        report_no_spawner(err);
        close(sockets[0]);
        return -1;
    }
    *ret_socket = sockets[0];
    return 0;
}

int spawner_new(const struct account *account, const struct program_commands *commands,
                struct spawner **ret_spawner, struct err *err)
{
    static const char *const first[] = {"mta-stsd", PROGRAM_SPAWNER};
    struct arena *arena;
    int program = open("/proc/self/exe", O_PATH | O_CLOEXEC), socket = -1, result;

    if (program < 0)
        return report_no_spawner(err);
    arena = arena_new(0);
    result = fork_spawner(account, program_argv_make(arena, first, ARRAY_LEN(first), commands),
                          program, &socket, err);
    arena_free(arena);
    close(program);
    if (result != 0)
        return -1;
    *ret_spawner = memory_alloc(sizeof(**ret_spawner));
    **ret_spawner = (struct spawner){.socket = socket};
    return 0;
}

static void free_spawned(uv_handle_t *handle)
{
    free(handle->data);
}

static void forget_spawned(struct spawned *spawned)
{
    DL_DELETE(spawned->spawner->running, spawned);
    uv_close((uv_handle_t *)&spawned->deadline, free_spawned);
}

static void finish_spawned(struct spawned *spawned, struct spawn_end end)
{
    forget_spawned(spawned);
    spawned->done(spawned->context, &end);
}

/* Ends a process that is still there too: it sees that the socket is closed. */
static void close_socket(struct spawner *spawner)
{
    if (spawner->socket < 0)
        return;
    uv_close((uv_handle_t *)&spawner->poll, NULL);
    close(spawner->socket);
    spawner->socket = -1;
}

static void lose_spawner(struct spawner *spawner)
{
    struct spawned *spawned, *next;

    close_socket(spawner);
    DL_FOREACH_SAFE (spawner->running, spawned, next)
        finish_spawned(spawned, (struct spawn_end){SPAWN_FAILED, EPIPE});
    spawner->on_lost(spawner->context);
}

static void take_answer(struct spawner *spawner, const struct spawn_answer *answer)
{
    struct spawned *spawned;

    DL_SEARCH_SCALAR(spawner->running, spawned, id, answer->id);
    if (spawned)
        finish_spawned(spawned, answer->end);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
    struct spawner *spawner = poll->data;
    struct spawn_answer answer;
    ssize_t len;

    (void)events;
    len = status == 0 ? recv(spawner->socket, &answer, sizeof(answer), MSG_DONTWAIT) : 0;
    if (len == sizeof(answer))
        take_answer(spawner, &answer);
    else if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
        lose_spawner(spawner);
}

void spawner_attach(struct spawner *spawner, struct uv_loop_s *loop, spawner_lost *on_lost,
                    void *context)
{
    spawner->on_lost = on_lost;
    spawner->context = context;
    uv_poll_init(loop, &spawner->poll, spawner->socket);
    spawner->poll.data = spawner;
    uv_poll_start(&spawner->poll, UV_READABLE | UV_DISCONNECT, on_answer);
}

static int add_args(struct spawn_message *message, const struct spawn_request *request,
                    struct err *err)
{
    for (size_t i = 0; i < request->n_args; i++) {
        size_t len = strlen(request->args[i]) + 1;

        if (i == SPAWN_ARGS_MAX || len > sizeof(message->args) - message->args_len)
            return err_set(err, ERR_LIMIT, "the arguments of a child are too long");
        memcpy(message->args + message->args_len, request->args[i], len);
        message->args_len += len;
    }
    return 0;
}

static int send_message(const struct spawner *spawner, struct spawn_message *message,
                        const int *fds, size_t n_fds)
{
    union {
        char bytes[CMSG_SPACE(SPAWN_FDS * sizeof(int))];
        struct cmsghdr first;
    } rights = {{0}};
    struct iovec bytes = {message, spawn_message_len(message)};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (n_fds > 0) {
        header.msg_control = rights.bytes;
        header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        rights.first.cmsg_level = SOL_SOCKET;
        rights.first.cmsg_type = SCM_RIGHTS;
        rights.first.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&rights.first), fds, n_fds * sizeof(int));
    }
    return sendmsg(spawner->socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

static int send_start(const struct spawner *spawner, const struct spawn_request *request,
                      struct err *err)
{
    struct spawn_message message = {.kind = SPAWN_START,
                                    .id = spawner->last_id,
                                    .program = request->program,
                                    .memory_max = request->memory_max};
    int fds[SPAWN_FDS];
    size_t n_fds = 0;

    if (add_args(&message, request, err) != 0)
        return -1;
    for (size_t i = 0; i < SPAWN_FDS; i++) {
        message.has_fd[i] = request->fds[i] >= 0;
        if (message.has_fd[i])
            fds[n_fds++] = request->fds[i];
    }
    if (send_message(spawner, &message, fds, n_fds) != 0)
        return err_io(err, errno, "the process that starts others does not answer");
    return 0;
}

static void send_cancel(const struct spawned *spawned)
{
    struct spawn_message message = {.kind = SPAWN_CANCEL, .id = spawned->id};

    if (spawned->spawner->socket >= 0)
        send_message(spawned->spawner, &message, NULL, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct spawned *spawned = timer->data;

    send_cancel(spawned);
    finish_spawned(spawned, (struct spawn_end){SPAWN_TIMED_OUT, 0});
}

struct spawned *spawner_start(struct spawner *spawner, const struct spawn_request *request,
                              spawn_done *done, void *context, struct err *err)
{
    struct spawned *spawned;

    if (spawner->socket < 0) {
        err_io(err, EPIPE, "the process that starts others has ended");
        return NULL;
    }
    spawner->last_id++;
    if (send_start(spawner, request, err) != 0)
        return NULL;
    spawned = memory_alloc(sizeof(*spawned));
    *spawned = (struct spawned){
        .spawner = spawner, .id = spawner->last_id, .done = done, .context = context};
    uv_timer_init(spawner->poll.loop, &spawned->deadline);
    spawned->deadline.data = spawned;
    uv_timer_start(&spawned->deadline, on_deadline, request->timeout_ms, 0);
    DL_APPEND(spawner->running, spawned);
    return spawned;
}

void spawner_cancel(struct spawned *spawned)
{
    send_cancel(spawned);
    forget_spawned(spawned);
}

void spawner_detach(struct spawner *spawner)
{
    struct spawned *spawned, *next;

    DL_FOREACH_SAFE (spawner->running, spawned, next)
        forget_spawned(spawned);
    close_socket(spawner);
}

void spawner_free(struct spawner *spawner)
{
    if (!spawner)
        return;
    if (spawner->socket >= 0)
        close(spawner->socket);
    free(spawner);
}
