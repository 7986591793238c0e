/* SPDX-License-Identifier: MIT */
/**
 * seccomp: the kernel refuses this thread, and the threads it starts later, all system calls but
 * those of serving.
 *
 * A serving daemon accepts connections, reads and writes them, starts threads and reads files. It
 * opens no sockets, starts no programs, writes no files and makes no memory executable.
 */
#pragma once

/**
 * Installs the filter. A system call that is not on its list fails with ENOSYS; a system call that
 * only an intruder would make kills the process.
 *
 * Returns 0, or -1 with errno: the kernel has no seccomp, or forbids its use.
 */
int seccomp_enter(void);
