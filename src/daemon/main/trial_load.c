/* SPDX-License-Identifier: MIT */
#include "daemon/main/trial_load.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/child/spawner.h"
#include "daemon/main/internal.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/diag.h"

enum {
    MEMORY_PARTS = 10,         /* one of them is left over for what goes on beside a load */
    TRIAL_TIMEOUT_MS = 240000, /* before --reload gives up, which waits 300 s */
};

struct rehearsal {
    struct config *config;
    const char *config_path;
    int statm; /* /proc/self/statm of the daemon, open since before the sandbox; -1: unknown */
    struct spawner *spawner;
    uv_poll_t ended; /* the spawner has */
};

/* Bytes of address space in use; 0: not known. */
static uint64_t address_space(int statm)
{
    char text[64];
    ssize_t len = pread(statm, text, sizeof(text) - 1, 0);

    if (len <= 0)
        return 0;
    text[len] = '\0';
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a load may take; UINT64_MAX: there is no limit. */
static uint64_t memory_left(int statm)
{
    uint64_t used = address_space(statm);
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || used == 0)
        return UINT64_MAX;
    if (used >= limit.rlim_cur)
        return 0;
    return (limit.rlim_cur - used) / MEMORY_PARTS * (MEMORY_PARTS - 1);
}

static int open_statm(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static void forget(void *context)
{
    struct rehearsal *rehearsal = context;

    config_unref(rehearsal->config);
    malloc_trim(0);
}

/* In the child: as much memory as the daemon has left, beside what a process needs anyway. */
static void limit_memory(uint64_t memory_max)
{
    int statm = open_statm();
    uint64_t limit = address_space(statm) + memory_max;

    close(statm);
    setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
}

static int rehearse(void *context, uint64_t memory_max)
{
    const struct rehearsal *rehearsal = context;
    struct diag *diag = diag_new();

    background_be_nice();
    if (memory_max != UINT64_MAX)
        limit_memory(memory_max);
    config_unref(config_load_with(rehearsal->config_path, LOAD_REGULAR, diag));
    diag_free(diag);
    return 0;
}

int rehearsal_new(struct config *config, const char *config_path, const struct account *account,
                  struct rehearsal **ret_rehearsal, struct err *err)
{
    struct rehearsal *rehearsal = memory_alloc(sizeof(*rehearsal));
    const struct spawner_work work = {forget, rehearse, rehearsal};

    *rehearsal = (struct rehearsal){.config = config, .config_path = config_path, .statm = -1};
    if (spawner_new(&work, account, &rehearsal->spawner, err) != 0) {
        rehearsal_free(rehearsal);
        return -1;
    }
    rehearsal->statm = open_statm();
    *ret_rehearsal = rehearsal;
    return 0;
}

static void on_spawner_ended(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    log_line(LOG_ERROR, "the process that loads configurations for a trial has ended: reloads are "
                        "refused until the daemon is started again");
}

void rehearsal_watch(struct rehearsal *rehearsal, struct uv_loop_s *loop)
{
    uv_poll_init(loop, &rehearsal->ended, spawner_socket(rehearsal->spawner));
    uv_poll_start(&rehearsal->ended, UV_READABLE | UV_DISCONNECT, on_spawner_ended);
}

void rehearsal_stop(struct rehearsal *rehearsal)
{
    uv_poll_stop(&rehearsal->ended);
    spawner_stop(rehearsal->spawner);
}

void rehearsal_free(struct rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    spawner_free(rehearsal->spawner);
    if (rehearsal->statm >= 0)
        close(rehearsal->statm);
    free(rehearsal);
}

static void print_end(int status, FILE *out)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    /* abort() is ours, see memory_alloc(); the kernel kills where there is no memory at all. */
    if (number == SIGABRT || number == SIGKILL)
        fputs("there is not enough memory to load it beside the one that serves", out);
    else
        fprintf(out, "the process that loaded it for a trial ended by itself (signal %d, %s)",
                number, strsignal(number));
}

bool rehearsal_passes(struct rehearsal *rehearsal, FILE *out)
{
    struct err err;
    int status;

    if (spawner_run(rehearsal->spawner, memory_left(rehearsal->statm), TRIAL_TIMEOUT_MS, &status,
                    &err) != 0) {
        fprintf(out, "reload refused: a configuration is loaded for a trial first, and %s; ",
                err.msg);
        return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    fputs("reload refused: ", out);
    print_end(status, out);
    fputs("; ", out);
    return false;
}
