/* SPDX-License-Identifier: MIT */
#include "cli/identity.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

void identity_take(const struct config *config)
{
    const struct passwd *entry = geteuid() == 0 ? getpwnam(config->user) : NULL;

    if (!entry || entry->pw_uid == 0)
        return;
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
}
