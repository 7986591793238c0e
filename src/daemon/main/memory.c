/* SPDX-License-Identifier: MIT */
#include "daemon/main/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MEMORY_AUTO_MAX = 1024 * 1024 * 1024,
};

static uint64_t smaller_limit(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Returns UINT64_MAX where there is no limit: no file, or the word "max" in it. */
static uint64_t read_limit(const char *path)
{
    uint64_t limit = UINT64_MAX;
    FILE *in = fopen(path, "re");

    if (!in)
        return UINT64_MAX;
    if (fscanf(in, "%" SCNu64, &limit) != 1)
        limit = UINT64_MAX;
    fclose(in);
    return limit;
}

/*
 * The least of a cgroup and those above it. In a container the path may be that on the host, of
 * which nothing exists here but the root: the container's own cgroup.
 */
static uint64_t limit_of_cgroup(const char *mount, char *cgroup, const char *file)
{
    uint64_t limit = UINT64_MAX;
    char path[PATH_MAX + 256];
    char *slash;

    do {
        slash = strrchr(cgroup, '/');
        if (slash && slash[1] == '\0')
            *slash = '\0';
        snprintf(path, sizeof(path), "%s%s/%s", mount, cgroup, file);
        limit = smaller_limit(limit, read_limit(path));
        slash = strrchr(cgroup, '/');
        if (slash)
            *slash = '\0';
    } while (slash);
    return limit;
}

/* A line of /proc/self/cgroup is "0::/path" of v2, or "4:memory:/path" of v1. */
static uint64_t limit_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *cgroup = controllers ? strchr(controllers + 1, ':') : NULL;
    char mount[PATH_MAX];

    if (!cgroup)
        return UINT64_MAX;
    *cgroup++ = '\0';
    cgroup[strcspn(cgroup, "\n")] = '\0';
    if (strcmp(controllers, ":") == 0) {
        snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
        return limit_of_cgroup(mount, cgroup, "memory.max");
    }
    if (strcmp(controllers, ":memory") != 0)
        return UINT64_MAX;
    snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/memory", root);
    return limit_of_cgroup(mount, cgroup, "memory.limit_in_bytes");
}

static uint64_t limit_of_cgroups(const char *root)
{
    uint64_t limit = UINT64_MAX;
    char line[PATH_MAX];
    FILE *in;

    snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
    in = fopen(line, "re");
    while (in && fgets(line, sizeof(line), in))
        limit = smaller_limit(limit, limit_of_line(root, line));
    if (in)
        fclose(in);
    return limit;
}

uint64_t memory_available(const char *root)
{
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t available = smaller_limit(machine, limit_of_cgroups(root));
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        available = smaller_limit(available, limit.rlim_cur);
    return available;
}

size_t memory_for_connections(void)
{
    uint64_t half = memory_available("") / 2;

    return half < MEMORY_AUTO_MAX ? (size_t)half : MEMORY_AUTO_MAX;
}
