/* SPDX-License-Identifier: MIT */
/**
 * Texts of strangers and counts, as people read them.
 */
#pragma once

#include <stdint.h>

struct arena;

/**
 * A text of a stranger that can be shown: as it is if it could be a host name or an address, else
 * in single quotes and escaped.
 *
 * arena  owns the result; uncapped
 */
const char *report_words_of(const char *text, struct arena *arena);

/** The beginning of a sentence of a stranger, with "..." if it is longer. The same arena. */
const char *report_words_cut(const char *text, struct arena *arena);

/**
 * The beginning of a sentence of a stranger for a terminal: what is not printable ASCII becomes
 * \xNN. Quotes stay, for a finding of a check has its own. The same arena.
 */
const char *report_words_sentence(const char *text, struct arena *arena);

/** A UTC day, counted from 1970: "12 December 2026". The same arena. */
const char *report_words_day(int64_t day, struct arena *arena);

/** The same as "2026-12-12", as JSON has it. */
const char *report_words_iso_day(int64_t day, struct arena *arena);

/** What printf() makes of these. The same arena. */
const char *report_words_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** "1 session", "2 sessions"; with UNKNOWN_COUNT "an unknown number of sessions". */
const char *report_words_sessions(int64_t n, struct arena *arena);
