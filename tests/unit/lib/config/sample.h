/* SPDX-License-Identifier: MIT */
/**
 * Configurations written in the test that loads them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/config/parse.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

/** A text that was read, raw, and all that it needs to live on. */
struct sample {
    struct fixture file;
    struct diag *diag;
    struct arena *arena;
    struct raw_config raw;
    struct config *config; /* only from sample_load(); NULL if refused */
};

static inline struct sample sample_open(const char *yaml)
{
    return (struct sample){
        .file = fixture_open(slice_of(yaml)),
        .diag = diag_new(&config_findings),
        .arena = arena_new(0),
    };
}

static inline void sample_pass_over(void *context, const struct raw_domain *domain)
{
    (void)context;
    (void)domain;
}

/** Reads, with all findings, without building. */
static inline struct sample sample_read(const char *yaml)
{
    struct sample sample = sample_open(yaml);

    raw_config_read(sample.file.path, 0, sample.arena, sample.arena, sample.diag, &sample.raw);
    raw_config_parse_domains(&sample.raw, sample.arena, sample.diag, sample_pass_over, NULL);
    return sample;
}

static inline struct sample sample_load(const char *yaml)
{
    struct sample sample = sample_open(yaml);

    sample.config = config_load(sample.file.path, sample.diag);
    return sample;
}

/** What was found, the file shown as "f"; the caller frees. */
static inline char *sample_findings(struct sample *sample)
{
    return fixture_findings(sample->diag, sample->file.path, "f");
}

/** Whether that is `want`; prints both if not. */
static inline bool sample_has(struct sample *sample, const char *what, const char *want)
{
    char *seen = sample_findings(sample);
    bool good = fixture_equal(what, want, seen);

    free(seen);
    return good;
}

static inline void sample_done(struct sample *sample)
{
    raw_config_done(&sample->raw);
    config_unref(sample->config);
    arena_free(sample->arena);
    diag_free(sample->diag);
    fixture_close(&sample->file);
}
