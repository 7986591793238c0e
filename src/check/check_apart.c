/* SPDX-License-Identifier: MIT */
#include "check/check_apart.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/load.h"

#define FALLBACK_USER "nobody"

/* Who is root in a user namespace without other users is an ordinary user outside. */
static bool apart_has_user(uid_t uid)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned first, outside, n;
    bool has_user = map == NULL;

    while (!has_user && fscanf(map, "%u %u %u", &first, &outside, &n) == 3)
        has_user = uid >= first && uid - first < n;
    if (map)
        fclose(map);
    return has_user;
}

int check_apart_find(const struct config *config, struct account *ret_account, struct err *err)
{
    const char *user = config ? config->user : CONFIG_DEFAULT_USER;

    if (geteuid() != 0) {
        *ret_account = (struct account){.uid = geteuid(), .gid = getegid()};
        return 0;
    }
    if (account_find_user(user, ret_account) != 0 &&
        account_find_user(FALLBACK_USER, ret_account) != 0)
        return err_set(err, ERR_CONFIG, "there is neither a user '%s' nor '" FALLBACK_USER "'",
                       user);
    if (!apart_has_user(ret_account->uid))
        ret_account->needs_switch = false;
    return 0;
}

int check_apart_drop(const struct account *account, struct err *err)
{
    if (!account->needs_switch)
        return 0;
    /* There is a thread already, libunbound's. glibc has it become the same user and groups, and
     * the kernel takes its capabilities when it does. */
    if (privileges_drop(account, err) != 0)
        return -1;
    /* After the switch, which has the kernel forget it. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return 0;
}

static int apart_wait(pid_t child, enum exit_status *ret_status, struct err *err)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_io(err, errno, "the process that checks cannot be waited for");
    if (WIFSIGNALED(status))
        return err_set(err, ERR_IO, "the process that checks has ended by signal %d (%s)",
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
    *ret_status = (enum exit_status)WEXITSTATUS(status);
    return 0;
}

int check_apart_run(const struct account *account, enum exit_status (*work)(void *context),
                    void *context, enum exit_status *ret_status, struct err *err)
{
    pid_t child;

    if (!account->needs_switch) {
        *ret_status = work(context);
        return 0;
    }
    /* Each thread has it for itself, and inherits it, even one that a library starts in fork(). */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    child = fork();
    if (child < 0)
        return err_io(err, errno, "no process can be started that checks");
    if (child == 0)
        exit((int)work(context));
    return apart_wait(child, ret_status, err);
}
