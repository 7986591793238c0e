/* SPDX-License-Identifier: MIT */
#include "daemon/main/started_programs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/child/program.h"
#include "daemon/child/spawner.h"
#include "daemon/main/acme_orders.h"
#include "daemon/main/certificate_conditions.h"
#include "daemon/main/check_schedule.h"
#include "daemon/main/child_schedule.h"
#include "daemon/main/notifier.h"
#include "daemon/main/on_change.h"
#include "daemon/main/report_service.h"
#include "daemon/main/server_stats.h"
#include "daemon/main/site_schedule.h"
#include "daemon/main/trial_load.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

struct started_programs {
    struct config *const *config;
    struct cert_store *const *store;
    struct spawner *spawner;
    struct trial_load *trial;
    struct on_change *on_change;
    struct check_schedule *checks;
    struct report_service *reports;
    struct child_schedule *site;       /* NULL: nobody could see it */
    struct child_schedule *conditions; /* NULL: nobody is told of them */
    struct notifier *notifier;
    struct cert_scan *const *scan;
    struct acme_commands *acme; /* NULL: nothing is ordered */
    struct acme_orders *orders;
};

int started_programs_new(struct config *const *config, struct cert_store *const *store,
                         const char *config_path, const struct account *account,
                         struct started_programs **ret_programs, struct err *err)
{
    struct started_programs *programs = memory_alloc(sizeof(*programs));
    struct program_commands commands = {
        .of = {[ON_CHANGE] = {(*config)->on_change, (*config)->n_on_change},
               [NOTIFY] = {(*config)->notify, (*config)->n_notify}}};

    *programs =
        (struct started_programs){.config = config,
                                  .store = store,
                                  .checks = check_schedule_new(*config, config_path),
                                  .reports = report_service_new(config_path),
                                  .site = site_schedule_new(*config, config_path),
                                  .conditions = condition_schedule_new(*config, config_path)};
    commands.of[CHECK] = check_schedule_command(programs->checks);
    commands.of[REPORTS] = report_service_command(programs->reports);
    commands.of[SITE] = child_schedule_command(programs->site);
    commands.of[CONDITIONS] = child_schedule_command(programs->conditions);
    if (acme_commands_new(*config, config_path, &programs->acme, err) != 0)
        goto fail;
    acme_commands_set(programs->acme, &commands);
    if (spawner_new(account, &commands, &programs->spawner, err) != 0)
        goto fail;
    programs->trial = trial_load_new(programs->spawner, config_path);
    *ret_programs = programs;
    return 0;
fail:
    started_programs_free(programs);
    return -1;
}

/* Without them policies are served all the same. */
void started_programs_make_directories(struct started_programs *programs,
                                       const struct account *account)
{
    struct err err;

    if (!programs->acme || acme_commands_make_directories(programs->acme, account, &err) == 0)
        return;
    log_line(LOG_ERROR, "acme: no certificates are ordered until the daemon is started again: %s",
             err.msg);
    acme_commands_free(programs->acme);
    programs->acme = NULL;
}

void started_programs_begin_reports(struct started_programs *programs, struct uv_loop_s *loop,
                                    _Atomic uint64_t *n_failures)
{
    report_service_start(programs->reports, loop, programs->spawner, (*programs->config)->state,
                         n_failures);
}

static void on_spawner_lost(void *context)
{
    (void)context;
    log_line(LOG_WARNING,
             "the process that starts others has ended: reloads go on without a trial "
             "load, and nothing else can be started until the daemon is started again");
}

/* In the thread pool. */
static void programs_gather(void *context, const struct config *config, struct arena *arena,
                            struct condition_list *list)
{
    const struct started_programs *programs = context;

    certificate_conditions_add(*programs->scan, programs->orders, config, arena, list);
}

static void programs_recheck(void *context, int64_t at_unix_s)
{
    const struct started_programs *programs = context;

    check_schedule_run_by(programs->checks, at_unix_s);
}

static void programs_on_conditions(void *context)
{
    const struct started_programs *programs = context;

    notifier_look(programs->notifier);
}

static void programs_begin_notices(struct started_programs *programs,
                                   const struct started_programs_options *options)
{
    struct server_stats *stats = options->stats;
    const struct child_schedule_options conditions = {.loop = options->loop,
                                                      .spawner = programs->spawner,
                                                      .delay_ms = SITE_SCHEDULE_DELAY_MS,
                                                      .every_ms = SITE_SCHEDULE_EVERY_MS,
                                                      .done = programs_on_conditions,
                                                      .context = programs,
                                                      .n_good = &stats->n_conditions_good,
                                                      .n_failed = &stats->n_conditions_failed};
    const struct notifier_options notifier = {
        .loop = options->loop,
        .spawner = programs->spawner,
        .directory = options->keeper ? (*programs->config)->state : NULL,
        .config = programs->config,
        .clock = &clock_system,
        .gather = programs_gather,
        .recheck = programs_recheck,
        .context = programs,
        .n_good = &stats->n_notices_good,
        .n_failed = &stats->n_notices_failed,
        .pause_ms = NOTIFIER_PAUSE_MS,
        .look_ms = NOTIFIER_LOOK_MS,
        .retry_ms = NOTIFIER_RETRY_MS};

    programs->scan = options->scan;
    programs->notifier = notifier_new(&notifier);
    if (programs->notifier)
        child_schedule_start(programs->conditions, &conditions);
}

static void programs_on_checked(void *context)
{
    const struct started_programs *programs = context;

    child_schedule_look(programs->conditions, 0);
}

static void programs_on_site_written(void *context)
{
    struct server_stats *stats = context;

    atomic_store(&stats->site_written_unix_s, clock_system.unix_s(&clock_system));
}

void started_programs_begin(struct started_programs *programs,
                            const struct started_programs_options *options)
{
    struct server_stats *stats = options->stats;
    const struct on_change_options on_change = {.loop = options->loop,
                                                .spawner = programs->spawner,
                                                .keeper = options->keeper,
                                                .config = programs->config,
                                                .stats = stats,
                                                .retry_ms = ON_CHANGE_RETRY_MS,
                                                .look_ms = ON_CHANGE_LOOK_MS};
    const struct check_schedule_options checks = {.loop = options->loop,
                                                  .spawner = programs->spawner,
                                                  .config = programs->config,
                                                  .delay_ms = CHECK_SCHEDULE_DELAY_MS,
                                                  .retry_ms = CHECK_SCHEDULE_RETRY_MS,
                                                  .done = programs_on_checked,
                                                  .context = programs,
                                                  .n_good = &stats->n_checks_good,
                                                  .n_failed = &stats->n_checks_failed};
    const struct child_schedule_options site = {.loop = options->loop,
                                                .spawner = programs->spawner,
                                                .delay_ms = SITE_SCHEDULE_DELAY_MS,
                                                .every_ms = SITE_SCHEDULE_EVERY_MS,
                                                .done = programs_on_site_written,
                                                .context = stats,
                                                .n_good = &stats->n_sites_good,
                                                .n_failed = &stats->n_sites_failed};
    const struct acme_orders_options orders = {.loop = options->loop,
                                               .spawner = programs->spawner,
                                               .commands = programs->acme,
                                               .config = programs->config,
                                               .store = programs->store,
                                               .clock = &clock_system,
                                               .stats = &stats->acme,
                                               .seed =
                                                   (uint64_t)clock_system.unix_ms(&clock_system),
                                               .look_ms = ACME_ORDERS_LOOK_MS,
                                               .installed = options->installed,
                                               .context = options->context};

    programs->on_change = on_change_new(&on_change);
    check_schedule_start(programs->checks, &checks);
    child_schedule_start(programs->site, &site);
    programs->orders = acme_orders_new(&orders);
    programs_begin_notices(programs, options);
    spawner_attach(programs->spawner, options->loop, on_spawner_lost, NULL);
}

void started_programs_take_config(struct started_programs *programs)
{
    on_change_look(programs->on_change);
    check_schedule_look(programs->checks);
    child_schedule_look(programs->site, SITE_SCHEDULE_DELAY_MS);
    child_schedule_look(programs->conditions, SITE_SCHEDULE_DELAY_MS);
    acme_orders_set_config(programs->orders);
}

void started_programs_take_reload(struct started_programs *programs, const char *reason)
{
    notifier_take_reload(programs->notifier, reason);
}

void started_programs_take_fetchable(struct started_programs *programs)
{
    on_change_look(programs->on_change);
}

void started_programs_take_certificate(struct started_programs *programs, const char *host,
                                       const struct cert_state *state)
{
    acme_orders_see(programs->orders, host, state);
}

void started_programs_take_certificates(struct started_programs *programs)
{
    acme_orders_look(programs->orders);
    notifier_look(programs->notifier);
}

struct trial_load *started_programs_trial(struct started_programs *programs)
{
    return programs->trial;
}

struct check_schedule *started_programs_checks(const struct started_programs *programs)
{
    return programs->checks;
}

struct notifier *started_programs_notifier(const struct started_programs *programs)
{
    return programs->notifier;
}

struct report_service *started_programs_reports(const struct started_programs *programs)
{
    return programs->reports;
}

struct acme_orders *started_programs_orders(const struct started_programs *programs)
{
    return programs->orders;
}

void started_programs_stop(struct started_programs *programs)
{
    on_change_stop(programs->on_change);
    check_schedule_stop(programs->checks);
    child_schedule_stop(programs->site);
    child_schedule_stop(programs->conditions);
    notifier_stop(programs->notifier);
    report_service_stop(programs->reports);
    acme_orders_stop(programs->orders);
    spawner_detach(programs->spawner);
}

void started_programs_free(struct started_programs *programs)
{
    if (!programs)
        return;
    on_change_free(programs->on_change);
    check_schedule_free(programs->checks);
    child_schedule_free(programs->site);
    child_schedule_free(programs->conditions);
    notifier_free(programs->notifier);
    report_service_free(programs->reports);
    acme_orders_free(programs->orders);
    acme_commands_free(programs->acme);
    trial_load_free(programs->trial);
    spawner_free(programs->spawner);
    free(programs);
}
