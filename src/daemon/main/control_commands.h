/* SPDX-License-Identifier: MIT */
/**
 * What the daemon answers on its control socket: a row for each question. Main thread.
 */
#pragma once

#include "daemon/control/control_server.h"

struct config;
struct readiness;
struct reload;
struct server_stats;

enum {
    CONTROL_COMMANDS_COUNT = 4,
};

/** The context of the rows. */
struct control_commands {
    struct reload *reload;
    const struct readiness *readiness;
    const struct server_stats *stats;
    struct config *const *config; /* that serves at the time of the question */
};

extern const struct control_row control_commands_rows[CONTROL_COMMANDS_COUNT];
