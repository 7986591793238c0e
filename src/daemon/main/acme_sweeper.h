/* SPDX-License-Identifier: MIT */
/**
 * The sweeper: looks once a day, and when another configuration serves, for the certificates of
 * hosts that have left it.
 *
 * On the loop's thread; the disk is waited for in the thread pool.
 */
#pragma once

struct acme_commands;
struct acme_sweeper;
struct clock;
struct config;
struct uv_loop_s;

struct acme_sweeper_options {
    struct uv_loop_s *loop;
    const struct acme_commands *commands;
    struct config *const *config; /* that serves */
    const struct clock *clock;
};

/** The first look is at once. Never returns NULL. */
struct acme_sweeper *acme_sweeper_new(const struct acme_sweeper_options *options);

/** Looks now; if a look is under way, that one is enough until the next day. */
void acme_sweeper_look(struct acme_sweeper *sweeper);

/** No look begins any more. */
void acme_sweeper_stop(struct acme_sweeper *sweeper);

/** Takes NULL. After acme_sweeper_stop(), when the loop has ended. */
void acme_sweeper_free(struct acme_sweeper *sweeper);
