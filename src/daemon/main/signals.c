/* SPDX-License-Identifier: MIT */
#include "daemon/main/signals.h"

#include <stdlib.h>

#include <uv.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

static const int signal_numbers[] = {SIGHUP, SIGTERM, SIGINT};

struct signals {
    uv_signal_t handles[ARRAY_LEN(signal_numbers)];
    signals_take *take;
    void *context;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;

    signals->take(signals->context, number);
}

struct signals *signals_new(struct uv_loop_s *loop, signals_take *take, void *context)
{
    struct signals *signals = memory_alloc(sizeof(*signals));
    sigset_t held;

    *signals = (struct signals){.take = take, .context = context};
    for (size_t i = 0; i < ARRAY_LEN(signal_numbers); i++) {
        uv_signal_init(loop, &signals->handles[i]);
        signals->handles[i].data = signals;
        uv_signal_start(&signals->handles[i], on_signal, signal_numbers[i]);
    }
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
    return signals;
}

void signals_free(struct signals *signals)
{
    free(signals);
}

void signals_block(sigset_t *ret_before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_before);
}
