/* SPDX-License-Identifier: MIT */
#include "daemon/confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    DROP_FAILED = 2,
    OTHER_GROUP = 4242, /* a supplementary group that has to go */
};

static bool has_users(const struct account *account)
{
    uid_t real, effective, saved;

    return getresuid(&real, &effective, &saved) == 0 && real == account->uid &&
           effective == account->uid && saved == account->uid;
}

static bool has_groups(const struct account *account)
{
    gid_t real, effective, saved;

    return getresgid(&real, &effective, &saved) == 0 && real == account->gid &&
           effective == account->gid && saved == account->gid;
}

static bool lost_other_group(const struct account *account)
{
    gid_t groups[64];
    int n = getgroups(ARRAY_LEN(groups), groups);

    (void)account;
    for (int i = 0; i < n; i++)
        if (groups[i] == OTHER_GROUP)
            return false;
    return n >= 0;
}

static bool has_no_capabilities(const struct account *account)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}}; /* for valgrind */
    uint32_t all = 0;

    (void)account;
    if (syscall(SYS_capget, &header, sets) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        all |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
    return all == 0;
}

static bool has_capabilities(const struct account *account)
{
    return !has_no_capabilities(account);
}

static bool cannot_become_root(const struct account *account)
{
    (void)account;
    return setresuid(0, 0, 0) == -1 && setresgid(0, 0, 0) == -1;
}

static bool has_no_new_privileges(const struct account *account)
{
    (void)account;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool has_private_memory(const struct account *account)
{
    (void)account;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* What holds after privileges_drop(), each in a child of its own that has started as `starter`. */
static const struct {
    const char *starter, *user, *what;
    bool (*holds)(const struct account *account);
} cases[] = {
    {"root", "nobody", "user ids", has_users},
    {"root", "nobody", "group ids", has_groups},
    {"root", "nobody", "no other group", lost_other_group},
    {"root", "nobody", "no capabilities", has_no_capabilities},
    {"root", "nobody", "no way back", cannot_become_root},
    {"root", "nobody", "no new privileges", has_no_new_privileges},
    {"root", "nobody", "private memory", has_private_memory},
    {"root", "root", "user ids", has_users},
    {"root", "root", "capabilities", has_capabilities},
    {"root", "root", "no new privileges", has_no_new_privileges},
    {"root", "root", "private memory", has_private_memory},
    {"nobody", "root", "user ids", has_users},
    {"nobody", "root", "group ids", has_groups},
    {"nobody", "root", "no capabilities", has_no_capabilities},
    {"nobody", "root", "no way back", cannot_become_root},
    {"nobody", "root", "no new privileges", has_no_new_privileges},
    {"nobody", "root", "private memory", has_private_memory},
};

/* Becomes the user that starts the daemon, who is root or has a capability to bind low ports. */
static bool start_as(const char *starter)
{
    const struct passwd *entry = getpwnam(starter);
    gid_t group = OTHER_GROUP;

    if (!entry)
        return false;
    if (entry->pw_uid == 0)
        return setgroups(1, &group) == 0;
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
           setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) == 0 &&
           setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) == 0;
}

static int drop_and_look(size_t row)
{
    struct account account;
    struct err err;

    if (!start_as(cases[row].starter) ||
        account_find(&(struct config){.user = cases[row].user}, &account, &err) != 0 ||
        privileges_drop(&account, &err) != 0)
        return DROP_FAILED;
    return cases[row].holds(&account) ? 0 : 1;
}

static void test_drop(void **state)
{
    int n_failed = 0;

    (void)state;
    if (geteuid() != 0) /* only root has something to drop */
        skip();
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(drop_and_look(i));
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        print_error("row %zu, %s starts with user: %s: %s: status %d\n", i, cases[i].starter,
                    cases[i].user, cases[i].what, status);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

/* In a child without privileges, which cannot become anybody else. */
static int fail_to_drop(void)
{
    const struct account other = {.name = "root", .needs_switch = true};
    struct err err;

    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return DROP_FAILED;
    return privileges_drop(&other, &err) == -1 && err.code == ERR_IO && err.sys_errno == EPERM &&
                   strstr(err.msg, "user: root cannot become 'root' here; allow CAP_SETUID")
               ? 0
               : 1;
}

static void test_drop_fails(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(fail_to_drop());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_find(void **state)
{
    struct account account;
    struct err err;

    (void)state;
    log_set_level(LOG_ERROR);
    if (geteuid() != 0) {
        assert_int_equal(account_find(&(struct config){.user = "mta-sts-nobody"}, &account, &err),
                         0);
        assert_int_equal(account.uid, geteuid());
        assert_int_equal(account.gid, getegid());
        assert_false(account.needs_switch);
        return;
    }
    assert_int_equal(account_find(&(struct config){.user = "nobody"}, &account, &err), 0);
    assert_string_equal(account.name, "nobody");
    assert_int_equal(account.uid, getpwnam("nobody")->pw_uid);
    assert_true(account.needs_switch);
    assert_int_equal(account_find(&(struct config){.user = "root"}, &account, &err), 0);
    assert_false(account.needs_switch);
    assert_int_equal(account_find(&(struct config){.user = "mta-sts-nobody"}, &account, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "user: there is no user 'mta-sts-nobody'; make it, 'useradd"));
    assert_string_equal(account.name, "root"); /* untouched */
}

static void test_chown(void **state)
{
    struct account account = {.name = "nobody", .uid = 65534, .gid = 65534};
    char folder[] = "/tmp/mta-stsd.XXXXXX";
    struct stat status;
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    fclose(fopen("file", "w"));
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(account_chown(&account, "missing", &err), 0); /* nothing to do */
    account.needs_switch = true;
    assert_int_equal(account_chown(&account, "missing", &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.msg, "'missing' cannot be given to 'nobody'"));
    if (geteuid() == 0) {
        assert_int_equal(account_chown(&account, "link", &err), 0);
        assert_int_equal(lstat("link", &status), 0);
        assert_int_equal(status.st_uid, account.uid);
        assert_int_equal(stat("link", &status), 0);
        assert_int_equal(status.st_uid, 0); /* the target stays root's */
    }
    assert_int_equal(unlink("link") | unlink("file") | rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_drop_fails),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_chown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
