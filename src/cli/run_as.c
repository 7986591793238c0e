/* SPDX-License-Identifier: MIT */
#include "cli/run_as.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"

/* The supplementary groups from before. */
static struct {
    gid_t *ids; /* NULL: they are as they were */
    int n;
} groups;

static void keep_groups(void)
{
    groups.n = getgroups(0, NULL);
    groups.ids = memory_resize(NULL, (size_t)groups.n + 1, sizeof(*groups.ids));
    groups.n = getgroups(groups.n, groups.ids);
}

void identity_take(const struct config *config)
{
    const struct passwd *entry = geteuid() == 0 ? getpwnam(config->user) : NULL;

    if (!entry || entry->pw_uid == 0)
        return;
    keep_groups();
    /* Where it is forbidden, as in some containers, the answer is root's. */
    if (initgroups(config->user, entry->pw_gid) != 0 || setegid(entry->pw_gid) != 0 ||
        seteuid(entry->pw_uid) != 0)
        identity_return();
}

void identity_return(void)
{
    if (getuid() != 0)
        return;
    if (seteuid(0) != 0 || setegid(getgid()) != 0)
        abort();
    if (groups.ids)
        setgroups((size_t)groups.n, groups.ids); /* fails where initgroups() has */
    free(groups.ids);
    groups.ids = NULL;
}
