/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include "cli/mode.h"
#include "cli/start_check.h"
#include "daemon/main/server.h"
#include "lib/base/slice.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    MAPPED_BYTES = 32 * 1024, /* libyaml's buffer has 48 KiB, blocks of a snapshot have more */
};

/* So that freeing a snapshot returns its memory to the system, not to a heap that threads share. */
static void map_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
}

/* SIGHUP while a large configuration is read would end the process; blocked, it waits. */
static void hold_reloads(void)
{
    sigset_t reload;

    sigemptyset(&reload);
    sigaddset(&reload, SIGHUP);
    sigprocmask(SIG_BLOCK, &reload, NULL);
}

/* By default these signals end a process; they mean nothing to the daemon. */
static void ignore_signals(void)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
                                  SIGIO,   SIGXFSZ, SIGPWR,  SIGSTKFLT, SIGPIPE};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        signal(numbers[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        signal(number, SIG_IGN);
}

static struct config *serve_load(const struct options *options)
{
    struct diag *diag = diag_new(&config_findings);
    struct config *config = config_load_with(options->config_path, LOAD_SETTLED, diag);

    if (config)
        start_check_programs(config, diag);
    diag_print(diag, LEVEL_WARNING, stderr);
    diag_free(diag);
    return config;
}

enum exit_status mode_serve(const struct options *options)
{
    struct config *config;
    struct err err;

    map_large_blocks();
    hold_reloads();
    ignore_signals();
    config = serve_load(options);
    if (!config)
        return cli_fail(STATUS_USAGE, "not started: the configuration has errors");
    if (server_run(config, options->config_path, &err) != 0)
        return cli_fail(STATUS_FAILED, "%s", err.msg);
    return STATUS_GOOD;
}
