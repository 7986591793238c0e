/* SPDX-License-Identifier: MIT */
#include "daemon/confine/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

enum {
    NOT_TO_BE_HAD = 200, /* errno values and signals lie below */
};

/* Each is tried in a child of its own, as the filter is for good. It returns 0 or an errno. */
typedef int attempt(void);

static int of(long result)
{
    return result < 0 ? errno : 0;
}

static int open_to_read(void)
{
    return of(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int print_nothing(void *context, FILE *out)
{
    (void)context;
    (void)out;
    return 0;
}

static int open_to_write(void)
{
    return of(open("/dev/null", O_WRONLY));
}

static int open_to_read_and_write(void)
{
    return of(open("/dev/null", O_RDWR));
}

static int create(void)
{
    return of(open("/tmp/mta-stsd-test-never-made", O_RDONLY | O_CREAT, 0600));
}

static int replace_file(void)
{
    char folder[] = "/tmp/mta-stsd.XXXXXX", path[64];
    struct err err;
    int result;

    if (!mkdtemp(folder))
        return errno;
    snprintf(path, sizeof(path), "%s/f", folder);
    result = file_replace(path, 0644, print_nothing, NULL, &err) == 0 ? 0 : err.sys_errno;
    unlink(path);
    rmdir(folder);
    return result;
}

static int rename_file(void)
{
    return of(rename("/mta-stsd-test-never-made", "/mta-stsd-test-never-made-either"));
}

static int make_link(void)
{
    return of(symlink("/dev/null", "/mta-stsd-test-never-made/link"));
}

static void *do_nothing(void *context)
{
    return context;
}

static int start_thread(void)
{
    pthread_t thread;
    int reason = pthread_create(&thread, NULL, do_nothing, NULL);

    if (reason == 0)
        pthread_join(thread, NULL);
    return reason;
}

static int start_process(void)
{
    long process = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (process == 0)
        _exit(0);
    return of(process);
}

static int start_program(void)
{
    return of(execl("/bin/true", "true", (char *)NULL));
}

static int trace(void)
{
    return of(syscall(SYS_ptrace, 0, 0, NULL, NULL));
}

static int new_socket(void)
{
    return of(socket(AF_INET, SOCK_STREAM, 0));
}

static int map(int protection)
{
    void *page = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? errno : 0;
}

static int map_data(void)
{
    return map(PROT_READ | PROT_WRITE);
}

static int map_code(void)
{
    return map(PROT_READ | PROT_EXEC);
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int type_into_terminal(void)
{
    return of(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int look_at_limit(void)
{
    struct rlimit limit;

    return of(getrlimit(RLIMIT_NOFILE, &limit));
}

static int set_limit(void)
{
    return of(setrlimit(RLIMIT_NOFILE, &(struct rlimit){16, 16}));
}

static int become_root(void)
{
    return of(syscall(SYS_setresuid, 0, 0, 0));
}

static int leave_namespace(void)
{
    return of(unshare(CLONE_NEWNS));
}

static const struct {
    const char *what;
    attempt *attempt;
    int wanted; /* errno */
    int signal; /* that ends it */
    enum seccomp_files files;
} cases[] = {
    {"open to read", open_to_read, 0, 0, SECCOMP_READS_FILES},
    {"open to write", open_to_write, ENOSYS, 0, SECCOMP_READS_FILES},
    {"open to read and write", open_to_read_and_write, ENOSYS, 0, SECCOMP_READS_FILES},
    {"create a file", create, ENOSYS, 0, SECCOMP_READS_FILES},
    {"rename a file", rename_file, ENOSYS, 0, SECCOMP_READS_FILES},
    {"replace a file below state", replace_file, 0, 0, SECCOMP_WRITES_FILES},
    {"rename a file below state", rename_file, ENOENT, 0, SECCOMP_WRITES_FILES},
    {"make a link", make_link, ENOSYS, 0, SECCOMP_WRITES_FILES},
    {"start a program", start_program, 0, SIGSYS, SECCOMP_WRITES_FILES},
    {"new socket", new_socket, ENOSYS, 0, SECCOMP_WRITES_FILES},
    {"start a thread", start_thread, 0, 0, SECCOMP_READS_FILES},
    {"start a process", start_process, ENOSYS, 0, SECCOMP_READS_FILES},
    {"start a program", start_program, 0, SIGSYS, SECCOMP_READS_FILES},
    {"trace", trace, 0, SIGSYS, SECCOMP_READS_FILES},
    {"new socket", new_socket, ENOSYS, 0, SECCOMP_READS_FILES},
    {"map data", map_data, 0, 0, SECCOMP_READS_FILES},
    {"map code", map_code, ENOSYS, 0, SECCOMP_READS_FILES},
    {"make code of data", make_code, ENOSYS, 0, SECCOMP_READS_FILES},
    {"type into the terminal", type_into_terminal, ENOSYS, 0, SECCOMP_READS_FILES},
    {"look at a limit", look_at_limit, 0, 0, SECCOMP_READS_FILES},
    {"set a limit", set_limit, ENOSYS, 0, SECCOMP_READS_FILES},
    {"become root", become_root, ENOSYS, 0, SECCOMP_READS_FILES},
    {"leave a namespace", leave_namespace, ENOSYS, 0, SECCOMP_READS_FILES},
};

/* The status of a child that restricts itself and tries. */
static int try(attempt *function, enum seccomp_files files)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core files of those that are to be killed */
        _exit(seccomp_enter(files) != 0 ? NOT_TO_BE_HAD : function());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Before a loop is made: no ring, and everything else as before. */
static int make_ring(void)
{
    if (seccomp_refuse_io_uring() != 0)
        return NOT_TO_BE_HAD;
    errno = 0;
    syscall(SYS_io_uring_setup, 1, NULL);
    return errno;
}

static void test_no_io_uring(void **state)
{
    pid_t child;
    int status;

    (void)state;
    if (RUNNING_ON_VALGRIND)
        skip();
    child = fork();
    if (child == 0)
        _exit(make_ring() != ENOSYS || open_to_write() != 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_cases(void **state)
{
    int n_failed = 0;

    (void)state;
    if (RUNNING_ON_VALGRIND) /* the filter would be valgrind's as well */
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = try(cases[i].attempt, cases[i].files);
        int seen_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        int seen = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

        if (seen == NOT_TO_BE_HAD)
            skip();
        if (seen == cases[i].wanted && seen_signal == cases[i].signal)
            continue;
        print_error("row %zu, %s: wanted errno %d and signal %d, seen %d and %d\n", i,
                    cases[i].what, cases[i].wanted, cases[i].signal, seen, seen_signal);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_io_uring),
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
