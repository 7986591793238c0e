/* SPDX-License-Identifier: MIT */
#include "daemon/confine/landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "daemon/confine/allowed_paths.h"
#include "lib/base/slice.h"

enum {
    NOT_TO_BE_HAD = 200, /* errno values lie below */
};

static int of(int result)
{
    if (result < 0)
        return errno;
    close(result);
    return 0;
}

static int read_file(const char *path)
{
    return of(open(path, O_RDONLY | O_CLOEXEC));
}

static int write_file(const char *path)
{
    return of(open(path, O_WRONLY | O_CLOEXEC));
}

static int create_file(const char *path)
{
    return of(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static int make_directory(const char *path)
{
    return mkdir(path, 0755) == 0 ? 0 : errno;
}

static int truncate_file(const char *path)
{
    return truncate(path, 0) == 0 ? 0 : errno;
}

static int rename_within(const char *path)
{
    char renamed[64];

    snprintf(renamed, sizeof(renamed), "%s.renamed", path);
    return rename(path, renamed) == 0 ? 0 : errno;
}

/* Into the folder that is only read. EXDEV: the kernel has programs think of another disk. */
static int rename_outside(const char *path)
{
    return rename(path, "in/new") == 0 ? 0 : errno == EXDEV ? EACCES : errno;
}

static int make_link(const char *path)
{
    return symlink("/etc/passwd", path) == 0 ? 0 : errno;
}

static int list(const char *path)
{
    DIR *directory = opendir(path);

    if (!directory)
        return errno;
    closedir(directory);
    return 0;
}

static int remove_file(const char *path)
{
    return unlink(path) == 0 ? 0 : errno;
}

static int remove_directory(const char *path)
{
    return rmdir(path) == 0 ? 0 : errno;
}

static int look(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? 0 : errno;
}

static int run(const char *path)
{
    execl(path, path, (char *)NULL);
    return errno;
}

/* Each in a child of its own, in a folder with in/, in/deep/, sockets/, state/ and out/, a file f
 * in each. */
static const struct {
    int (*attempt)(const char *path);
    const char *what, *path;
    int wanted; /* errno */
} cases[] = {
    {read_file, "read", "in/f", 0},
    {read_file, "read", "in/deep/f", 0},
    {read_file, "read", "in/link-in", 0},
    {read_file, "read", "in/link-out", EACCES},
    {read_file, "read", "in/../out/f", EACCES},
    {read_file, "read", "out/f", EACCES},
    {read_file, "read", "sockets/f", EACCES},
    {read_file, "read", "/etc/passwd", EACCES},
    {read_file, "read", "in/none", ENOENT},
    {list, "list", "in", 0},
    {list, "list", "out", EACCES},
    {list, "list", "/", EACCES},
    {look, "look at", "out/f", 0},
    {write_file, "write", "in/f", EACCES},
    {create_file, "create", "in/new", EACCES},
    {create_file, "create", "sockets/new", EACCES},
    {remove_file, "remove", "in/f", EACCES},
    {remove_file, "remove", "out/f", EACCES},
    {remove_file, "remove", "sockets/f", 0},
    {read_file, "read", "state/f", 0},
    {list, "list", "state", 0},
    {write_file, "write", "state/f", 0},
    {truncate_file, "truncate", "state/f", 0},
    {create_file, "create", "state/new", 0},
    {make_directory, "make the directory", "state/d", 0},
    {create_file, "create", "state/d/new", 0},
    {rename_within, "rename", "state/d/new", 0},
    {remove_file, "remove", "state/d/new.renamed", 0},
    {remove_directory, "remove the directory", "state/d", 0},
    {rename_outside, "move away", "state/new", EACCES},
    {remove_file, "remove", "state/new", 0},
    {make_link, "make the link", "state/link", EACCES},
    {create_file, "create", "state/../new", EACCES},
    {make_directory, "make the directory", "in/new", EACCES},
    {make_directory, "make the directory", "sockets/new", EACCES},
    {rename_within, "rename", "in/f", EACCES},
    {rename_within, "rename", "sockets/f2", EACCES},
    {run, "run", "/bin/true", EACCES},
};

static void make_file(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fclose(file);
}

static int set_up(void **state)
{
    static const char *const directories[] = {"in", "in/deep", "sockets", "state", "out"};
    char *folder = strdup("/tmp/mta-stsd.XXXXXX");

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        char path[32];

        assert_int_equal(mkdir(directories[i], 0755), 0);
        snprintf(path, sizeof(path), "%s/f", directories[i]);
        make_file(path);
    }
    make_file("sockets/f2");
    assert_int_equal(symlink("deep/f", "in/link-in"), 0);
    assert_int_equal(symlink("../out/f", "in/link-out"), 0);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const entries[] = {
        "in/deep/f",  "in/deep", "in/link-in", "in/link-out", "in/f",  "in", "sockets/f",
        "sockets/f2", "sockets", "state/f",    "state",       "out/f", "out"};

    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        remove(entries[i]);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

static int enter(const char *folder)
{
    char in[64], sockets[64], state[64];
    struct allowed_directory read = {.actual = in};
    const char *paths[] = {sockets};
    struct allowed_paths allowed = {
        .read = &read, .n_read = 1, .sockets = paths, .n_sockets = 1, .state = state};
    unsigned abi = 0;

    snprintf(in, sizeof(in), "%s/in", folder);
    snprintf(sockets, sizeof(sockets), "%s/sockets", folder);
    snprintf(state, sizeof(state), "%s/state", folder);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return landlock_enter(&allowed, &abi) == 0 && abi > 0 ? 0 : -1;
}

static void test_cases(void **state)
{
    int n_failed = 0;

    if (RUNNING_ON_VALGRIND) /* which does not know these system calls */
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(enter(*state) != 0 ? NOT_TO_BE_HAD : cases[i].attempt(cases[i].path));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == NOT_TO_BE_HAD)
            skip();
        if (WEXITSTATUS(status) == cases[i].wanted)
            continue;
        print_error("row %zu, %s %s: wanted errno %d, seen %d\n", i, cases[i].what, cases[i].path,
                    cases[i].wanted, WEXITSTATUS(status));
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
