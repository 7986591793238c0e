/* SPDX-License-Identifier: MIT */
#include "daemon/child/child_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/child/child_output.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/when.h"

enum {
    REASON_SIZE = 1024,
};

struct child_run {
    struct child_run_options options;
    char *program;
    struct child_output *output; /* of the run that is under way; NULL: none is */
    unsigned timeout_ms;
    child_run_done *done;
    void *context;
};

struct child_run *child_run_new(const struct child_run_options *options)
{
    struct child_run *run = memory_alloc(sizeof(*run));

    *run = (struct child_run){.options = *options, .program = strdup(options->program)};
    if (!run->program)
        memory_fail();
    return run;
}

static void child_run_print_end(const struct child_run *run, const struct spawn_end *end,
                                char reason[static REASON_SIZE])
{
    const char *program = run->program;
    const char *last_line = child_output_last_line(run->output);
    char limit[WHEN_SIZE];

    switch (end->outcome) {
    case SPAWN_FAILED:
        snprintf(reason, REASON_SIZE, "'%s' cannot be started: %s", program, strerror(end->code));
        break;
    case SPAWN_TIMED_OUT:
        snprintf(reason, REASON_SIZE, "'%s' was ended after %s", program,
                 when_duration(run->timeout_ms / 1000, limit));
        break;
    case SPAWN_SIGNALLED:
        snprintf(reason, REASON_SIZE, "'%s' was ended by signal %d", program, end->code);
        break;
    case SPAWN_EXITED:
        snprintf(reason, REASON_SIZE, "'%s' ended with status %d%s%s", program, end->code,
                 last_line[0] != '\0' ? ": " : "", last_line);
        break;
    }
}

static void child_run_end(void *context, const struct spawn_end *end)
{
    struct child_run *run = context;
    char reason[REASON_SIZE];

    child_output_finish(run->output);
    child_run_print_end(run, end, reason);
    child_run_stop(run);
    run->done(run->context, end, reason);
}

int child_run_start(struct child_run *run, const struct spawn_request *request,
                    child_run_done *done, void *context, struct err *err)
{
    struct spawn_request with_output = *request;

    run->output = child_output_new(run->options.loop, run->options.prefix, err);
    if (!run->output)
        return -1;
    if (run->options.on_line)
        child_output_watch(run->output, run->options.on_line, run->options.line_context);
    with_output.fds[2] = child_output_fd(run->output);
    if (request->fds[1] < 0)
        with_output.fds[1] = with_output.fds[2];
    run->timeout_ms = request->timeout_ms;
    run->done = done;
    run->context = context;
    if (spawner_start(run->options.spawner, &with_output, child_run_end, run, err))
        return 0;
    child_run_stop(run);
    return -1;
}

bool child_run_is_under_way(const struct child_run *run)
{
    return run->output != NULL;
}

void child_run_stop(struct child_run *run)
{
    child_output_free(run->output);
    run->output = NULL;
}

void child_run_free(struct child_run *run)
{
    if (!run)
        return;
    free(run->program);
    free(run);
}
