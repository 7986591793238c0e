/* SPDX-License-Identifier: MIT */
/**
 * Imported policies: of each domain the policy that a file has, and whether we serve its bytes.
 *
 * One owner, one thread at a time.
 */
#pragma once

#include <stddef.h>

#include "lib/base/slice.h"
#include "lib/import/import_files.h"
#include "lib/policy/policy.h"

struct diag;
struct import_set;

struct import_domain {
    const char *name;
    const char *file;     /* as it is shown to people */
    struct policy policy; /* mx in stored form */
    struct slice body;    /* as it is in the file */
    const char *change;   /* how the bytes that we serve differ, a static text; NULL: they do not */
};

/** Never NULL. */
struct import_set *import_set_new(void);

/** Takes NULL. */
void import_set_free(struct import_set *set);

/**
 * Adds what a file holds, unless it is not valid, the configuration would not accept it, or the
 * domain has another policy already.
 *
 * file  its look decides: a text that only may be a policy, and is none, is passed over in silence
 * diag  of import_findings: gets why a policy was not taken, with line and column
 */
void import_set_add(struct import_set *set, const struct import_file *file, struct slice body,
                    struct diag *diag);

/** All domains, sorted by name; valid until the next import_set_add(). */
const struct import_domain *import_set_domains(struct import_set *set, size_t *ret_n);
