/* SPDX-License-Identifier: MIT */
/**
 * System calls: from here on this thread, and those that it starts, make few.
 *
 * A serving daemon accepts, reads, writes and starts threads; files it only reads. It opens no
 * sockets, starts no programs, makes no memory executable.
 */
#pragma once

/**
 * Installs the filter. What is not on its list fails with ENOSYS; what only an intruder would try
 * ends the process.
 *
 * Returns 0, or -1 with errno: the kernel has no seccomp, or does not let us.
 */
int syscalls_restrict(void);
