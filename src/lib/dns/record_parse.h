/* SPDX-License-Identifier: MIT */
/**
 * The two TXT records as a strict sender reads them: _mta-sts.<domain> and _smtp._tls.<domain>.
 *
 * Pure: no I/O, no globals. Safe to call from any thread.
 * Source: RFC 8461 3.1, RFC 8460 3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"

struct arena;
struct err;

enum {
    STS_ID_MAX = 32,
};

/** What a usable _mta-sts record says. */
struct sts_record {
    char id[STS_ID_MAX + 1];
    bool has_loose_version; /* a space before the first ';': not every sender knows the record */
};

/**
 * What a usable _smtp._tls record says; the URIs point into the record's bytes. Those of all rua
 * fields count: RFC 8460 3 allows several.
 */
struct tls_rpt_record {
    const struct slice *rua;
    size_t n_rua;
    bool has_loose_version; /* as in struct sts_record */
};

/**
 * Reads the TXT answer at _mta-sts.<domain>: those that do not begin with the version are set
 * aside, exactly one must remain, and it must follow the grammar.
 *
 * rrs  one slice a resource record, its character-strings already joined without a separator
 * Returns 0, or -1 with *err set: ERR_SYNTAX (no usable record; the message says why). With a
 * single record the error's place.column is the offending octet, counted from 1.
 */
int sts_record_parse(const struct slice *rrs, size_t n_rrs, struct sts_record *ret_record,
                     struct err *err);

/**
 * The same for _smtp._tls.<domain>.
 *
 * arena  owns ret_record->rua; capped or not
 * Returns 0, or -1 with *err set: ERR_SYNTAX, ERR_LIMIT (the arena's cap).
 */
int tls_rpt_record_parse(const struct slice *rrs, size_t n_rrs, struct arena *arena,
                         struct tls_rpt_record *ret_record, struct err *err);
