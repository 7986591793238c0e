/* SPDX-License-Identifier: MIT */
/**
 * seccomp: the kernel refuses this thread, and the threads it starts later, all system calls but
 * those of serving.
 *
 * A serving daemon accepts connections, reads and writes them, starts threads and reads files. It
 * opens no sockets, starts no programs and makes no memory executable. A daemon with a state
 * directory writes files too.
 */
#pragma once

enum seccomp_files {
    SECCOMP_READS_FILES,
    SECCOMP_WRITES_FILES, /* makes, writes, renames and removes them; Landlock limits where */
};

/**
 * Refuses io_uring to this thread and to those that it starts later. For the time before a loop of
 * libuv's is made: libuv 1.45 and later give each loop a ring, which no variable and no option
 * turns off, and abort when the calls to a ring are refused later. Nor may these be allowed: what a
 * ring is told to do no filter sees.
 *
 * Returns 0, or -1 with errno: the kernel has no seccomp, or forbids its use.
 */
int seccomp_refuse_io_uring(void);

/**
 * Installs the filter. A system call that is not on its list fails with ENOSYS; a system call that
 * only an intruder would make kills the process.
 *
 * Returns 0, or -1 with errno: the kernel has no seccomp, or forbids its use.
 */
int seccomp_enter(enum seccomp_files files);
