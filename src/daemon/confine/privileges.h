/* SPDX-License-Identifier: MIT */
/**
 * Privileges: root binds the sockets, somebody with no rights at all serves.
 *
 * Started without root, the daemon stays who it is; what capabilities it was given to bind low
 * ports go all the same. Every function is for the time before any thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct err;

enum {
    ACCOUNT_NAME_MAX = 64,
};

/** Who the daemon is once its sockets are bound. */
struct account {
    char name[ACCOUNT_NAME_MAX + 1];
    uid_t uid;
    gid_t gid;
    bool is_new; /* root has to become it */
};

/**
 * Finds out who the daemon is to be: `user` if root has started it, else who has.
 * Returns 0, or -1 with *err set: ERR_CONFIG (there is no such user).
 */
int account_find(const char *user, struct account *ret_account, struct err *err);

/**
 * Gives the file of a unix socket to the account, which is to connect to it and to remove it.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int account_take_file(const struct account *account, const char *path, struct err *err);

/**
 * Becomes the account, for good: without capabilities (unless it is root), without a way to new
 * ones, and without memory that others of this user could read, as there are keys in it.
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int privileges_drop(const struct account *account, struct err *err);
