/* SPDX-License-Identifier: MIT */
/**
 * Landlock: from here on this thread, and those that it starts, reach no files but these.
 */
#pragma once

struct reach;

/**
 * Allows the directories of `reach`: to read below `read`, to remove files in `sockets`. Everything
 * else is refused with EACCES, and so are, as far as the kernel knows how, TCP ports, abstract unix
 * sockets and signals to other processes. What is open stays open.
 *
 * ret_abi  what is in force, of what kernel and daemon both know
 * Returns 0, or -1 with errno: the kernel has no Landlock, or does not let us.
 * Source: landlock(7), Linux 6.1 Documentation/userspace-api/landlock.rst
 */
int landlock_enter(const struct reach *reach, unsigned *ret_abi);
