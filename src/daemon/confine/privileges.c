/* SPDX-License-Identifier: MIT */
#include "daemon/confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

static void account_describe_self(struct account *account)
{
    const struct passwd *entry = getpwuid(geteuid());

    *account = (struct account){.uid = geteuid(), .gid = getegid()};
    if (entry)
        snprintf(account->name, sizeof(account->name), "%s", entry->pw_name);
    else
        snprintf(account->name, sizeof(account->name), "%u", account->uid);
}

int account_find_user(const char *user, struct account *ret_account)
{
    const struct passwd *entry = getpwnam(user);

    if (!entry)
        return -1;
    *ret_account = (struct account){
        .uid = entry->pw_uid, .gid = entry->pw_gid, .needs_switch = entry->pw_uid != 0};
    snprintf(ret_account->name, sizeof(ret_account->name), "%s", user);
    return 0;
}

int account_find(const struct config *config, struct account *ret_account, struct err *err)
{
    const char *user = config->user;

    if (geteuid() != 0) {
        account_describe_self(ret_account);
        if (!config->has_default_user && strcmp(ret_account->name, user) != 0)
            log_line(LOG_INFO, "user: '%s' is ignored: the daemon stays '%s', who has started it",
                     user, ret_account->name);
        return 0;
    }
    if (account_find_user(user, ret_account) != 0)
        return err_set(err, ERR_CONFIG,
                       "user: there is no user '%s'; make it, 'useradd --system --user-group "
                       "--no-create-home --shell /usr/sbin/nologin %s', or set user: to another",
                       user, user);
    if (!ret_account->needs_switch)
        log_line(LOG_WARNING,
                 "user: '%s' keeps all privileges, so a fault in the daemon or its libraries "
                 "gives them to an intruder",
                 user);
    return 0;
}

int account_chown(const struct account *account, const char *path, struct err *err)
{
    /* Not chown(): the account may own the folder, and may have put a link in the file's place. */
    if (!account->needs_switch || lchown(path, account->uid, account->gid) == 0)
        return 0;
    return err_io(err, errno, "'%s' cannot be given to '%s'", path, account->name);
}

static int account_become(const struct account *account)
{
    if (initgroups(account->name, account->gid) != 0 ||
        setresgid(account->gid, account->gid, account->gid) != 0)
        return -1;
    return setresuid(account->uid, account->uid, account->uid);
}

/* The kernel drops the ambient capabilities with the permitted ones, see capabilities(7). */
static int capabilities_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return (int)syscall(SYS_capset, &header, none);
}

int privileges_drop(const struct account *account, struct err *err)
{
    if (account->needs_switch && account_become(account) != 0)
        return err_io(err, errno,
                      "user: root cannot become '%s' here; allow CAP_SETUID and CAP_SETGID, or "
                      "start mta-stsd as that user",
                      account->name);
    if (account->uid != 0 && capabilities_drop() != 0)
        return err_io(err, errno, "capabilities cannot be dropped");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_io(err, errno, "the means to gain privileges cannot be dropped");
    return 0;
}
