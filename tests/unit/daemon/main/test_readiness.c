/* SPDX-License-Identifier: MIT */
#include "daemon/main/readiness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <unistd.h>

static char *receive_notice(int fd, char text[256])
{
    ssize_t len = recv(fd, text, 255, MSG_DONTWAIT);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void test_states(void **state)
{
    struct readiness *readiness;
    char text[256];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    readiness = readiness_new(ends[1]);
    assert_false(readiness_is_ready(readiness));
    readiness_set_serving(readiness, 7, "; remark");
    assert_true(readiness_is_ready(readiness));
    assert_string_equal(receive_notice(ends[0], text), "READY=1\nSTATUS=serving 7 domains; remark");
    readiness_set_reloading(readiness);
    assert_true(readiness_is_ready(readiness));
    assert_int_equal(strncmp(receive_notice(ends[0], text), "RELOADING=1\n", 12), 0);
    readiness_set_stopping(readiness);
    assert_false(readiness_is_ready(readiness));
    assert_int_equal(strncmp(receive_notice(ends[0], text), "STOPPING=1\n", 11), 0);
    /* A reload may end after this. */
    readiness_set_serving(readiness, 7, "");
    readiness_set_reloading(readiness);
    assert_false(readiness_is_ready(readiness));
    assert_string_equal(receive_notice(ends[0], text), "");
    readiness_free(readiness);
    close(ends[0]);
}

static void test_nobody_is_told(void **state)
{
    struct readiness *readiness = readiness_new(-1);

    (void)state;
    readiness_set_serving(readiness, 0, "");
    assert_true(readiness_is_ready(readiness));
    readiness_tell_alive(readiness);
    readiness_free(readiness);
    readiness_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_nobody_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
