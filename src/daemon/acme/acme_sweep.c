/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_sweep.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/tls/cert_install.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    MARK_MODE = 0644,
    MARK_MAX = 64,
};

static int sweep_print_mark(void *context, FILE *out)
{
    return fprintf(out, "%" PRId64 "\n", *(const int64_t *)context) > 0 ? 0 : -1;
}

/* Since when a host is marked; -1: it is not. A damaged mark counts from now on. */
static int64_t sweep_read_mark(const char *path, int64_t now_unix_s)
{
    struct arena *arena = arena_new(0);
    struct stat status;
    struct slice text;
    struct err err;
    int64_t since_unix_s = -1;
    uint64_t value;

    if (file_read_regular(path, MARK_MAX, arena, &status, &text, &err) == 0) {
        text = slice_range(text, 0, slice_find_byte(text, '\n'));
        since_unix_s = slice_to_u64(text, INT64_MAX, &value) == 0 ? (int64_t)value : now_unix_s;
    }
    arena_free(arena);
    return since_unix_s;
}

static void sweep_host(const struct acme_commands *commands, const struct config *config,
                       const char *host, int64_t now_unix_s, struct acme_sweep_counts *counts)
{
    char *directory = file_path_below(acme_commands_certificates(commands), host);
    char *mark = file_path_below(directory, ACME_SWEEP_MARK);
    int64_t since_unix_s = sweep_read_mark(mark, now_unix_s);
    struct err err;

    if (config_find_policy_host(config, slice_of(host))) {
        counts->n_unmarked += since_unix_s >= 0 && unlink(mark) == 0;
    } else if (since_unix_s < 0) {
        counts->n_marked += file_replace(mark, MARK_MODE, sweep_print_mark, &now_unix_s, &err) == 0;
    } else if (now_unix_s - since_unix_s >= ACME_SWEEP_KEPT_S) {
        cert_install_remove(directory);
        acme_commands_forget_host(commands, host);
        counts->n_removed++;
    }
    free(mark);
    free(directory);
}

void acme_sweep_run(const struct acme_commands *commands, const struct config *config,
                    int64_t now_unix_s, struct acme_sweep_counts *ret_counts)
{
    DIR *entries = opendir(acme_commands_certificates(commands));
    const struct dirent *entry;

    *ret_counts = (struct acme_sweep_counts){0};
    if (!entries)
        return;
    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            sweep_host(commands, config, entry->d_name, now_unix_s, ret_counts);
    closedir(entries);
}
