/* SPDX-License-Identifier: MIT */
/**
 * Privileges: root binds the sockets, an account without privileges serves.
 *
 * A daemon that is not started by root keeps its user, and still drops the capabilities that it got
 * to bind low ports. Call these functions before the first thread starts.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct config;
struct err;

enum {
    ACCOUNT_NAME_MAX = 64,
};

/** The user and group that the daemon runs as once its sockets are bound. */
struct account {
    char name[ACCOUNT_NAME_MAX + 1];
    uid_t uid;
    gid_t gid;
    bool needs_switch; /* the daemon runs as root and has to become this user */
};

/**
 * Finds the account: the configuration's `user` if root has started the daemon, else the user who
 * has started it. Logs when a `user` that somebody has written is ignored, and when it is root.
 * Returns 0, or -1 with *err set: ERR_CONFIG (root has started the daemon and `user` is unknown).
 */
int account_find(const struct config *config, struct account *ret_account, struct err *err);

/**
 * Finds the account of a user whom root becomes.
 * Returns 0, or -1 if there is no such user.
 */
int account_find_user(const char *user, struct account *ret_account);

/**
 * Gives the file of a unix socket to the account, which connects to the socket and removes it.
 * Changes nothing unless account->needs_switch. Does not follow a symbolic link.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int account_chown(const struct account *account, const char *path, struct err *err);

/**
 * Becomes the account, for good. Drops all capabilities, unless the account is root, and the means
 * to gain new ones. Other processes of the user cannot read our memory then, which holds keys.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int privileges_drop(const struct account *account, struct err *err);
