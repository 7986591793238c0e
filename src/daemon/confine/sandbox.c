/* SPDX-License-Identifier: MIT */
#include "daemon/confine/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/confine/allowed_paths.h"
#include "daemon/confine/landlock.h"
#include "daemon/confine/privileges.h"
#include "daemon/confine/seccomp.h"
#include "lib/base/arena.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

struct sandbox {
    struct allowed_paths *allowed;
};

static void sandbox_print_directories(const struct sandbox *sandbox, FILE *out)
{
    const struct allowed_paths *allowed = sandbox->allowed;

    for (size_t i = 0; i < allowed->n_read; i++)
        fprintf(out, "%s'%s'", i > 0 ? ", " : "", allowed->read[i].actual);
    if (allowed->n_read == 0)
        fputs("nothing", out);
}

static void sandbox_log_directories(const struct sandbox *sandbox)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    sandbox_print_directories(sandbox, out);
    fclose(out);
    log_line(LOG_INFO, "sandbox: may read below %s", text);
    free(text);
}

static struct sandbox *sandbox_enter_landlock(const struct config *config, const char *config_path,
                                              char *words, size_t size)
{
    struct sandbox *sandbox = memory_alloc(sizeof(*sandbox));
    unsigned abi;

    sandbox->allowed = allowed_paths_new(config, config_path);
    if (landlock_enter(sandbox->allowed, &abi) == 0) {
        snprintf(words, size, "Landlock ABI %u", abi);
        return sandbox;
    }
    log_line(LOG_WARNING,
             "sandbox: there is no Landlock here (%s), so that what the user may read, the daemon "
             "may",
             strerror(errno));
    sandbox_free(sandbox);
    return NULL;
}

static bool sandbox_enter_seccomp(void)
{
    if (seccomp_enter() == 0)
        return true;
    log_line(LOG_WARNING,
             "sandbox: there is no seccomp here (%s), so that every system call is open to the "
             "daemon",
             strerror(errno));
    return false;
}

struct sandbox *sandbox_enter(const struct config *config, const char *config_path,
                              const struct account *account)
{
    bool is_on = config->has_sandbox && !MTA_INSTRUMENTED, has_seccomp = false;
    char landlock[32] = "no Landlock";
    struct sandbox *sandbox = NULL;

    if (is_on) {
        tzset(); /* reads /etc/localtime now, as Landlock refuses it to strftime() later */
        sandbox = sandbox_enter_landlock(config, config_path, landlock, sizeof(landlock));
        has_seccomp = sandbox_enter_seccomp();
    }
    log_line(LOG_INFO, "sandbox: user %s, %s, %s, %s%s", account->name,
             account->uid == 0 ? "all capabilities" : "no capabilities", landlock,
             has_seccomp ? "seccomp" : "no seccomp",
             MTA_INSTRUMENTED ? " (instrumented build)" : "");
    if (sandbox)
        sandbox_log_directories(sandbox);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    allowed_paths_free(sandbox->allowed);
    free(sandbox);
}

bool sandbox_allows(const struct sandbox *sandbox, const struct config *next,
                    const char *config_path, FILE *out)
{
    struct allowed_paths *needed;
    const char *outside;

    if (!sandbox)
        return true;
    needed = allowed_paths_new(next, config_path);
    outside = allowed_paths_find_outside(sandbox->allowed, needed);
    if (outside)
        fprintf(out,
                "reload refused: files below '%s' are needed now, which the sandbox has not "
                "allowed since the start: this needs a restart; the configuration from before "
                "goes on being served\n",
                outside);
    allowed_paths_free(needed);
    return !outside;
}

void sandbox_explain(const struct sandbox *sandbox, FILE *out)
{
    if (!sandbox)
        return;
    fputs("the sandbox allows to read below ", out);
    sandbox_print_directories(sandbox, out);
    fputs(" only, since the start; what has come to lie elsewhere needs a restart\n", out);
}

void sandbox_watch(struct sandbox *sandbox)
{
    for (size_t i = 0; sandbox && i < sandbox->allowed->n_read; i++) {
        struct allowed_directory *directory = &sandbox->allowed->read[i];
        struct stat status;

        if (stat(directory->actual, &status) != 0 ||
            (status.st_dev == directory->device && status.st_ino == directory->inode))
            continue;
        directory->device = status.st_dev;
        directory->inode = status.st_ino;
        log_line(LOG_WARNING,
                 "another directory has taken the place of '%s', which the sandbox does not allow "
                 "to be read: this needs a restart",
                 directory->actual);
    }
}
