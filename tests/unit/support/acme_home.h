/* SPDX-License-Identifier: MIT */
/** A configuration with `acme:`, whose directory of `state:` is the test's own, and a clock. */
#pragma once

#include <stdint.h>

struct acme_commands;
struct clock;
struct config;

struct acme_home {
    char directory[64];
    struct config *config; /* of a.example, b.example, c.example; one reference */
    struct acme_commands *commands;
};

/** What acme_home_clock says, to threads of the pool too. */
extern _Atomic int64_t acme_home_now;
extern const struct clock acme_home_clock;

/** Makes the directories. Fails the test if something cannot be made. */
void acme_home_open(struct acme_home *home);

/** Another configuration of the same directory: what `domains:` holds, what `policy_host:`. */
struct config *acme_home_config(const struct acme_home *home, const char *domains,
                                const char *policy_host);

/** The path of something in the directory, valid until the next call. */
const char *acme_home_path(const struct acme_home *home, const char *name);

/** Removes the directory. */
void acme_home_close(struct acme_home *home);
