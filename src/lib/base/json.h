/* SPDX-License-Identifier: MIT */
/**
 * JSON output: strings as RFC 8259 7 wants them. There is no JSON reader in this program.
 */
#pragma once

#include <stdio.h>

struct slice;

/**
 * Prints `text` as a JSON string, quotes included; controls and what JSON reserves are escaped.
 * Bytes that are not valid UTF-8 come out as U+FFFD, so the output always is.
 */
void json_print_slice(struct slice text, FILE *out);

/** The same for a NUL-terminated text; NULL prints null. */
void json_print_text(const char *text, FILE *out);
