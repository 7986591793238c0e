/* SPDX-License-Identifier: MIT */
/**
 * What a reader of mails or files gives to its taker, as lines to compare.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "reports/report_part.h"

struct taken {
    struct report_taker taker;
    size_t n_room; /* parts taken before the taker fails as a full disk would */
    char *text;
    size_t len;
    FILE *out;
};

/** Begins with an empty text; closed by taken_close(). */
void taken_open(struct taken *taken);

/**
 * All that was given so far, a line each, valid until the next part:
 *
 *     declared application/tlsrpt+gzip "a!b!1!2.json.gz" about b by a from c verified: gzip, 387
 * bytes complaint: /tmp/x is empty
 */
const char *taken_text(struct taken *taken);

void taken_close(struct taken *taken);
