/* SPDX-License-Identifier: MIT */
/**
 * Problems: why libyaml could not read on, in words for the person who wrote the file.
 *
 * Internal to yaml/.
 */
#pragma once

struct diag;
struct slice;
struct yaml_parser_s;

/**
 * Adds one FINDING_SYNTAX about the parser's error, with the usual cure where there is one.
 *
 * file   the name shown
 * bytes  the whole input, to find the byte that the error is about
 */
void yaml_problem_report(const struct yaml_parser_s *parser, const char *file, struct slice bytes,
                         struct diag *diag);
