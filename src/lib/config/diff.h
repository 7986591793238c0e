/* SPDX-License-Identifier: MIT */
/**
 * Differences: what a reload would change for those who send mail.
 *
 * Pure, safe from any thread that holds references to both snapshots.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct config;

struct difference {
    size_t n_added;
    size_t n_removed; /* that are gone, or have no policy any more */
    size_t n_changed; /* that have other bytes or another id */
};

/**
 * Compares the policies that two snapshots serve and prints a line a change, the graver first
 * within its line: "changed: example.com: mode testing -> enforce; mx removed: mx1.example.com".
 *
 * out        NULL: count only
 * lines_max  what goes beyond is counted in a last line
 */
struct difference config_compare(const struct config *current, const struct config *next, FILE *out,
                                 size_t lines_max);
