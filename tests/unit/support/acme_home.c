/* SPDX-License-Identifier: MIT */
#include "support/acme_home.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/confine/privileges.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "support/loaded.h"

_Atomic int64_t acme_home_now = 1700000000;

static int64_t home_unix_s(const struct clock *clock)
{
    (void)clock;
    return acme_home_now;
}

const struct clock acme_home_clock = {.unix_s = home_unix_s};

struct config *acme_home_config(const struct acme_home *home, const char *domains,
                                const char *policy_host)
{
    return loaded_config("{policy_host: {%s}, state: %s, policies: {default: {mx: [mx.example]}},\n"
                         "acme: {directory: 'https://ca.example/dir', agree_to_terms: true},\n"
                         "domains: {%s}}\n",
                         policy_host, home->directory, domains);
}

void acme_home_open(struct acme_home *home)
{
    const struct account account = {0};
    struct err err;

    *home = (struct acme_home){.directory = "/tmp/acme-home-XXXXXX"};
    assert_non_null(mkdtemp(home->directory));
    home->config =
        acme_home_config(home, "a.example: {}, b.example: {}, c.example: {}", "name: p.example");
    assert_int_equal(acme_commands_new(home->config, "a.yaml", &home->commands, &err), 0);
    assert_int_equal(acme_commands_make_directories(home->commands, &account, &err), 0);
}

const char *acme_home_path(const struct acme_home *home, const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", home->directory, name);
    return path;
}

/* Not by a shell: where the spawner was started, the kernel reaps all children. */
static int home_remove(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void acme_home_close(struct acme_home *home)
{
    acme_commands_free(home->commands);
    config_unref(home->config);
    assert_int_equal(nftw(home->directory, home_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}
