/* SPDX-License-Identifier: MIT */
/**
 * Parsing: from YAML files to raw values, everything as written and where it was written.
 *
 * A domain is built as soon as it is read, and for that its policy and the settings must be known,
 * which may stand anywhere: behind the domains, or in the last included file. So all files are read
 * into memory and parsed twice, for what domains share and then for the domains.
 * Internal to config/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"
#include "lib/config/policies.h"
#include "lib/config/schema.h"

struct arena;
struct diag;

/** The bytes of a file that was read. */
struct raw_file {
    const char *name; /* as findings show it */
    const struct fields *fields;
    struct slice bytes;
};

struct raw_config {
    const char *name; /* of the main file, as findings show it */
    struct raw_settings settings;
    struct named_policies policies;
    struct raw_file *files;
    size_t n_files;
    bool is_cut; /* some file was not read to its end: what is missing may be there */
};

/**
 * Reads `path` and the files that it includes, as far as they can be read, makes sure that they
 * have not changed meanwhile, and parses the settings and policies. Of what is wrong in a file,
 * nothing is reported yet: raw_config_parse_domains() reports all of it.
 *
 * care     a set of LOAD_*
 * keep     gets what the snapshot goes on using: names of policies and of files
 * scratch  gets everything else; must outlive ret_raw
 * ret_raw  zeroed by the caller; released by raw_config_done()
 */
void raw_config_read(const char *path, unsigned care, struct arena *keep, struct arena *scratch,
                     struct diag *diag, struct raw_config *ret_raw);

/** Gets one domain, which is valid until the function returns. */
typedef void on_raw_domain(void *context, const struct raw_domain *domain);

/**
 * Parses the files again: passes each domain whose name is valid to `on_domain`, and adds what is
 * wrong anywhere.
 *
 * scratch  gets what is parsed again and not used
 */
void raw_config_parse_domains(struct raw_config *raw, struct arena *scratch, struct diag *diag,
                              on_raw_domain *on_domain, void *context);

void raw_config_done(struct raw_config *raw);
