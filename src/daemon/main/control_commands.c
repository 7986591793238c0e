/* SPDX-License-Identifier: MIT */
#include "daemon/main/control_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/confine/privileges.h"
#include "daemon/control/control.h"
#include "daemon/main/acme_orders.h"
#include "daemon/main/cert_scan.h"
#include "daemon/main/notifier.h"
#include "daemon/main/readiness.h"
#include "daemon/main/reload.h"
#include "daemon/main/server_stats.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

static void answer_reload(void *context, enum reload_outcome outcome, const char *text)
{
    static const char *const words[] = {[RELOAD_GOOD] = CONTROL_OK,
                                        [RELOAD_REFUSED] = CONTROL_REFUSED,
                                        [RELOAD_INVALID] = CONTROL_INVALID};

    control_client_answer(context, words[outcome], text);
}

static void begin_reload(void *context, struct control_client *client)
{
    const struct control_commands *commands = context;

    reload_request(commands->reload, RELOAD_GUARDED, answer_reload, client);
}

static void begin_forced_reload(void *context, struct control_client *client)
{
    const struct control_commands *commands = context;

    reload_request(commands->reload, RELOAD_FORCED, answer_reload, client);
}

static void begin_dry_run(void *context, struct control_client *client)
{
    const struct control_commands *commands = context;

    reload_request(commands->reload, RELOAD_DRY, answer_reload, client);
}

static void answer_notify_test(void *context, bool is_good, const char *text)
{
    char *answer;

    if (asprintf(&answer, "%s%s\n", is_good ? "delivered: " : "not delivered: ", text) < 0)
        memory_fail();
    control_client_answer(context, is_good ? CONTROL_OK : CONTROL_REFUSED, answer);
    free(answer);
}

static void begin_notify_test(void *context, struct control_client *client)
{
    const struct control_commands *commands = context;

    notifier_test(commands->notifier, answer_notify_test, client);
}

static char *print_health(void *context)
{
    const struct control_commands *commands = context;

    if (!readiness_is_ready(commands->readiness))
        return strdup(CONTROL_REFUSED "\nending\n");
    if (atomic_load(&commands->stats->n_loops_stalled) > 0)
        return strdup(CONTROL_REFUSED "\na worker is stuck\n");
    return strdup(CONTROL_OK "\nserving\n");
}

/* A line each: the domain, its id, and whether senders could ever fetch that policy. */
static char *print_served(void *context)
{
    const struct control_commands *commands = context;
    const struct config *config = *commands->config;
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);

    fputs(CONTROL_OK "\n", out);
    for (size_t i = 0; i < config->n_domains; i++)
        if (config->domains[i].document)
            fprintf(out, "%s %s%s\n", config->domains[i].name, config->domains[i].document->id,
                    cert_scan_was_fetchable(*commands->scan, config, i) ? " fetchable" : "");
    fclose(out);
    return bytes;
}

/* A line each: the host, its state, when it is tried next, and why the last try brought nothing. */
static char *print_all_orders(void *context)
{
    const struct control_commands *commands = context;
    const struct config *config = *commands->config;
    char *bytes = NULL, host[POLICY_HOST_SIZE];
    struct acme_host_info info;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);

    fputs(CONTROL_OK "\n", out);
    for (size_t i = 0; i < config->n_domains; i++)
        if (config->domains[i].document &&
            acme_orders_find(commands->orders,
                             dns_policy_host_render(config->domains[i].name, host), &info) == 0)
            fprintf(out, "%s %s %" PRId64 " %s\n", host, acme_state_word(info.state),
                    info.next_unix_s, info.reason);
    fclose(out);
    return bytes;
}

const struct control_row control_commands_rows[CONTROL_COMMANDS_COUNT] = {
    {.question = "reload", .begin = begin_reload},
    {.question = "reload force", .begin = begin_forced_reload},
    {.question = "reload dry", .begin = begin_dry_run},
    {.question = "notify test", .begin = begin_notify_test},
    {.question = "health", .answer = print_health},
    {.question = "orders", .answer = print_all_orders, .is_shared = true},
    {.question = "served", .answer = print_served, .is_shared = true},
};

int control_commands_open(struct control_commands *commands, struct uv_loop_s *loop,
                          const struct account *account, const struct config *config,
                          struct control_server **ret_server, struct err *err)
{
    const struct control_server_options options = {.loop = loop,
                                                   .rows = control_commands_rows,
                                                   .n_rows = CONTROL_COMMANDS_COUNT,
                                                   .ask_timeout_ms = CONTROL_ASK_TIMEOUT_MS,
                                                   .read_timeout_ms = CONTROL_READ_TIMEOUT_MS,
                                                   .context = commands};
    const char *path = config->control;

    *ret_server = control_server_new(&options);
    if (control_server_open(*ret_server, path, err) == 0 && account_chown(account, path, err) == 0)
        return 0;
    if (!config->has_default_control)
        return -1;
    /* Nobody asked for it by name, and a daemon started by hand may have no /run of its own. */
    log_line(LOG_INFO, "%s; until it is started again, only SIGHUP reloads this one", err->msg);
    return 0;
}
