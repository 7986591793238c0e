/* SPDX-License-Identifier: MIT */
/**
 * One line of the list of published records: its shape, read and written.
 *
 *     example.com example.com provider _mta-sts.example.com TXT 300 v=STSv1; id=...;
 *
 * The policy domain, the zone, the side, the name, the type, the TTL and the value, which is the
 * rest of the line; one space between two fields, a newline at the end. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct dns_record;

/**
 * Whether `line`, without its newline, is a record; then *ret_record points into the line, which is
 * cut up for it, and has neither a policy nor an id.
 */
bool published_line_parse(char *line, struct dns_record *ret_record);

/** Prints a line with its newline. */
void published_line_print(const struct dns_record *record, FILE *out);
