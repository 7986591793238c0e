/* SPDX-License-Identifier: MIT */
#include "daemon/control/control_server.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/control/control.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    NEVER_MS = 600 * 1000,
    LARGE = 8 * 1024 * 1024, /* more than a socket takes at once */
};

static struct room {
    uv_loop_t loop;
    struct control_server *server;
    char folder[32], path[64];
    struct control_client *waiting[CONTROL_CLIENTS_MAX];
    size_t n_waiting;
    unsigned n_large; /* texts made */
} room;

static char *answer_health(void *context)
{
    (void)context;
    return strdup(CONTROL_OK "\nfine\n");
}

static char *answer_large(void *context)
{
    char *text = malloc(LARGE + 1);

    (void)context;
    memset(text, 'a', LARGE);
    text[LARGE] = '\0';
    room.n_large++;
    return text;
}

static void begin_wait(void *context, struct control_client *client)
{
    (void)context;
    room.waiting[room.n_waiting++] = client;
}

static const struct control_row rows[] = {
    {.question = "health", .answer = answer_health},
    {.question = "large", .answer = answer_large, .is_shared = true},
    {.question = "wait", .begin = begin_wait},
};

static void open_room(unsigned ask_timeout_ms, unsigned read_timeout_ms)
{
    const struct control_server_options options = {.loop = &room.loop,
                                                   .rows = rows,
                                                   .n_rows = ARRAY_LEN(rows),
                                                   .ask_timeout_ms = ask_timeout_ms,
                                                   .read_timeout_ms = read_timeout_ms};
    struct err err;

    memset(&room, 0, sizeof(room));
    strcpy(room.folder, "/tmp/control.XXXXXX");
    assert_non_null(mkdtemp(room.folder));
    snprintf(room.path, sizeof(room.path), "%s/sock", room.folder);
    uv_loop_init(&room.loop);
    room.server = control_server_new(&options);
    assert_int_equal(control_server_open(room.server, room.path, &err), 0);
}

static void close_room(void)
{
    control_server_close(room.server);
    control_server_close(room.server);
    uv_run(&room.loop, UV_RUN_DEFAULT);
    control_server_free(room.server);
    control_server_free(NULL);
    assert_int_equal(uv_loop_close(&room.loop), 0);
    assert_int_equal(access(room.path, F_OK), -1);
    rmdir(room.folder);
}

static void turn_loop(void)
{
    for (int i = 0; i < 10; i++)
        uv_run(&room.loop, UV_RUN_NOWAIT);
}

/* Connects and asks, without waiting for anything. */
static int ask(const char *question, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", room.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, question, len, MSG_NOSIGNAL), (ssize_t)len);
    turn_loop();
    return fd;
}

/* What has come, as a text; NULL: nothing yet. */
static const char *read_answer(int fd, char text[256])
{
    ssize_t len = recv(fd, text, 255, 0);

    if (len < 0)
        return errno == EAGAIN ? NULL : "reset";
    text[len] = '\0';
    return text;
}

static void assert_asked(const char *question, size_t len, const char *answer)
{
    char text[256];
    int fd = ask(question, len);
    const char *seen = read_answer(fd, text);

    assert_non_null(seen);
    assert_string_equal(seen, answer);
    close(fd);
    turn_loop();
}

#define NOT_UNDERSTOOD "refused\nunknown command\n"

static void test_questions(void **state)
{
    static const struct {
        const char *question;
        size_t len;
        const char *answer;
    } cases[] = {
        {"health\n", 7, "good\nfine\n"},
        {"health\nhealth\n", 14, "good\nfine\n"},
        {"\n", 1, NOT_UNDERSTOOD},
        {"HEALTH\n", 7, NOT_UNDERSTOOD},
        {"health\r\n", 8, NOT_UNDERSTOOD},
        {"health \n", 8, NOT_UNDERSTOOD},
        {"heal\0th\n", 8, NOT_UNDERSTOOD},
        {"\xff\xff\xff\n", 4, NOT_UNDERSTOOD},
        {"0123456789012345678901234567890123456789012345678901234567890123", 64, NOT_UNDERSTOOD},
    };

    (void)state;
    open_room(NEVER_MS, NEVER_MS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_asked(cases[i].question, cases[i].len, cases[i].answer);
    close_room();
}

static void test_question_in_pieces(void **state)
{
    char text[256];
    int fd;

    (void)state;
    open_room(NEVER_MS, NEVER_MS);
    fd = ask("hea", 3);
    assert_null(read_answer(fd, text));
    assert_int_equal(send(fd, "lth\n", 4, 0), 4);
    turn_loop();
    assert_string_equal(read_answer(fd, text), "good\nfine\n");
    close(fd);
    close_room();
}

/* However many wait, and whoever says nothing: a question that is answered at once is. */
static void test_many_clients(void **state)
{
    int waiting[CONTROL_CLIENTS_MAX], silent[CONTROL_CLIENTS_MAX];
    char text[256];

    (void)state;
    open_room(NEVER_MS, NEVER_MS);
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        waiting[i] = ask("wait\n", 5);
    assert_int_equal(room.n_waiting, CONTROL_WAITING_MAX);
    assert_string_equal(read_answer(waiting[CONTROL_CLIENTS_MAX - 1], text),
                        "refused\ntoo many wait for an answer already\n");
    assert_asked("health\n", 7, "good\nfine\n");
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        silent[i] = ask("", 0);
    assert_asked("health\n", 7, "good\nfine\n");
    assert_string_equal(read_answer(silent[0], text), ""); /* has made room */
    assert_null(read_answer(silent[CONTROL_CLIENTS_MAX - 1], text));
    assert_null(read_answer(waiting[0], text));
    for (size_t i = 0; i < room.n_waiting; i++)
        control_client_answer(room.waiting[i], CONTROL_OK, "done\n");
    turn_loop();
    assert_string_equal(read_answer(waiting[0], text), "good\ndone\n");
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        close(waiting[i]);
        close(silent[i]);
    }
    close_room();
}

static void test_client_that_has_left(void **state)
{
    (void)state;
    open_room(NEVER_MS, NEVER_MS);
    close(ask("wait\n", 5));
    close(ask("", 0));
    close(ask("hea", 3));
    turn_loop();
    assert_int_equal(room.n_waiting, 1);
    control_client_answer(room.waiting[0], CONTROL_OK, "done\n");
    turn_loop();
    assert_asked("health\n", 7, "good\nfine\n");
    close_room();
}

/* Whether the server has closed its end, whatever is there still to read. */
static bool has_left(int fd)
{
    struct pollfd row = {.fd = fd};

    poll(&row, 1, 0);
    return row.revents & POLLHUP;
}

/* The sweep, a second later, leaves who is late, but nobody who waits. */
static void test_deadlines(void **state)
{
    char text[256];
    int silent, deaf, waiting;

    (void)state;
    open_room(1, 1);
    silent = ask("hea", 3);
    waiting = ask("wait\n", 5);
    deaf = ask("large\n", 6);
    while (!read_answer(silent, text) || !has_left(deaf))
        uv_run(&room.loop, UV_RUN_ONCE);
    assert_null(read_answer(waiting, text));
    while (read_answer(deaf, text) && text[0] == 'a')
        ;
    assert_string_equal(text, ""); /* the end came before all of it */
    control_client_answer(room.waiting[0], CONTROL_OK, "");
    close(silent);
    close(deaf);
    close(waiting);
    close_room();
}

static void test_shared_answer(void **state)
{
    int first, second, third;

    (void)state;
    open_room(NEVER_MS, NEVER_MS);
    first = ask("large\n", 6);
    second = ask("large\n", 6);
    assert_int_equal(room.n_large, 1);
    control_server_renew(room.server);
    third = ask("large\n", 6);
    assert_int_equal(room.n_large, 2);
    close(first);
    close(second);
    close(third);
    turn_loop();
    close(ask("large\n", 6));
    assert_int_equal(room.n_large, 3);
    close_room();
}

static void test_no_folder(void **state)
{
    const struct control_server_options options = {.loop = &room.loop};
    struct err err;

    (void)state;
    uv_loop_init(&room.loop);
    room.server = control_server_new(&options);
    assert_int_equal(control_server_open(room.server, "/nonexistent/sock", &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
    control_server_close(room.server);
    control_server_close(NULL);
    uv_run(&room.loop, UV_RUN_DEFAULT);
    control_server_free(room.server);
    assert_int_equal(uv_loop_close(&room.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),    cmocka_unit_test(test_question_in_pieces),
        cmocka_unit_test(test_many_clients), cmocka_unit_test(test_client_that_has_left),
        cmocka_unit_test(test_deadlines),    cmocka_unit_test(test_shared_answer),
        cmocka_unit_test(test_no_folder),
    };

    signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
