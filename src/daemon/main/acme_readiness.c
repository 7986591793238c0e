/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_readiness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/dns/record.h"

struct acme_readiness {
    struct acme_readiness_options options;
    struct child_run *run;
    bool is_under_way;
    char hosts[ACME_READINESS_HOSTS_MAX][POLICY_HOST_SIZE];
    bool is_answered[ACME_READINESS_HOSTS_MAX];
    size_t n_hosts;
};

/* What follows "HOST " in a line, or NULL. */
static const char *readiness_answer_of(const char *line, const char *host)
{
    size_t len = strlen(host);

    return strncmp(line, host, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

/* Returns whether the line is to be logged, which no answer is: what it says is told by whoever
 * has asked. */
static bool readiness_take_line(void *context, const char *line)
{
    static const char waiting[] = "waiting ";
    struct acme_readiness *readiness = context;

    for (size_t i = 0; i < readiness->n_hosts; i++) {
        const char *answer = readiness_answer_of(line, readiness->hosts[i]);
        bool is_ready = answer && strcmp(answer, "ready") == 0;

        if (readiness->is_answered[i] || !answer ||
            !(is_ready || strncmp(answer, waiting, strlen(waiting)) == 0))
            continue;
        readiness->is_answered[i] = true;
        readiness->options.host(readiness->options.context, readiness->hosts[i],
                                is_ready ? NULL : answer + strlen(waiting));
        return false;
    }
    return true;
}

static void readiness_end(struct acme_readiness *readiness, const char *fault)
{
    bool is_whole = true;

    readiness->is_under_way = false;
    for (size_t i = 0; i < readiness->n_hosts; i++) {
        if (readiness->is_answered[i])
            continue;
        is_whole = false;
        readiness->options.host(readiness->options.context, readiness->hosts[i], fault);
    }
    readiness->options.done(readiness->options.context, is_whole ? NULL : fault);
}

static void readiness_program_end(void *context, const struct spawn_end *end, const char *reason)
{
    (void)end;
    readiness_end(context, reason);
}

struct acme_readiness *acme_readiness_new(const struct acme_readiness_options *options)
{
    struct acme_readiness *readiness = memory_alloc(sizeof(*readiness));
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = "acme",
                                          .program = "mta-stsd-check --acme-ready",
                                          .on_line = readiness_take_line,
                                          .line_context = readiness};

    *readiness = (struct acme_readiness){.options = *options};
    readiness->run = child_run_new(&run);
    return readiness;
}

void acme_readiness_ask(struct acme_readiness *readiness, const char *const *hosts, size_t n_hosts)
{
    const char *args[ACME_READINESS_HOSTS_MAX];
    const struct spawn_request request = {.program = ACME_READY,
                                          .args = args,
                                          .n_args = n_hosts,
                                          .fds = {-1, -1, -1},
                                          .timeout_ms = ACME_READINESS_TIMEOUT_MS};
    struct err err;

    readiness->n_hosts = n_hosts;
    for (size_t i = 0; i < n_hosts; i++) {
        snprintf(readiness->hosts[i], sizeof(readiness->hosts[i]), "%s", hosts[i]);
        readiness->is_answered[i] = false;
        args[i] = readiness->hosts[i];
    }
    readiness->is_under_way = true;
    if (child_run_start(readiness->run, &request, readiness_program_end, readiness, &err) != 0)
        readiness_end(readiness, err.msg);
}

bool acme_readiness_is_under_way(const struct acme_readiness *readiness)
{
    return readiness->is_under_way;
}

void acme_readiness_stop(struct acme_readiness *readiness)
{
    child_run_stop(readiness->run);
}

void acme_readiness_free(struct acme_readiness *readiness)
{
    if (!readiness)
        return;
    child_run_free(readiness->run);
    free(readiness);
}
