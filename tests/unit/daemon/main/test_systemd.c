/* SPDX-License-Identifier: MIT */
#include "daemon/main/systemd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

static void set_environment(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void test_receive(void **state)
{
    char own[16];
    const struct {
        const char *pid, *fds;
        int result;
        size_t n;
    } rows[] = {
        {NULL, NULL, 0, 0}, {own, NULL, 0, 0},          {NULL, "1", 0, 0},
        {"", "", 0, 0},     {"1", "1", 0, 0},           {own, "0", 0, 0},
        {own, "1", 0, 1},   {own, "64", 0, 64},         {own, "65", -1, 0},
        {own, "-1", 0, 0},  {own, "1x", 0, 0},          {own, "4294967297", 0, 0},
        {"1x", "1", 0, 0},  {own, "2147483647", -1, 0},
    };
    int n_failed = 0;

    (void)state;
    snprintf(own, sizeof(own), "%d", getpid());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct passed_sockets passed;
        struct err err;
        int result;

        set_environment("LISTEN_PID", rows[i].pid);
        set_environment("LISTEN_FDS", rows[i].fds);
        result = passed_sockets_receive(&passed, &err);
        if (result == rows[i].result && (result != 0 || passed.n == rows[i].n))
            continue;
        print_error("row %zu: wanted %d and %zu, seen %d and %zu\n", i, rows[i].result, rows[i].n,
                    result, passed.n);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

/* Binds what the daemon is to talk to; a name that begins with @ is abstract. */
static int bind_manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    return fd;
}

static void check_told(int manager, const char *wanted)
{
    char message[512];
    ssize_t len = recv(manager, message, sizeof(message) - 1, 0);

    assert_true(len >= 0);
    message[len] = '\0';
    assert_string_equal(message, wanted);
}

static void try_notify(const char *name)
{
    int manager = bind_manager(name), fd;
    char text[400], stamp[64] = {0};
    unsigned long usec;

    setenv("NOTIFY_SOCKET", name, 1);
    fd = systemd_notify_open();
    assert_true(fd >= 0);
    systemd_notify(fd, "READY=1\nSTATUS=%d", 7);
    check_told(manager, "READY=1\nSTATUS=7");
    systemd_notify_reloading(fd);
    assert_true(recv(manager, stamp, sizeof(stamp) - 1, 0) > 0);
    assert_int_equal(sscanf(stamp, "RELOADING=1\nMONOTONIC_USEC=%lu", &usec), 1);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    systemd_notify(fd, "%s", text); /* cut */
    text[255] = '\0';
    check_told(manager, text);
    close(manager);
    systemd_notify(fd, "READY=1"); /* nobody is there any more: a warning, no more */
    close(fd);
}

static void test_notify(void **state)
{
    char path[64], name[64];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/mta-stsd-notify.%d", getpid());
    snprintf(name, sizeof(name), "@mta-stsd-notify.%d", getpid());
    try_notify(path);
    unlink(path);
    try_notify(name);
}

static void test_notify_nobody(void **state)
{
    char long_name[200];
    const char *const names[] = {NULL,     "", "relative", "vsock:2:1234", "/tmp/mta-stsd-none/x",
                                 long_name};

    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    long_name[0] = '/';
    long_name[sizeof(long_name) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        set_environment("NOTIFY_SOCKET", names[i]);
        assert_int_equal(systemd_notify_open(), -1);
    }
    systemd_notify(-1, "READY=1");
    systemd_notify_reloading(-1);
}

static void test_watchdog(void **state)
{
    char own[16];
    const struct {
        const char *usec, *pid;
        bool is_wanted;
    } rows[] = {
        {NULL, NULL, false},      {"30000000", NULL, true}, {"30000000", own, true},
        {"30000000", "1", false}, {NULL, own, false},
    };

    (void)state;
    snprintf(own, sizeof(own), "%d", getpid());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        set_environment("WATCHDOG_USEC", rows[i].usec);
        set_environment("WATCHDOG_PID", rows[i].pid);
        assert_int_equal(systemd_wants_watchdog(), rows[i].is_wanted);
    }
    systemd_notify_alive(-1);
}

/* A manager that reads nothing must not make the daemon wait. */
static void test_alive(void **state)
{
    char name[64];
    int manager, fd;

    (void)state;
    snprintf(name, sizeof(name), "@mta-stsd-notify.%d", getpid());
    manager = bind_manager(name);
    setenv("NOTIFY_SOCKET", name, 1);
    fd = systemd_notify_open();
    for (int i = 0; i < 10000; i++)
        systemd_notify_alive(fd);
    check_told(manager, "WATCHDOG=1");
    close(fd);
    close(manager);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive),       cmocka_unit_test(test_notify),
        cmocka_unit_test(test_notify_nobody), cmocka_unit_test(test_watchdog),
        cmocka_unit_test(test_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
