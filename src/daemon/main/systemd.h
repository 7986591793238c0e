/* SPDX-License-Identifier: MIT */
/**
 * systemd, without its library: the sockets that it passes on, and what it is told.
 *
 * A passed socket serves the entry of `listen` that has its address, or `admin`, and goes on being
 * systemd's: its connections wait there while the daemon restarts. What no passed socket is for,
 * the daemon opens itself. Names (FileDescriptorName=) say nothing that the address does not.
 * Source: sd_listen_fds(3), sd_notify(3)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/net/listen.h"

struct err;
struct listen_address;

enum {
    PASSED_SOCKETS_MAX = 64,
};

struct passed_sockets {
    size_t n;
    struct passed_socket {
        char name[SOCKET_NAME_MAX]; /* what it is bound to */
        bool is_taken;
    } sockets[PASSED_SOCKETS_MAX];
};

/** Looks which sockets were passed to this process. Returns 0, or -1 with *err set: ERR_LIMIT. */
int passed_sockets_receive(struct passed_sockets *ret_passed, struct err *err);

/** sockets_open(), but takes the socket that was passed for this address, if there is one. */
int passed_sockets_open(struct passed_sockets *passed, const struct listen_address *address,
                        int *ret_fds, size_t n_fds, char ret_name[SOCKET_NAME_MAX],
                        struct err *err);

/** Whether the socket for `address` is systemd's; also of an address in a later configuration. */
bool passed_sockets_have(const struct passed_sockets *passed, const struct listen_address *address);

/**
 * Called when all are open. Returns 0, or -1 with *err set: ERR_CONFIG (a socket was passed that
 * nothing in the configuration is for; its peers would wait for ever).
 */
int passed_sockets_check(const struct passed_sockets *passed, struct err *err);

/** Returns the descriptor for the functions below, or -1: nobody wants to be told. */
int systemd_notify_open(void);

/** Sends assignments, "READY=1\nSTATUS=...". */
void systemd_notify(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Says that a reload begins; READY=1 ends it. */
void systemd_notify_reloading(int fd);

/** Whether systemd ends the daemon unless it hears of it every few seconds (WatchdogSec=). */
bool systemd_wants_watchdog(void);

/** Says that the daemon is alive. Never waits or complains: the next time comes in a second. */
void systemd_notify_alive(int fd);
