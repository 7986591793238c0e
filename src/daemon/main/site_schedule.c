/* SPDX-License-Identifier: MIT */
#include "daemon/main/site_schedule.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/child/program.h"
#include "daemon/http/status_handler.h"
#include "daemon/main/child_schedule.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"

#define SITE_PROGRAM "mta-stsd-reports"
#define SITE_MEMORY_MAX ((uint64_t)2 << 30) /* of address space */

/* Runs the program with an option whose value is a path of the state directory. */
static struct child_schedule *site_schedule_make(struct child_schedule_task task,
                                                 const struct config *config,
                                                 const char *config_path, const char *option,
                                                 const char *file)
{
    char *path = file_path_below(config->state, file);
    const char *const arguments[] = {"--config", config_path, option, path};
    struct child_schedule *schedule;

    task.name = SITE_PROGRAM;
    task.arguments = arguments;
    task.n_arguments = ARRAY_LEN(arguments);
    task.memory_max = SITE_MEMORY_MAX;
    task.timeout_ms = SITE_SCHEDULE_TIMEOUT_MS;
    schedule = child_schedule_new(&task);
    free(path);
    return schedule;
}

struct child_schedule *site_schedule_new(const struct config *config, const char *config_path)
{
    const struct child_schedule_task task = {
        .program = SITE, .prefix = "site", .what_stays = "the earlier pages"};

    if (!config->state || !config->admin || strcmp(config_path, "-") == 0)
        return NULL;
    return site_schedule_make(task, config, config_path, "--site", STATUS_FOLDER);
}

struct child_schedule *condition_schedule_new(const struct config *config, const char *config_path)
{
    const struct child_schedule_task task = {
        .program = CONDITIONS, .prefix = "conditions", .what_stays = "the earlier ones"};

    if (config->n_notify == 0 || strcmp(config_path, "-") == 0)
        return NULL;
    return site_schedule_make(task, config, config_path, "--conditions", CONDITIONS_FILE);
}
