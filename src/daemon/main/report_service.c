/* SPDX-License-Identifier: MIT */
#include "daemon/main/report_service.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/child/program.h"
#include "daemon/http/report_handler.h"
#include "daemon/http/report_limiter.h"
#include "daemon/main/fetch_keeper.h"
#include "daemon/main/report_reader.h"
#include "daemon/main/spool_writer.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

#define REPORTS_PROGRAM "mta-stsd-reports"

static const struct spool_quota service_quota = {UINT64_C(1) << 30, 100000};

/* A large sender has a few sources, and a report a day for each of 100,000 domains. */
static const struct report_rate rate_per_source = {100, 2000}, rate_of_all = {500, 5000};

struct report_service {
    struct report_intake intake;
    char *program; /* that reads reports; NULL: none can, and `err` says why */
    struct err err;
    const char *command[4];
    struct spool_writer *writer;
    struct report_reader *reader;
    struct fetch_keeper *fetches;
    _Atomic uint64_t n_reads_good, n_reads_failed;
};

/* The program loads the configuration too, which nobody can read twice from standard input. */
static char *service_find_program(const char *config_path, struct err *err)
{
    if (strcmp(config_path, "-") != 0)
        return program_find_beside(REPORTS_PROGRAM);
    err_set(err, ERR_CONFIG, "the configuration came from standard input");
    return NULL;
}

struct report_service *report_service_new(const char *config_path)
{
    struct report_service *service = memory_alloc(sizeof(*service));

    *service = (struct report_service){
        .intake = {.limiter = report_limiter_new(rate_per_source, rate_of_all),
                   .clock = &clock_system},
    };
    service->program = service_find_program(config_path, &service->err);
    service->command[0] = service->program;
    service->command[1] = "--spool";
    service->command[2] = "--config";
    service->command[3] = config_path;
    return service;
}

const struct report_intake *report_service_intake(const struct report_service *service)
{
    return &service->intake;
}

struct program_command report_service_command(const struct report_service *service)
{
    return (struct program_command){service->command, service->program ? 4 : 0};
}

static void service_on_waiting(void *context)
{
    struct report_service *service = context;

    report_reader_wake(service->reader);
}

static void service_on_read(void *context)
{
    struct report_service *service = context;

    spool_writer_recount(service->writer);
}

void report_service_start(struct report_service *service, struct uv_loop_s *loop,
                          struct spawner *spawner, const char *state_directory,
                          _Atomic uint64_t *n_failures)
{
    const struct report_reader_options reader = {.loop = loop,
                                                 .spawner = spawner,
                                                 .program = service->program,
                                                 .pause_ms = REPORT_READER_PAUSE_MS,
                                                 .retry_ms = REPORT_READER_RETRY_MS,
                                                 .on_ended = service_on_read,
                                                 .context = service,
                                                 .n_good = &service->n_reads_good,
                                                 .n_failed = &service->n_reads_failed};
    const struct spool_writer_options writer = {.state_directory = state_directory,
                                                .quota = service_quota,
                                                .clock = &clock_system,
                                                .on_waiting = service_on_waiting,
                                                .context = service,
                                                .n_failures = n_failures};
    const struct fetch_keeper_options fetches = {.loop = loop,
                                                 .state_directory = state_directory,
                                                 .every_ms = FETCH_KEEPER_EVERY_MS,
                                                 .on_written = service_on_waiting,
                                                 .context = service,
                                                 .n_failures = n_failures};
    struct err err;

    if (service->program)
        service->reader = report_reader_new(&reader);
    else
        log_line(LOG_WARNING, "reports: they are kept, and no program reads them: %s",
                 service->err.msg);
    if (spool_writer_new(&writer, &service->writer, &err) != 0) {
        log_line(LOG_ERROR, "reports: %s; none are taken in", err.msg);
        return;
    }
    service->fetches = fetch_keeper_new(&fetches);
    service->intake.keep = spool_writer_keep;
    service->intake.keep_context = service->writer;
}

struct report_stats report_service_stats(struct report_service *service)
{
    if (!service)
        return (struct report_stats){0};
    return (struct report_stats){.spool = spool_writer_counted(service->writer),
                                 .n_reads_good = service->n_reads_good,
                                 .n_reads_failed = service->n_reads_failed};
}

void report_service_add_request(void *context, const struct log_record *record)
{
    struct report_service *service = context;

    fetch_keeper_add(service->fetches, record);
}

void report_service_stop(struct report_service *service)
{
    if (!service)
        return;
    fetch_keeper_stop(service->fetches);
    report_reader_stop(service->reader);
}

void report_service_free(struct report_service *service)
{
    if (!service)
        return;
    spool_writer_free(service->writer);
    fetch_keeper_free(service->fetches);
    report_reader_free(service->reader);
    report_limiter_free(service->intake.limiter);
    free(service->program);
    free(service);
}
