/* SPDX-License-Identifier: MIT */
#include "cli/run_as.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"

/* The supplementary groups before run_as_begin(); a process has only one set of them. */
static struct {
    gid_t *ids; /* NULL: the process has them */
    int n;
} saved_groups;

static void run_as_save_groups(void)
{
    saved_groups.n = getgroups(0, NULL);
    saved_groups.ids = memory_resize(NULL, (size_t)saved_groups.n + 1, sizeof(*saved_groups.ids));
    saved_groups.n = getgroups(saved_groups.n, saved_groups.ids);
}

const char *run_as_user(const struct config *config, char buffer[static RUN_AS_USER_MAX])
{
    uid_t uid = geteuid();
    const struct passwd *entry = uid == 0 ? getpwnam(config->user) : getpwuid(uid);

    if (entry)
        snprintf(buffer, RUN_AS_USER_MAX, "'%s'", entry->pw_name);
    else
        snprintf(buffer, RUN_AS_USER_MAX, "%u", uid);
    return buffer;
}

void run_as_begin(const struct config *config)
{
    const struct passwd *entry = geteuid() == 0 ? getpwnam(config->user) : NULL;

    if (!entry || entry->pw_uid == 0)
        return;
    run_as_save_groups();
    /* Some containers forbid changing ids; the check then sees what root sees. */
    if (initgroups(config->user, entry->pw_gid) != 0 || setegid(entry->pw_gid) != 0 ||
        seteuid(entry->pw_uid) != 0)
        run_as_end();
}

void run_as_end(void)
{
    if (getuid() != 0)
        return;
    if (seteuid(0) != 0 || setegid(getgid()) != 0)
        abort();
    /* Fails only where initgroups() failed. */
    if (saved_groups.ids)
        setgroups((size_t)saved_groups.n, saved_groups.ids);
    free(saved_groups.ids);
    saved_groups.ids = NULL;
}
