/* SPDX-License-Identifier: MIT */
#include "daemon/main/job.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include "lib/base/arena.h"

/*
 * A tenth of a core where workers leave nothing. Not 19, for a thread can be preempted while it
 * takes a lock of OpenSSL's, for which workers then do not sleep but spin (pthread_rwlock_wrlock()
 * of glibc 2.36): it gets the core back after 40 ms, at 19 after 300.
 */
enum {
    JOB_NICENESS = 10,
};

struct job {
    uv_work_t request;
    uv_loop_t *loop;
    job_work *work;
    job_done *done;
    void *context;
    bool is_running;
};

struct job *job_new(struct uv_loop_s *loop, job_work *work, job_done *done, void *context)
{
    struct job *job = memory_alloc(sizeof(*job));

    *job = (struct job){.loop = loop, .work = work, .done = done, .context = context};
    job->request.data = job;
    return job;
}

void job_free(struct job *job)
{
    free(job);
}

static void job_run(uv_work_t *request)
{
    struct job *job = request->data;

    job_lower_priority();
    job->work(job->context);
}

static void on_job_run(uv_work_t *request, int status)
{
    struct job *job = request->data;

    (void)status; /* no job is cancelled */
    job->is_running = false;
    job->done(job->context);
}

bool job_start(struct job *job)
{
    if (job->is_running)
        return false;
    job->is_running = uv_queue_work(job->loop, &job->request, job_run, on_job_run) == 0;
    return job->is_running;
}

void job_lower_priority(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), JOB_NICENESS);
}
