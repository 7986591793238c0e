/* SPDX-License-Identifier: MIT */
/**
 * What the daemon answers on its control socket: a row for each question. Main thread.
 */
#pragma once

#include "daemon/control/control_server.h"

struct account;
struct acme_orders;
struct config;
struct err;
struct notifier;
struct readiness;
struct reload;
struct server_stats;
struct uv_loop_s;

enum {
    CONTROL_COMMANDS_COUNT = 7,
};

/** The context of the rows. */
struct control_commands {
    struct reload *reload;
    const struct readiness *readiness;
    const struct server_stats *stats;
    struct config *const *config; /* that serves at the time of the question */
    struct cert_scan *const *scan;
    struct acme_orders *orders; /* NULL: nothing is ordered */
    struct notifier *notifier;  /* NULL: nobody is told anything */
};

/**
 * Opens the control socket of the configuration and gives its file to the account. A default socket
 * that cannot be opened is only a line in the log.
 *
 * ret_server  set in any case, never to NULL
 * Returns 0, or -1 with *err set: ERR_IO, ERR_CONFIG.
 */
int control_commands_open(struct control_commands *commands, struct uv_loop_s *loop,
                          const struct account *account, const struct config *config,
                          struct control_server **ret_server, struct err *err);

extern const struct control_row control_commands_rows[CONTROL_COMMANDS_COUNT];
