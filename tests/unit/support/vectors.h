/* SPDX-License-Identifier: MIT */
/**
 * Test vectors: asks one question of every row of a file in tests/data/vectors.
 *
 * The rows are JSON; jansson, which the program itself never links, reads them. Every row is tried
 * even when one has failed, and each failing row is named by its id.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct arena;
struct slice;

/**
 * Whether the code under test does what `row` says. Prints what was wanted and what was seen if
 * not; must not use cmocka's assertions, which would leave the other rows untried.
 *
 * arena  reset after the row
 */
typedef bool vector_check(const json_t *row, struct arena *arena);

/**
 * Runs `check` on every row of "vectors" in tests/data/vectors/<name>. Fails the running cmocka
 * test if the file cannot be read, has no rows, or a row fails.
 */
void vectors_run(const char *name, vector_check *check);

/**
 * The bytes of the text at `key`, NULs included, or of `key`_b64, decoded: that is how a row holds
 * what is not UTF-8. Empty if the row has neither.
 */
struct slice vector_bytes(const json_t *row, const char *key, struct arena *arena);

/** The bytes of a text, NULs included; empty if `value` is NULL or no text. */
struct slice vector_text(const json_t *value);
