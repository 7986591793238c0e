/* SPDX-License-Identifier: MIT */
/**
 * Jobs: work for libuv's thread pool at a low priority, one run of a job at a time.
 */
#pragma once

#include <stdbool.h>

struct job;
struct uv_loop_s;

/** Called in a thread of the pool. */
typedef void job_work(void *context);

/** Called on the loop after each run. May start the job again. */
typedef void job_done(void *context);

/** Never returns NULL. */
struct job *job_new(struct uv_loop_s *loop, job_work *work, job_done *done, void *context);

/** Takes NULL. The job does not run. */
void job_free(struct job *job);

/** Returns whether the job begins: false if it runs already. */
bool job_start(struct job *job);

/** The calling thread gives way to the workers from now on. */
void job_lower_priority(void);
