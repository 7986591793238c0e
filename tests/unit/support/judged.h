/* SPDX-License-Identifier: MIT */
/**
 * What is needed to judge DNS answers in a test: answers made of text, findings as text.
 */
#pragma once

#include <stddef.h>

#include "check/dns_source.h"
#include "lib/base/slice.h"

struct findings;

enum {
    JUDGED_RDATA_MAX = 8,
    JUDGED_RDATA_SIZE = 320,
    JUDGED_TEXT_SIZE = 8192,
};

/** An answer and the bytes that it points to. */
struct judged_answer {
    struct dns_answer answer;
    struct slice rdata[JUDGED_RDATA_MAX];
    char bytes[JUDGED_RDATA_MAX][JUDGED_RDATA_SIZE];
};

/** An answer without records. */
const struct dns_answer *judged_none(struct judged_answer *made, enum dns_status status,
                                     const char *canonical);

/**
 * An answer of records of a type, NULL-terminated: a TXT's bytes, "10 mx.example" of MX, or an
 * address.
 */
const struct dns_answer *judged_records(struct judged_answer *made, enum dns_type type,
                                        const char *const *records);

/** The findings, a line each: "code subject: text". Returns the buffer. */
const char *judged_text(const struct findings *findings, char buffer[static JUDGED_TEXT_SIZE]);
