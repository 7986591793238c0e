/* SPDX-License-Identifier: MIT */
/**
 * Work apart: what strangers' servers send is read without root's rights.
 *
 * A process of root does the work in a child that becomes the daemon's user for good once it has
 * opened what needs root. The parent keeps its rights, reads nothing from strangers and waits.
 */
#pragma once

#include "lib/diag/exit_status.h"

struct account;
struct config;
struct err;

/**
 * Finds the account that is to do the work. For root it is the user whom a daemon started by root
 * becomes, or 'nobody' where there is no such user, as on a machine without a daemon. All others
 * keep their own, and so does root in a user namespace that has no such user.
 *
 * config  NULL: the daemon's default user
 * Returns 0, or -1 with *err set: ERR_CONFIG (root has neither).
 */
int check_apart_find(const struct config *config, struct account *ret_account, struct err *err);

/**
 * Gives up root's rights for good, where the account is another. The child ends with its parent
 * then. Returns 0, or -1 with *err set: ERR_IO.
 */
int check_apart_drop(const struct account *account, struct err *err);

/**
 * Does the work, in a child if the account is not the one that this process has. In a child, all
 * that is to reach the caller has to be written to shared memory. The work calls check_apart_drop()
 * when it has opened what needs root. The caller has one thread.
 *
 * ret_status  what the work returns
 * Returns 0, or -1 with *err set: ERR_IO (there can be no child, or it crashed).
 */
int check_apart_run(const struct account *account, enum exit_status (*work)(void *context),
                    void *context, enum exit_status *ret_status, struct err *err);
