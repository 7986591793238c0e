/* SPDX-License-Identifier: MIT */
#include "cli/start_check.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run_as.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

/* Returns 0, or why the effective user cannot run the program. */
static int find_program_fault(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* place, path  of the program's key; what: is not done without it */
static void check_program(const struct config *config, const char *program, struct place place,
                          const char *path, const char *what, struct diag *diag)
{
    char user[RUN_AS_USER_MAX];
    int fault;

    run_as_begin(config);
    fault = find_program_fault(program);
    run_as_end();
    if (fault != 0)
        diag_add(diag, FINDING_PROGRAM_UNUSABLE, place, path,
                 "'%s' cannot be run by user %s: %s; until it can, %s", program,
                 run_as_user(config, user), strerror(fault), what);
}

void start_check_programs(const struct config *config, struct diag *diag)
{
    if (config->n_on_change > 0)
        check_program(config, config->on_change[0], config->on_change_place, "on_change.run[0]",
                      "changed records are not published", diag);
    if (config->n_notify > 0)
        check_program(config, config->notify[0], config->notify_place, "notify.run[0]",
                      "nobody is told what begins and ends", diag);
}

/* Leaves the place and the message of the first finding. */
static void cut_finding(char *text)
{
    char *level = strstr(text, ": error: "), *code;

    text[strcspn(text, "\n")] = '\0';
    code = strrchr(text, '[');
    if (code && code > text)
        code[-1] = '\0';
    if (level)
        memmove(level, level + strlen(": error"), strlen(level + strlen(": error")) + 1);
}

/* Loads all anew with the rights that a reload will have. */
static void check_reload(const struct config *config, const char *config_path, struct diag *diag)
{
    const struct place place = {config_path, 0, 0};
    struct diag *findings = diag_new(&config_findings);
    struct config *again;
    char *text = NULL;
    size_t len;
    FILE *out;

    run_as_begin(config);
    again = config_load(config_path, findings);
    run_as_end();
    if (!again && diag_has(findings, FINDING_FILE_UNREADABLE)) {
        out = open_memstream(&text, &len);
        diag_print(findings, LEVEL_ERROR, out);
        fclose(out);
        cut_finding(text);
        diag_add(diag, FINDING_RELOAD_UNREADABLE, place, "user",
                 "'%s' cannot read the configuration, so that each reload would be refused: %s",
                 config->user, text);
        free(text);
    }
    config_unref(again);
    diag_free(findings);
}

void start_check(const struct config *config, const char *config_path, struct diag *diag)
{
    const struct place place = {config_path, 0, 0};
    const struct passwd *entry;

    if (geteuid() != 0)
        return;
    entry = getpwnam(config->user);
    if (!entry)
        diag_add(diag, FINDING_USER_UNKNOWN, place, "user",
                 "there is no user '%s', and the daemon would not start; make it, 'useradd "
                 "--system --user-group --no-create-home --shell /usr/sbin/nologin %s', or set "
                 "user: to another",
                 config->user, config->user);
    else if (entry->pw_uid != 0 && strcmp(config_path, "-") != 0)
        check_reload(config, config_path, diag);
}
