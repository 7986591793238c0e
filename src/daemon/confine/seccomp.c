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
 * What glibc, libuv, libh2o and OpenSSL ask for while the daemon serves, reloads and ends; seen
 * with strace, and read in their sources for what is rare: lack of memory, of a vDSO, of epoll.
 */
static const char *const allowed[] = {
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
    "access", "close", "faccessat", "faccessat2", "fcntl", "fstat", "getcwd", "getdents64", "lseek",
    "lstat", "newfstatat", "pread64", "read", "readlink", "readlinkat", "readv", "stat", "statx",
    "unlink", "unlinkat", "write", "writev",
    /* sockets that there are */
    "accept", "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg",
    "sendmsg", "sendto", "setsockopt", "shutdown",
    /* facts */
    "getegid", "geteuid", "getgid", "getrandom", "getrusage", "getuid", "sysinfo", "uname"};

/* Allowed where the bits of an argument in `mask` are `value`. */
static const struct condition {
    const char *name;
    unsigned argument;
    uint64_t mask, value;
} conditions[] = {
    {"clone", 0, CLONE_THREAD, CLONE_THREAD},
    {"ioctl", 1, UINT32_MAX, FIONBIO},
    {"ioctl", 1, UINT32_MAX, TCGETS}, /* isatty(); others type into the terminal */
    {"mmap", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {"openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    {"prlimit64", 2, UINT64_MAX, 0}, /* to look, not to set */
};

/* Nothing here starts a program or looks into another process, so whoever tries is not us. */
static const char *const fatal[] = {
    "execve", "execveat", "process_vm_readv", "process_vm_writev", "ptrace",
};

/* A name that this machine or libseccomp does not know is nothing that anybody could call. */
static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
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

static int add_conditions(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        const struct condition *condition = &conditions[i];
        const struct scmp_arg_cmp comparison = {condition->argument, SCMP_CMP_MASKED_EQ,
                                                condition->mask, condition->value};
        int result = seccomp_rule_add_array(
            filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(condition->name), 1, &comparison);

        if (result != 0)
            return result;
    }
    return 0;
}

static int fill(scmp_filter_ctx filter)
{
    int result = add_names(filter, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed));

    if (result == 0)
        result = add_conditions(filter);
    if (result == 0)
        result = add_names(filter, SCMP_ACT_KILL_PROCESS, fatal, ARRAY_LEN(fatal));
    return result;
}

/*
 * ENOSYS, not death: after an upgrade a library may try a call that is newer than the list, and
 * falls back on the older one. EPERM it would take for the answer. The kernel logs each refusal.
 */
static int load_list(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int result;

    if (!filter)
        return -EINVAL;
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* kernels before 4.14 cannot */
    result = fill(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

/*
 * The flags of clone3 lie where no filter can see them, so that glibc has to do with clone. In a
 * filter of its own, which logs nothing: glibc tries it first for each thread.
 */
static int load_no_clone3(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result;

    if (!filter)
        return -EINVAL;
    result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

int syscalls_restrict(void)
{
    int result = -EOPNOTSUPP;

    /* On 32-bit machines many of these calls have other names. */
    if (sizeof(void *) >= sizeof(uint64_t))
        result = load_no_clone3();
    if (result == 0)
        result = load_list();
    errno = -result;
    return result == 0 ? 0 : -1;
}
