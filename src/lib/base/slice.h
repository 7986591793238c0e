/* SPDX-License-Identifier: MIT */
/**
 * Slices: a run of bytes that somebody else owns, and the few questions asked of it.
 *
 * Pure: no I/O, no globals, no locale. Safe to call from any thread. A slice may hold NULs and need
 * not be NUL-terminated; an empty slice may have a NULL pointer.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of another owner; valid as long as that owner says. */
struct slice {
    const char *ptr;
    size_t len;
};

/** The number of elements of an array (not of a pointer). */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/** The two arguments that a "%.*s" takes for a slice; at most INT_MAX bytes are shown. */
#define SLICE_ARG(slice) \
    (int)((slice).len < INT_MAX ? (slice).len : INT_MAX), (slice).ptr ? (slice).ptr : ""

/** Initialises a slice with a literal, whose NULs count. */
#define SLICE_BYTES(literal)           \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/** Wraps a NUL-terminated text; NULL becomes the empty slice. */
struct slice slice_of(const char *text);

/** Bytes [from, to) of `slice`; both are clamped to its length. */
struct slice slice_range(struct slice slice, size_t from, size_t to);

/** The same bytes. */
bool slice_eq(struct slice a, struct slice b);

/** The same bytes as a NUL-terminated text. */
bool slice_eq_text(struct slice a, const char *text);

/** The same bytes when ASCII letters of either case are taken as equal. */
bool slice_eq_nocase(struct slice a, struct slice b);

/** The bytes of the text stand at this end; the empty text stands at both. */
bool slice_starts_with(struct slice slice, const char *prefix);
bool slice_ends_with(struct slice slice, const char *suffix);

/** Order of the bytes as unsigned values, a shorter one before a longer: <0, 0 or >0. */
int slice_compare(struct slice a, struct slice b);

/** Index of the first `byte`, or slice.len if there is none. */
size_t slice_find_byte(struct slice slice, char byte);

/** Cuts off what stands before the first `byte`, and that byte; all if there is none. */
struct slice slice_take_field(struct slice *rest, char byte);

/** Without the spaces and tabs at either end. */
struct slice slice_trim(struct slice slice);

/**
 * Reads the whole slice as a decimal number: digits only, no sign, no space.
 *
 * max        the largest value accepted
 * ret_value  untouched on failure
 * Returns 0, or -1 if the slice is empty, holds anything but digits, or the number is above `max`.
 */
int slice_to_u64(struct slice slice, uint64_t max, uint64_t *ret_value);

/** ASCII classes without the locale: isalpha() and its family change with LC_CTYPE. */
bool ascii_is_alpha(char byte);
bool ascii_is_digit(char byte);
bool ascii_is_alnum(char byte);
char ascii_to_lower(char byte);
