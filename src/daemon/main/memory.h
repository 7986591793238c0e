/* SPDX-License-Identifier: MIT */
/**
 * How much memory this process may use: the machine's, or less if a cgroup or a limit says so.
 *
 * Source: cgroups(7); memory.max of cgroup v2, memory.limit_in_bytes of v1.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * For the time before the sandbox, which hides these files.
 *
 * root  what stands before /proc and /sys: "" but for tests
 * Returns bytes.
 */
uint64_t memory_available(const char *root);

/** Bytes for the connections: half of it, up to 1 GiB; the rest is for configurations. */
size_t memory_for_connections(void);
