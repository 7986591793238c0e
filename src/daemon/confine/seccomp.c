/* SPDX-License-Identifier: MIT */
#include "daemon/confine/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/base/slice.h"

/*
 * The system calls that glibc, libuv, libh2o and OpenSSL make while the daemon serves, reloads and
 * stops. strace showed the frequent calls; the rare ones (without memory, vDSO or epoll) come from
 * reading the sources.
 */
static const char *const allowed_calls[] = {
    /* memory */
    "brk", "madvise", "mremap", "munmap",
    /* threads */
    "clone3" /* refused below */, "exit", "exit_group", "futex", "get_robust_list", "getpid",
    "gettid", "rseq", "sched_getaffinity", "sched_yield", "set_robust_list", "setpriority",
    "tgkill",
    /* signals */
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    /* time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time",
    /* waiting */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "pipe2",
    "poll", "ppoll",
    /* files */
    "access", "close", "faccessat", "faccessat2", "fcntl", "fdatasync", "fstat", "ftruncate",
    "getcwd", "getdents64", "lseek", "lstat", "newfstatat", "pread64", "read", "readlink",
    "readlinkat", "readv", "stat", "statx", "unlink", "unlinkat", "write", "writev",
    /* open sockets */
    "accept", "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg",
    "sendmsg", "sendto", "setsockopt", "shutdown",
    /* identity and system */
    "getegid", "geteuid", "getgid", "getrandom", "getrusage", "getuid", "sysinfo", "uname"};

/*
 * What file_replace() and a directory's maker call. openat() may have any flags then: a program
 * that can make files and rename them can change each file anyway.
 */
static const char *const writing_calls[] = {
    "fchmod", "flock",  "fsync",    "mkdir",     "mkdirat",
    "openat", "rename", "renameat", "renameat2", "rmdir",
};

/* Allowed if the bits of the argument that `mask` selects equal `value`. */
static const struct argument_condition {
    const char *name;
    unsigned argument;
    uint64_t mask, value;
} conditional_calls[] = {
    {"clone", 0, CLONE_THREAD, CLONE_THREAD},
    {"ioctl", 1, UINT32_MAX, FIONBIO},
    {"ioctl", 1, UINT32_MAX, TCGETS}, /* isatty(); other requests could type into the terminal */
    {"mmap", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {"openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    {"prlimit64", 2, UINT64_MAX, 0}, /* reads a limit, sets none */
};

/* The daemon never starts a program or looks into another process: only an intruder would. */
static const char *const fatal_calls[] = {
    "execve", "execveat", "process_vm_readv", "process_vm_writev", "ptrace",
};

/* Skips a name that libseccomp does not know; the filter refuses that call anyway. */
static int filter_add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
                            size_t n_names)
{
    for (size_t i = 0; i < n_names; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        int result =
            number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, action, number, 0, NULL);

        if (result != 0)
            return result;
    }
    return 0;
}

static int filter_add_conditions(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < ARRAY_LEN(conditional_calls); i++) {
        const struct argument_condition *condition = &conditional_calls[i];
        const struct scmp_arg_cmp comparison = {condition->argument, SCMP_CMP_MASKED_EQ,
                                                condition->mask, condition->value};
        int result = seccomp_rule_add_array(
            filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(condition->name), 1, &comparison);

        if (result != 0)
            return result;
    }
    return 0;
}

static int filter_add_rules(scmp_filter_ctx filter, enum seccomp_files files)
{
    int result = filter_add_names(filter, SCMP_ACT_ALLOW, allowed_calls, ARRAY_LEN(allowed_calls));

    if (result == 0 && files == SECCOMP_WRITES_FILES)
        result = filter_add_names(filter, SCMP_ACT_ALLOW, writing_calls, ARRAY_LEN(writing_calls));
    if (result == 0)
        result = filter_add_conditions(filter);
    if (result == 0)
        result =
            filter_add_names(filter, SCMP_ACT_KILL_PROCESS, fatal_calls, ARRAY_LEN(fatal_calls));
    return result;
}

/*
 * ENOSYS, not death: after an upgrade a library may try a call that is newer than the list, and
 * falls back on the older call. The library would take EPERM for the final answer. The kernel logs
 * each refusal.
 */
static int filter_load_list(enum seccomp_files files)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int result;

    if (!filter)
        return -EINVAL;
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* kernels before 4.14 cannot */
    result = filter_add_rules(filter, files);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

/*
 * Filters of their own, because they must not log: glibc tries clone3 for each thread, and libuv
 * tries io_uring_setup for each loop, before the older calls.
 */
static int filter_load_without(int number)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result;

    if (!filter)
        return -EINVAL;
    result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

int seccomp_refuse_io_uring(void)
{
    int result = filter_load_without(SCMP_SYS(io_uring_setup));

    errno = -result;
    return result == 0 ? 0 : -1;
}

int seccomp_enter(enum seccomp_files files)
{
    int result = -EOPNOTSUPP;

    /*
     * On 32-bit machines many calls of the list have other names. The flags of clone3 are in
     * memory, which no filter can read, so glibc has to fall back on clone.
     */
    if (sizeof(void *) >= sizeof(uint64_t))
        result = filter_load_without(SCMP_SYS(clone3));
    if (result == 0)
        result = filter_load_list(files);
    errno = -result;
    return result == 0 ? 0 : -1;
}
