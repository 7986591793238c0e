/* SPDX-License-Identifier: MIT */
#include "check/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

struct findings {
    struct arena *arena;
    struct seen_finding *seen;
    size_t n, size;
    size_t n_of[CHECK_FINDING_COUNT]; /* of each kind, those not kept counted */
};

struct findings *findings_new(void)
{
    struct findings *findings = memory_alloc(sizeof(*findings));

    *findings = (struct findings){.arena = arena_new(0)};
    return findings;
}

void findings_free(struct findings *findings)
{
    if (findings == NULL)
        return;
    arena_free(findings->arena);
    free(findings->seen);
    free(findings);
}

static bool findings_hold(const struct findings *findings, enum check_finding finding,
                          const char *subject, const char *text)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct seen_finding *seen = &findings->seen[i];

        if (seen->finding == finding && strcmp(seen->text, text) == 0 &&
            slice_eq(slice_of(seen->subject), slice_of(subject)))
            return true;
    }
    return false;
}

void findings_add(struct findings *findings, enum check_finding finding, const char *subject,
                  const char *format, ...)
{
    char text[FINDINGS_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (findings_hold(findings, finding, subject, text))
        return;
    if (++findings->n_of[finding] > FINDINGS_OF_KIND_MAX)
        return;
    if (findings->n == findings->size) {
        findings->size = findings->size == 0 ? 8 : findings->size * 2;
        findings->seen = memory_resize(findings->seen, findings->size, sizeof(*findings->seen));
    }
    findings->seen[findings->n++] = (struct seen_finding){
        .finding = finding,
        .subject = subject ? arena_copy(findings->arena, slice_of(subject)) : NULL,
        .text = arena_copy(findings->arena, slice_of(text)),
    };
}

size_t findings_count(const struct findings *findings)
{
    return findings->n;
}

size_t findings_dropped(const struct findings *findings, enum check_finding finding)
{
    size_t n = findings->n_of[finding];

    return n > FINDINGS_OF_KIND_MAX ? n - FINDINGS_OF_KIND_MAX : 0;
}

const struct seen_finding *findings_at(const struct findings *findings, size_t index)
{
    return &findings->seen[index];
}

size_t findings_of(const struct findings *findings, enum check_severity severity)
{
    size_t n = 0;

    for (size_t i = 0; i < findings->n; i++)
        n += check_row_of(findings->seen[i].finding)->severity == severity;
    return n;
}

bool findings_have(const struct findings *findings, enum check_finding finding)
{
    return findings->n_of[finding] > 0;
}
