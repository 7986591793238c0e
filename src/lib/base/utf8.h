/* SPDX-License-Identifier: MIT */
/**
 * UTF-8: is this sequence well formed?
 *
 * Pure. Source: RFC 3629 4 (no overlong forms, no surrogates, nothing above U+10FFFF).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct slice;

/** Length in bytes, 1 to 4, of the well-formed character that `bytes` begins with; 0 if none. */
size_t utf8_char_len(struct slice bytes);

/** Every byte belongs to a well-formed character. */
bool utf8_is_valid(struct slice bytes);
