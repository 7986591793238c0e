/* SPDX-License-Identifier: MIT */
/**
 * Reading: from YAML files to the raw configuration, everything as written and where it was
 * written.
 *
 * Internal to config/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/config.h"
#include "lib/config/schema.h"
#include "lib/config/seen.h"

struct arena;
struct diag;

struct raw_named_policy {
    struct field_text name;
    const char *path; /* "policies.standard", fit for a terminal whatever the name is */
    bool is_broken;   /* an error in it is reported; perhaps not all of its keys are here */
    struct raw_policy keys;
};

/** One entry under domains:. */
struct raw_entry {
    const char *name; /* stored form */
    struct place place;
    struct field_text policy; /* of either form */
    const char *long_form;    /* packed, without policy; NULL: short form */
    bool is_broken;           /* as above */
};

/** One place for both: with 100,000 of each at once, a load would take half as much again. */
union raw_slot {
    struct raw_entry entry;
    struct domain domain; /* what it is resolved to */
};

struct raw_config {
    const char *name; /* of the main file, as findings show it */
    struct raw_settings settings;
    struct raw_domain preset; /* a long form in which nothing is given */
    struct raw_named_policy *policies;
    size_t n_policies, policies_size;
    union raw_slot *entries;
    size_t n_entries, entries_size;
    struct seen_files seen;
    bool is_cut; /* some file was not read to its end: what is missing may be there */
};

/**
 * Reads `path` and the files that it includes, as far as they can be read, and then looks whether
 * they are still what they were.
 *
 * care     a set of LOAD_*
 * keep     gets what the snapshot goes on using: names of domains and of files
 * scratch  gets everything else; must outlive ret_raw
 * ret_raw  zeroed by the caller; its arrays are freed by raw_config_done()
 */
void raw_config_read(const char *path, unsigned care, struct arena *keep, struct arena *scratch,
                     struct diag *diag, struct raw_config *ret_raw);

/** Reads the long form of an entry, or one in which nothing is given; `arena` owns its lists. */
void raw_entry_unpack(const struct raw_config *raw, const struct raw_entry *entry,
                      struct arena *arena, struct raw_domain *ret_domain);

void raw_config_done(struct raw_config *raw);
