/* SPDX-License-Identifier: MIT */
#include "daemon/confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/confine/allowed_paths.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"

/* The number of file rights by ABI: ABI 3 added truncation, ABI 5 ioctl() on devices. */
static const unsigned n_file_rights[] = {0, 13, 14, 15, 15, 16, 16};

enum {
    ABI_MAX = ARRAY_LEN(n_file_rights) - 1,
    ABI_TCP = 4,
    ABI_SCOPE = 6,
    TCP_BIND_AND_CONNECT = 3,
    SCOPE_SOCKETS_AND_SIGNALS = 3,
    RIGHT_TO_TRUNCATE = 1 << 14,
    RIGHTS_TO_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    RIGHTS_TO_KEEP = RIGHTS_TO_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TO_TRUNCATE |
                     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                     LANDLOCK_ACCESS_FS_REFER,
};

/* Debian 12's header ends at ABI 2. Older kernels accept the members they lack if these are 0. */
struct ruleset_attr {
    uint64_t files, tcp, scope;
};

static int landlock_find_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi < ABI_MAX ? (int)abi : ABI_MAX;
}

static uint64_t ruleset_file_rights(int abi)
{
    return (UINT64_C(1) << n_file_rights[abi]) - 1;
}

static int ruleset_create(int abi)
{
    const struct ruleset_attr ruleset = {
        .files = ruleset_file_rights(abi),
        .tcp = abi >= ABI_TCP ? TCP_BIND_AND_CONNECT : 0,
        .scope = abi >= ABI_SCOPE ? SCOPE_SOCKETS_AND_SIGNALS : 0,
    };

    return (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
}

/* A directory that cannot be opened now cannot be read later either, so its rule is no loss. */
static void ruleset_allow(int ruleset, const char *directory, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = rights,
        .parent_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };

    if (rule.parent_fd < 0 ||
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        log_line(LOG_WARNING, "sandbox: '%s' cannot be allowed: %s", directory, strerror(errno));
    if (rule.parent_fd >= 0)
        close(rule.parent_fd);
}

int landlock_enter(const struct allowed_paths *allowed, unsigned *ret_abi)
{
    int abi = landlock_find_abi(), ruleset = abi < 0 ? -1 : ruleset_create(abi), reason = 0;

    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < allowed->n_read; i++)
        ruleset_allow(ruleset, allowed->read[i].actual, RIGHTS_TO_READ);
    for (size_t i = 0; i < allowed->n_sockets; i++)
        ruleset_allow(ruleset, allowed->sockets[i], LANDLOCK_ACCESS_FS_REMOVE_FILE);
    if (allowed->state)
        ruleset_allow(ruleset, allowed->state, RIGHTS_TO_KEEP & ruleset_file_rights(abi));
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        reason = errno;
    close(ruleset);
    errno = reason;
    if (reason != 0)
        return -1;
    *ret_abi = (unsigned)abi;
    return 0;
}
