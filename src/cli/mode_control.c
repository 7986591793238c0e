/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mode.h"
#include "daemon/control/control.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    RELOAD_TIMEOUT_S = 300, /* a million domains on a slow machine */
    HEALTH_TIMEOUT_S = 5,
    NOTIFY_TIMEOUT_S = 180, /* two runs of the program: one may be under way */
};

static enum exit_status status_of(struct slice outcome)
{
    if (slice_eq_text(outcome, CONTROL_OK))
        return STATUS_GOOD;
    return slice_eq_text(outcome, CONTROL_INVALID) ? STATUS_USAGE : STATUS_FINDINGS;
}

static const char *control_advice(int sys_errno)
{
    if (sys_errno == EACCES || sys_errno == EPERM)
        return "; root and the daemon's user may ask";
    if (sys_errno == ENOENT || sys_errno == ECONNREFUSED)
        return "; start it, or name its configuration with -c; if it runs, its log says why it has "
               "no socket, and SIGHUP reloads it";
    return "";
}

/* What is wrong with the file may be why nobody answers: it can hide the key `control`. */
static enum exit_status report_silence(const struct options *options, const struct err *err)
{
    struct diag *diag = diag_new(&config_findings);

    if (strcmp(options->config_path, "-") != 0)
        config_unref(config_load_with(options->config_path, LOAD_REGULAR, diag));
    diag_print(diag, LEVEL_ERROR, stderr);
    diag_free(diag);
    return cli_fail(STATUS_FAILED, "%s%s", err->msg, control_advice(err->sys_errno));
}

/*
 * It is asked all the same: a daemon that serves stays healthy when its file is moved away, and the
 * answer to a reload says what is wrong with the file that the daemon reads.
 */
#define GUESSED                                                                                   \
    "mta-stsd: '%s' cannot be read, or not all of it (see --test-config), and the key 'control' " \
    "was not found: asked the daemon at '%s', the default\n"

/* Asks the running daemon and prints what it says. */
static enum exit_status ask_daemon(const struct options *options, const char *question,
                                   unsigned timeout_s)
{
    bool is_guess;
    char *path = config_load_control(options->config_path, &is_guess), *text;
    enum exit_status status;
    struct err err;

    if (control_ask(path, question, timeout_s, &text, &err) != 0) {
        status = report_silence(options, &err);
    } else {
        size_t first = strcspn(text, "\n");

        if (is_guess)
            fprintf(stderr, GUESSED, options->config_path, path);
        status = status_of((struct slice){text, first});
        fputs(text + first + (text[first] != '\0'), stdout);
        free(text);
    }
    free(path);
    return status;
}

enum exit_status mode_reload(const struct options *options)
{
    const char *question = options->force ? "reload force" : "reload";

    if (options->force && options->dry_run)
        return cli_fail(STATUS_USAGE, "--force and --dry-run do not go together");
    return ask_daemon(options, options->dry_run ? "reload dry" : question, RELOAD_TIMEOUT_S);
}

enum exit_status mode_notify_test(const struct options *options)
{
    return ask_daemon(options, "notify test", NOTIFY_TIMEOUT_S);
}

enum exit_status mode_health(const struct options *options)
{
    return ask_daemon(options, "health", HEALTH_TIMEOUT_S);
}
