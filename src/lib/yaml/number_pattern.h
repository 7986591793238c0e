/* SPDX-License-Identifier: MIT */
/**
 * Number patterns: a bound on a number, for those who see it as a text.
 *
 * Pure but for what it prints.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

/**
 * Prints a regular expression of the decimal numbers from 0 to `max`, leading zeros included, that
 * is not anchored and has no backslash or quote in it.
 */
void number_pattern_print(uint64_t max, FILE *out);
