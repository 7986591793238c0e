/* SPDX-License-Identifier: MIT */
/**
 * A gate: a thread of the pool that comes to it while it is shut waits until the test opens it.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct uv_loop_s;

struct gate {
    atomic_bool is_shut;
    sem_t reached, open;
};

/** An open gate. */
void gate_new(struct gate *gate);

void gate_free(struct gate *gate);

/** The next thread that comes waits; those after it do not. */
void gate_shut(struct gate *gate);

/** For the thread. */
void gate_pass(struct gate *gate);

/** Turns the loop until the thread waits. */
void gate_wait(struct gate *gate, struct uv_loop_s *loop);

/** Lets the thread that waits go on. */
void gate_open(struct gate *gate);
