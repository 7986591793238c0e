/* SPDX-License-Identifier: MIT */
/**
 * Findings: what was found of one domain, in the order in which it was found.
 *
 * One owner, one thread. At most FINDINGS_OF_KIND_MAX of a kind are kept: a policy with a thousand
 * misspelt fields must not bury the reader, nor crowd out what is found of the MX hosts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "check/check_finding.h"

enum {
    FINDINGS_OF_KIND_MAX = 40,
    FINDINGS_TEXT_MAX = 600, /* bytes of a text, with its NUL */
};

struct findings;

/** One thing that was seen. */
struct seen_finding {
    enum check_finding finding;
    const char *subject; /* a name or an address; NULL: the domain itself */
    const char *text;    /* what was seen, lower case, no full stop */
};

/** Never returns NULL. */
struct findings *findings_new(void);

/** Takes NULL. */
void findings_free(struct findings *findings);

/**
 * Adds one. The same finding with the same subject and text is kept once.
 *
 * subject  copied
 * format   what was seen; a stranger's bytes are escaped by err_quote()
 */
void findings_add(struct findings *findings, enum check_finding finding, const char *subject,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/** How many are kept. */
size_t findings_count(const struct findings *findings);

/** How many of a kind were added and not kept. */
size_t findings_dropped(const struct findings *findings, enum check_finding finding);

/** The one at `index`, which is below findings_count(). */
const struct seen_finding *findings_at(const struct findings *findings, size_t index);

/** How many of a severity are kept. */
size_t findings_of(const struct findings *findings, enum check_severity severity);

/** Whether `finding` is among them. */
bool findings_have(const struct findings *findings, enum check_finding finding);
