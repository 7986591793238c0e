/* SPDX-License-Identifier: MIT */
#include "daemon/main/trial_load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/child/spawner.h"
#include "daemon/main/memory.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    TRIAL_TIMEOUT_MS = 240000,       /* --reload waits 300 s */
    PROGRAM_BYTES = 8 * 1024 * 1024, /* of address space; the program itself takes some more */
    OUTPUT_SIZE = 512,
};

struct trial_load {
    struct spawner *spawner;
    const char *config_path;
    struct spawned *running; /* NULL: no trial is under way */
    trial_load_done *done;
    void *context;
    int output;          /* what the process says on its standard error */
    int statm;           /* /proc/self/statm, opened before the sandbox; -1: unknown */
    uint64_t memory_max; /* that the machine or the container has */
};

struct trial_load *trial_load_new(struct spawner *spawner, const char *config_path)
{
    struct trial_load *trial = memory_alloc(sizeof(*trial));

    *trial = (struct trial_load){.spawner = spawner,
                                 .config_path = config_path,
                                 .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
                                 .memory_max = memory_available("")};
    return trial;
}

void trial_load_free(struct trial_load *trial)
{
    if (!trial)
        return;
    if (trial->statm >= 0)
        close(trial->statm);
    free(trial);
}

/*
 * Of a limit of the daemon's own, what is left beside the configuration that serves, but for a
 * tenth: fetches go on beside a load, and need some too.
 */
static uint64_t memory_left(const struct trial_load *trial, uint64_t limit)
{
    char text[64];
    ssize_t len = pread(trial->statm, text, sizeof(text) - 1, 0);
    uint64_t used;

    if (len <= 0)
        return limit;
    text[len] = '\0';
    used = strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    return used < limit ? (limit - used) / 10 * 9 : 0;
}

static uint64_t memory_for_trial(const struct trial_load *trial)
{
    struct rlimit limit;

    if (MTA_INSTRUMENTED)
        return 0; /* sanitizers reserve terabytes */
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return trial->memory_max;
    return memory_left(trial, limit.rlim_cur) + PROGRAM_BYTES;
}

static void print_reason(const struct spawn_end *end, const char *output, char *reason, size_t size)
{
    if (strstr(output, MEMORY_FAIL_TEXT))
        snprintf(reason, size, "there is not enough memory to load it beside the one that serves");
    else if (end->outcome == SPAWN_TIMED_OUT)
        snprintf(reason, size, "it was not loaded within %d s", TRIAL_TIMEOUT_MS / 1000);
    else if (end->outcome == SPAWN_SIGNALLED && end->code == SIGKILL)
        snprintf(reason, size,
                 "the process that loads it for a trial was killed, as the kernel does where "
                 "memory runs out");
    else
        snprintf(reason, size, "the process that loads it for a trial ended with %s %d%s%.*s",
                 end->outcome == SPAWN_SIGNALLED ? "signal" : "status", end->code,
                 output[0] != '\0' ? ": " : "", (int)strcspn(output, "\n"), output);
}

/* The process has ended, so that all it has said is in the pipe. */
static void read_output(struct trial_load *trial, char output[OUTPUT_SIZE])
{
    ssize_t len = read(trial->output, output, OUTPUT_SIZE - 1);

    output[len > 0 ? len : 0] = '\0';
    close(trial->output);
}

static void on_trial_end(void *context, const struct spawn_end *end)
{
    struct trial_load *trial = context;
    char output[OUTPUT_SIZE], reason[OUTPUT_SIZE + 128];

    trial->running = NULL;
    read_output(trial, output);
    if (end->outcome == SPAWN_EXITED && end->code == 0) {
        trial->done(trial->context, TRIAL_PASSED, NULL);
    } else if (end->outcome == SPAWN_FAILED) {
        snprintf(reason, sizeof(reason), "no process for it can be started: %s",
                 strerror(end->code));
        trial->done(trial->context, TRIAL_NOT_MADE, reason);
    } else {
        print_reason(end, output, reason, sizeof(reason));
        trial->done(trial->context, TRIAL_FAILED, reason);
    }
}

static void start_process(struct trial_load *trial, int error_fd, struct err *err)
{
    const char *const args[] = {trial->config_path};
    const struct spawn_request request = {.program = TRIAL_LOAD,
                                          .args = args,
                                          .n_args = 1,
                                          .fds = {-1, -1, error_fd},
                                          .memory_max = memory_for_trial(trial),
                                          .timeout_ms = TRIAL_TIMEOUT_MS};

    trial->running = spawner_start(trial->spawner, &request, on_trial_end, trial, err);
}

void trial_load_start(struct trial_load *trial, trial_load_done *done, void *context)
{
    struct err err;
    int ends[2];

    trial->done = done;
    trial->context = context;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        done(context, TRIAL_NOT_MADE, strerror(errno));
        return;
    }
    start_process(trial, ends[1], &err);
    close(ends[1]);
    if (trial->running) {
        trial->output = ends[0];
        return;
    }
    close(ends[0]);
    done(context, TRIAL_NOT_MADE, err.msg);
}

void trial_load_cancel(struct trial_load *trial)
{
    if (!trial->running)
        return;
    spawner_cancel(trial->running);
    trial->running = NULL;
    close(trial->output);
}

int trial_load_run(const char *config_path)
{
    struct diag *diag = diag_new(&config_findings);

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the spawner's death too leaves nothing behind */
    prctl(PR_SET_NAME, "mta-stsd-trial");
    config_unref(config_load_with(config_path, LOAD_REGULAR, diag));
    diag_free(diag);
    return 0;
}
