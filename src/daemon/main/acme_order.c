/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "daemon/main/job.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/key_file.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

enum acme_order_state {
    ACME_ORDER_IDLE,
    ACME_ORDER_PREPARING,
    ACME_ORDER_RUNNING,
    ACME_ORDER_INSTALLING,
};

struct acme_order {
    struct acme_order_options options;
    acme_order_done *done;
    void *context;
    enum acme_order_state state;
    bool is_stopped;
    bool is_kept;                /* the certificate is of an earlier order */
    char host[POLICY_HOST_SIZE]; /* "": an account */
    char prefix[POLICY_HOST_SIZE + sizeof("acme: ")];
    struct cert_store *store;
    struct acme_answer answer;
    struct child_run *run;
    struct job *prepare, *install;
    /* A job's while it runs. */
    struct cert_install_dates dates;
    int result;
    struct err err;
};

static void order_end(struct acme_order *order, enum acme_outcome outcome, const char *reason)
{
    const struct acme_order_end end = {.outcome = outcome,
                                       .host = order->host[0] == '\0' ? NULL : order->host,
                                       .reason = reason,
                                       .retry_unix_s = acme_answer_retry_unix_s(&order->answer),
                                       .is_kept = order->is_kept,
                                       .dates = order->dates};

    order->state = ACME_ORDER_IDLE;
    cert_store_unref(order->store);
    order->store = NULL;
    if (!order->is_stopped)
        order->done(order->context, &end);
}

/* For want of room or of a right, a certificate was not installed: that may be possible later. */
static bool order_is_obstructed(const struct acme_order *order)
{
    return order->result != 0 && order->err.code == ERR_IO;
}

/* In the thread pool. */
static void order_install(void *context)
{
    struct acme_order *order = context;
    const struct cert_source result = acme_commands_result(order->options.commands);
    const struct cert_install install = {.host = order->host,
                                         .from = &result,
                                         .directory =
                                             acme_commands_certificates(order->options.commands),
                                         .chain_name = ACME_CHAIN_FILE,
                                         .key_name = ACME_KEY_FILE,
                                         .note_name = ACME_DIRECTORY_NOTE,
                                         .note = acme_commands_note(order->options.commands)};

    order->result = cert_install_run(&install, order->store, &order->dates, &order->err);
    if (!order_is_obstructed(order))
        acme_commands_clean_host(order->options.commands, order->host);
}

static void order_installed(void *context)
{
    struct acme_order *order = context;
    char reason[ACME_REASON_MAX];

    snprintf(reason, sizeof(reason), "the certificate that was ordered is not installed: %s",
             order->result == 0 ? "" : order->err.msg);
    if (order->result == 0)
        order_end(order, ACME_ORDERED, NULL);
    else
        order_end(order, order_is_obstructed(order) ? ACME_OBSTRUCTED : ACME_HOST_FAILED, reason);
}

/* Of the authority's document, the braces tell nothing. */
static bool order_take_line(void *context, const char *line)
{
    struct acme_order *order = context;

    acme_answer_take(&order->answer, line);
    return line[strspn(line, " {}[],")] != '\0';
}

/* uacme has no time-out of its own: what holds it up is an authority that is silent. */
static enum acme_outcome order_judge_end(const struct acme_order *order,
                                         const struct spawn_end *end)
{
    if (end->outcome == SPAWN_TIMED_OUT)
        return ACME_OUT_OF_ORDER;
    return order->host[0] == '\0' ? ACME_UNREACHABLE : ACME_HOST_FAILED;
}

/* An authority that gives no account, for a reason of its own. */
static void order_explain_account(const struct acme_order *order,
                                  char reason[static ACME_REASON_MAX])
{
    size_t len = strlen(reason);

    if (acme_commands_binding(order->options.commands))
        snprintf(reason + len, ACME_REASON_MAX - len,
                 "; is the file of acme.external_account_binding right?");
}

/* uacme's words name no file. */
static void order_explain_key(const struct acme_order *order, char reason[static ACME_REASON_MAX])
{
    const struct acme_commands *commands = order->options.commands;
    const char *account_key = acme_commands_account_key(commands);
    char *key = cert_path_expand(acme_commands_result(commands).key, order->host);
    bool is_account = order->host[0] == '\0';

    snprintf(reason, ACME_REASON_MAX,
             "'%s'%s%s%s is damaged; put your copy back, or remove the file, and a new %s made",
             account_key, is_account ? "" : " or '", is_account ? "" : key, is_account ? "" : "'",
             is_account ? "key and a new account are" : "key is");
    free(key);
}

static void order_program_end(void *context, const struct spawn_end *end, const char *why)
{
    struct acme_order *order = context;
    char reason[ACME_REASON_MAX];
    enum acme_outcome outcome;

    if (end->outcome != SPAWN_EXITED) {
        order_end(order, order_judge_end(order, end), why);
        return;
    }
    outcome = acme_answer_judge(&order->answer, end->code, reason);
    if (outcome == ACME_HOST_FAILED && order->host[0] == '\0')
        order_explain_account(order, reason);
    else if (outcome == ACME_OBSTRUCTED &&
             strncmp(reason, ACME_KEY_DAMAGED, strlen(ACME_KEY_DAMAGED)) == 0)
        order_explain_key(order, reason);
    if (outcome == ACME_ORDERED && order->host[0] != '\0') {
        order->state = ACME_ORDER_INSTALLING;
        job_start(order->install);
    } else {
        order_end(order, outcome, reason);
    }
}

/* In the thread pool. */
static void order_prepare(void *context)
{
    struct acme_order *order = context;
    const struct acme_commands *commands = order->options.commands;

    if (order->host[0] == '\0') {
        order->result = key_file_make(acme_commands_account_key(commands), &order->err);
        return;
    }
    if (acme_commands_has_result(commands, order->host)) {
        order_install(order);
        order->is_kept = order->result == 0 || order_is_obstructed(order);
    }
    if (!order->is_kept)
        order->result = acme_commands_prepare_host(commands, order->host, &order->err);
}

static int order_run(struct acme_order *order)
{
    const char *binding = acme_commands_binding(order->options.commands);
    bool is_account = order->host[0] == '\0';
    const char *argument = is_account ? binding : order->host;
    const struct spawn_request request = {.program = is_account ? ACME_ACCOUNT : ACME_ORDER,
                                          .args = &argument,
                                          .n_args = argument ? 1 : 0,
                                          .fds = {-1, -1, -1},
                                          .timeout_ms = order->options.timeout_ms};

    order->state = ACME_ORDER_RUNNING;
    return child_run_start(order->run, &request, order_program_end, order, &order->err);
}

static void order_prepared(void *context)
{
    struct acme_order *order = context;

    if (order->is_kept)
        order_installed(order);
    else if (order->is_stopped || order->result != 0 || order_run(order) != 0)
        order_end(order, ACME_OBSTRUCTED, order->err.msg);
}

struct acme_order *acme_order_new(const struct acme_order_options *options, acme_order_done *done,
                                  void *context)
{
    struct acme_order *order = memory_alloc(sizeof(*order));
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = order->prefix,
                                          .program = ACME_UACME,
                                          .on_line = order_take_line,
                                          .line_context = order};

    *order = (struct acme_order){.options = *options, .done = done, .context = context};
    order->run = child_run_new(&run);
    order->prepare = job_new(options->loop, order_prepare, order_prepared, order);
    order->install = job_new(options->loop, order_install, order_installed, order);
    return order;
}

void acme_order_start(struct acme_order *order, const char *host, struct cert_store *store)
{
    snprintf(order->host, sizeof(order->host), "%s", host ? host : "");
    snprintf(order->prefix, sizeof(order->prefix), "acme: %s", host ? host : "account");
    order->store = store ? cert_store_ref(store) : NULL;
    order->answer = (struct acme_answer){0};
    order->is_kept = false;
    order->state = ACME_ORDER_PREPARING;
    job_start(order->prepare);
}

const char *acme_order_host(const struct acme_order *order)
{
    return order->host;
}

bool acme_order_is_under_way(const struct acme_order *order)
{
    return order->state != ACME_ORDER_IDLE;
}

void acme_order_stop(struct acme_order *order)
{
    order->is_stopped = true;
    child_run_stop(order->run);
}

void acme_order_free(struct acme_order *order)
{
    if (!order)
        return;
    child_run_free(order->run);
    job_free(order->prepare);
    job_free(order->install);
    cert_store_unref(order->store);
    free(order);
}
