/* SPDX-License-Identifier: MIT */
#include "check/check_run.h"

#include <stdio.h>

#include "check/check_session.h"
#include "check/domain_check.h"
#include "check/report.h"

struct run_queue {
    const struct check_run *run;
    const struct check_tools *tools;
    size_t n_begun, n_done;
};

static void queue_fill(struct run_queue *queue);

static void queue_on_checked(void *context, const struct domain_report *domain)
{
    struct run_queue *queue = context;
    const struct check_run *run = queue->run;

    queue->n_done++;
    if (run->shows_progress)
        fputs("\r\033[K", stderr);
    report_add(run->report, domain);
    if (run->shows_progress && queue->n_done < run->n_domains)
        fprintf(stderr, "\r%zu of %zu domains", queue->n_done, run->n_domains);
    queue_fill(queue);
}

static void queue_fill(struct run_queue *queue)
{
    const struct check_run *run = queue->run;

    while (queue->n_begun < run->n_domains && queue->n_begun - queue->n_done < run->n_jobs)
        domain_check_start(queue->tools, run->domains[queue->n_begun++], queue_on_checked, queue);
}

void check_run(const struct check_run *run, struct check_session *session)
{
    struct run_queue queue = {.run = run, .tools = check_session_tools(session)};

    run->report->format->begin(run->report);
    queue_fill(&queue);
    check_session_run(session);
    run->report->format->end(run->report);
}
