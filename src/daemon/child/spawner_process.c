/* SPDX-License-Identifier: MIT */
#include "daemon/child/spawner_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>
#include <uv.h>

#include "daemon/child/spawn_message.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"

enum {
    CHILD_NICENESS = 10,
};

#define OWN_PROGRAM "/proc/self/fd/4"

static const char *const trial_load_texts[] = {"mta-stsd", PROGRAM_TRIAL_LOAD};

struct child {
    struct child *prev, *next;
    uv_process_t process;
    uint32_t id;
};

struct spawner_process {
    uv_loop_t loop;
    uv_poll_t poll;
    struct child *children;
    size_t n_children;
    struct program_commands commands;
};

static void send_end(uint32_t id, enum spawn_outcome outcome, int code)
{
    const struct spawn_answer answer = {id, {outcome, code}};

    (void)!send(SPAWNER_SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL);
}

static void free_child(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_child_exit(uv_process_t *process, int64_t exit_status, int signal_number)
{
    struct child *child = process->data;
    struct spawner_process *self = process->loop->data;

    if (signal_number != 0)
        send_end(child->id, SPAWN_SIGNALLED, signal_number);
    else
        send_end(child->id, SPAWN_EXITED, (int)exit_status);
    DL_DELETE(self->children, child);
    self->n_children--;
    uv_close((uv_handle_t *)process, free_child);
}

/* The child leads a session of its own, so that its own children are killed with it. */
static void kill_child(const struct child *child)
{
    kill(-child->process.pid, SIGKILL);
}

static void cancel_child(const struct spawner_process *self, uint32_t id)
{
    const struct child *child;

    DL_FOREACH (self->children, child)
        if (child->id == id)
            kill_child(child);
}

static void prefer_as_oom_victim(pid_t pid)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "1000", 4);
    close(fd);
}

/* After the exec: until then it is us that it would hold for. */
static void limit_child(const struct child *child, uint64_t memory_max)
{
    pid_t pid = child->process.pid;

    setpriority(PRIO_PROCESS, (id_t)pid, CHILD_NICENESS);
    prefer_as_oom_victim(pid);
    if (memory_max > 0)
        prlimit(pid, RLIMIT_AS, &(struct rlimit){memory_max, memory_max}, NULL);
}

/* The texts are the command's and the message's. Returns NULL if there are too many; for free(). */
static char **make_argv(const struct program_command *command, struct spawn_message *message)
{
    size_t max = command->n_texts + SPAWN_ARGS_MAX, n = 0;
    char **argv = memory_alloc((max + 1) * sizeof(*argv));

    while (n < command->n_texts) {
        argv[n] = (char *)(uintptr_t)command->texts[n];
        n++;
    }
    for (size_t at = 0; at < message->args_len; at += strlen(message->args + at) + 1) {
        if (n == max) {
            free(argv);
            return NULL;
        }
        argv[n++] = message->args + at;
    }
    argv[n] = NULL;
    return argv;
}

static void start_child(struct spawner_process *self, struct spawn_message *message,
                        const int fds[SPAWN_FDS])
{
    const struct program_command *command = &self->commands.of[message->program];
    uv_stdio_container_t stdio[SPAWN_FDS];
    uv_process_options_t options = {.exit_cb = on_child_exit,
                                    .file = OWN_PROGRAM,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = SPAWN_FDS,
                                    .stdio = stdio};
    struct child *child;
    int result;

    if (command->n_texts == 0) {
        send_end(message->id, SPAWN_FAILED, ENOENT);
        return;
    }
    options.args = self->n_children < SPAWN_CHILDREN_MAX ? make_argv(command, message) : NULL;
    if (!options.args) {
        send_end(message->id, SPAWN_FAILED, E2BIG);
        return;
    }
    if (message->program != TRIAL_LOAD)
        options.file = command->texts[0];
    for (int i = 0; i < SPAWN_FDS; i++)
        stdio[i] = (uv_stdio_container_t){.flags = fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD,
                                          .data.fd = fds[i]};
    child = memory_alloc(sizeof(*child));
    *child = (struct child){.id = message->id};
    result = uv_spawn(&self->loop, &child->process, &options);
    free(options.args);
    child->process.data = child;
    if (result != 0) {
        send_end(message->id, SPAWN_FAILED, -result);
        uv_close((uv_handle_t *)&child->process, free_child);
        return;
    }
    DL_APPEND(self->children, child);
    self->n_children++;
    limit_child(child, message->memory_max);
}

static void take_fds(struct msghdr *header, const struct spawn_message *message, int fds[SPAWN_FDS])
{
    const struct cmsghdr *rights = CMSG_FIRSTHDR(header);
    size_t n_fds = rights ? (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0, taken = 0;

    for (size_t i = 0; i < SPAWN_FDS; i++) {
        fds[i] = -1;
        if (message->has_fd[i] && taken < n_fds)
            memcpy(&fds[i], CMSG_DATA(rights) + taken++ * sizeof(int), sizeof(int));
    }
}

static bool is_whole(const struct spawn_message *message, ssize_t len)
{
    return len >= (ssize_t)offsetof(struct spawn_message, args) &&
           message->program < PROGRAM_COUNT && message->args_len <= sizeof(message->args) &&
           len == (ssize_t)spawn_message_len(message) &&
           (message->args_len == 0 || message->args[message->args_len - 1] == '\0');
}

/* Returns whether the daemon is still there. */
static bool take_message(struct spawner_process *self)
{
    static struct spawn_message message;
    union {
        char bytes[CMSG_SPACE(SPAWN_FDS * sizeof(int))];
        struct cmsghdr aligned;
    } rights;
    struct iovec bytes = {&message, sizeof(message)};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = rights.bytes,
                            .msg_controllen = sizeof(rights.bytes)};
    ssize_t len = recvmsg(SPAWNER_SOCKET_FD, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    int fds[SPAWN_FDS];

    if (len <= 0)
        return len < 0 && (errno == EAGAIN || errno == EINTR);
    if (!is_whole(&message, len))
        return true;
    take_fds(&header, &message, fds);
    if (message.kind == SPAWN_START)
        start_child(self, &message, fds);
    else
        cancel_child(self, message.id);
    for (int i = 0; i < SPAWN_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return true;
}

static void on_message(uv_poll_t *poll, int status, int events)
{
    struct spawner_process *self = poll->loop->data;
    const struct child *child;

    (void)events;
    if (status == 0 && take_message(self))
        return;
    DL_FOREACH (self->children, child)
        kill_child(child);
    _exit(0);
}

/* The spawner ends with the daemon, not when a terminal or a service manager signals to all. */
static void ignore_terminal_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}

int spawner_process_run(const char *const *argv, size_t n_argv)
{
    struct spawner_process self = {0};

    if (program_commands_parse(argv, n_argv, &self.commands) != 0)
        return 1;
    self.commands.of[TRIAL_LOAD] =
        (struct program_command){trial_load_texts, ARRAY_LEN(trial_load_texts)};
    prctl(PR_SET_NAME, "mta-stsd-spawn");
    ignore_terminal_signals();
    fcntl(SPAWNER_SOCKET_FD, F_SETFD, FD_CLOEXEC);
    fcntl(SPAWNER_PROGRAM_FD, F_SETFD, FD_CLOEXEC);
    if (uv_loop_init(&self.loop) != 0 ||
        uv_poll_init(&self.loop, &self.poll, SPAWNER_SOCKET_FD) != 0)
        return 1;
    self.loop.data = &self;
    uv_poll_start(&self.poll, UV_READABLE, on_message);
    return uv_run(&self.loop, UV_RUN_DEFAULT);
}
