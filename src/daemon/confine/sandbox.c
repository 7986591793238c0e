/* SPDX-License-Identifier: MIT */
#include "daemon/confine/sandbox.h"

#include <errno.h>
#include <limits.h>
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

/* A part of a sentence: what the daemon can read. */
static void sandbox_print_allowed(const struct sandbox *sandbox, FILE *out)
{
    const struct allowed_paths *allowed = sandbox->allowed;

    if (allowed->n_read == 0)
        fputs("no file can be read", out);
    for (size_t i = 0; i < allowed->n_read; i++)
        fprintf(out, "%s'%s'", i > 0 ? ", " : "read access is limited to files below ",
                allowed->read[i].actual);
}

static void sandbox_log_allowed(const struct sandbox *sandbox)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    sandbox_print_allowed(sandbox, out);
    fclose(out);
    log_line(LOG_INFO, "sandbox: %s", text);
    free(text);
    if (sandbox->allowed->state)
        log_line(LOG_INFO, "sandbox: the daemon may write files below '%s'",
                 sandbox->allowed->state);
    for (size_t i = 0; i < sandbox->allowed->n_missing; i++)
        log_line(LOG_INFO,
                 "sandbox: '%s' does not exist yet; once it does, restart the daemon to let it "
                 "read the files there",
                 sandbox->allowed->missing[i]);
}

static struct sandbox *sandbox_enter_landlock(const struct config *config, const char *config_path,
                                              char *ret_state, size_t size)
{
    struct sandbox *sandbox = memory_alloc(sizeof(*sandbox));
    unsigned abi;

    sandbox->allowed = allowed_paths_new(config, config_path);
    if (landlock_enter(sandbox->allowed, &abi) == 0) {
        snprintf(ret_state, size, "Landlock ABI %u", abi);
        return sandbox;
    }
    log_line(LOG_WARNING,
             "sandbox: Landlock is not available (%s): read access is not limited beyond the "
             "rights of its user",
             strerror(errno));
    sandbox_free(sandbox);
    return NULL;
}

static bool sandbox_enter_seccomp(const struct config *config)
{
    if (seccomp_enter(config->state ? SECCOMP_WRITES_FILES : SECCOMP_READS_FILES) == 0)
        return true;
    log_line(LOG_WARNING, "sandbox: seccomp is not available (%s): system calls are not limited",
             strerror(errno));
    return false;
}

static bool sandbox_is_on(const struct config *config)
{
    return config->has_sandbox && !MTA_INSTRUMENTED;
}

void sandbox_prepare(const struct config *config)
{
    /* Where this is not to be had, seccomp is not either, and sandbox_enter() says so. */
    if (sandbox_is_on(config))
        seccomp_refuse_io_uring();
}

struct sandbox *sandbox_enter(const struct config *config, const char *config_path,
                              const struct account *account)
{
    bool has_seccomp = false;
    char landlock[32] = "no Landlock";
    struct sandbox *sandbox = NULL;

    if (sandbox_is_on(config)) {
        tzset(); /* reads /etc/localtime now, as Landlock refuses it to strftime() later */
        sandbox = sandbox_enter_landlock(config, config_path, landlock, sizeof(landlock));
        has_seccomp = sandbox_enter_seccomp(config);
    }
    log_line(LOG_INFO, "sandbox: user %s, %s, %s, %s%s", account->name,
             account->uid == 0 ? "all capabilities" : "no capabilities", landlock,
             has_seccomp ? "seccomp" : "no seccomp",
             MTA_INSTRUMENTED ? " (instrumented build)" : "");
    if (sandbox)
        sandbox_log_allowed(sandbox);
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
    if (outside) {
        fprintf(out,
                "reload refused: the configuration needs files below '%s', which the sandbox does "
                "not allow: since the start, ",
                outside);
        sandbox_print_allowed(sandbox, out);
        fputs("; restart the daemon to allow more; the previous configuration stays in use\n", out);
    }
    allowed_paths_free(needed);
    return !outside;
}

const char *sandbox_find_reason(const struct sandbox *sandbox, const char *path, char *buffer,
                                size_t size)
{
    char actual[PATH_MAX];

    if (!sandbox || !realpath(path, actual) || allowed_paths_contain(sandbox->allowed, actual))
        return NULL;
    snprintf(buffer, size, "restart the daemon, as its sandbox does not allow '%s'", actual);
    return buffer;
}

void sandbox_explain(const struct sandbox *sandbox, FILE *out)
{
    if (!sandbox)
        return;
    fputs("sandbox: since the start, ", out);
    sandbox_print_allowed(sandbox, out);
    fputs("; if the file is elsewhere, restart the daemon to allow its directory\n", out);
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
                 "sandbox: another directory has replaced '%s', and read access is limited to "
                 "the old one; restart the daemon to allow the new one",
                 directory->actual);
    }
}
