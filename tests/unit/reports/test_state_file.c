/* SPDX-License-Identifier: MIT */
#include "reports/state_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"

static void test_open(void **state)
{
    char directory[] = "/tmp/state-file-XXXXXX", path[64], link_path[64];
    struct stat status;
    struct err err;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(directory));
    if (geteuid() == 0)
        assert_int_equal(chown(directory, 65534, 65534), 0);
    snprintf(path, sizeof(path), "%s/a", directory);
    snprintf(link_path, sizeof(link_path), "%s/b", directory);
    fd = state_file_open(directory, "a", &err);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_uid, geteuid() == 0 ? 65534 : geteuid());
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    fd = state_file_open(directory, "a", &err);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 1);
    close(fd);

    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(state_file_open(directory, "b", &err), -1);
    assert_int_equal(err.sys_errno, ELOOP);
    assert_int_equal(state_file_open("/nonexistent", "a", &err), -1);
    assert_string_equal(
        err.msg, "state: the directory '/nonexistent' cannot be opened: No such file or directory");
    unlink(link_path);
    unlink(path);
    rmdir(directory);
}

/* A file that is there keeps its owner. */
static void test_owner_stays(void **state)
{
    char directory[] = "/tmp/state-file-XXXXXX", path[64];
    struct stat status;
    struct err err;
    FILE *file;
    int fd;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chown(directory, 65534, 65534), 0);
    snprintf(path, sizeof(path), "%s/a", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    fd = state_file_open(directory, "a", &err);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_uid, 0);
    close(fd);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_open),
                                              cmocka_unit_test(test_owner_stays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
