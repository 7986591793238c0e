/* SPDX-License-Identifier: MIT */
/**
 * Landlock: the kernel refuses this thread, and the threads it starts later, all other files.
 */
#pragma once

struct allowed_paths;

/**
 * Allows this thread to read files below `allowed->read` and to remove files in `allowed->sockets`.
 * Below `allowed->state` it may make, read, write, rename and remove files and directories.
 * The kernel refuses all other files with EACCES. A kernel that is new enough also refuses to bind
 * and connect TCP sockets, to connect to abstract unix sockets and to signal other processes.
 * Files and sockets that are open stay open.
 *
 * ret_abi  the Landlock version in force: the newest that both kernel and daemon know
 * Returns 0, or -1 with errno: the kernel has no Landlock, or forbids its use.
 * Source: landlock(7), Linux 6.1 Documentation/userspace-api/landlock.rst
 */
int landlock_enter(const struct allowed_paths *allowed, unsigned *ret_abi);
