/* SPDX-License-Identifier: MIT */
#include "support/gate.h"

#include <uv.h>

void gate_new(struct gate *gate)
{
    atomic_store(&gate->is_shut, false);
    sem_init(&gate->reached, 0, 0);
    sem_init(&gate->open, 0, 0);
}

void gate_free(struct gate *gate)
{
    sem_destroy(&gate->reached);
    sem_destroy(&gate->open);
}

void gate_shut(struct gate *gate)
{
    atomic_store(&gate->is_shut, true);
}

void gate_pass(struct gate *gate)
{
    if (!atomic_exchange(&gate->is_shut, false))
        return;
    sem_post(&gate->reached);
    while (sem_wait(&gate->open) != 0)
        continue;
}

void gate_wait(struct gate *gate, struct uv_loop_s *loop)
{
    while (sem_trywait(&gate->reached) != 0)
        uv_run(loop, UV_RUN_NOWAIT);
}

void gate_open(struct gate *gate)
{
    sem_post(&gate->open);
}
