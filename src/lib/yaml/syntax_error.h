/* SPDX-License-Identifier: MIT */
/**
 * Problems: why libyaml could not read on, in words for the person who wrote the file.
 *
 * Internal to yaml/.
 */
#pragma once

struct diag;
struct yaml_parser_s;

/**
 * Adds one FINDING_SYNTAX about the parser's error, with the usual cure where there is one.
 *
 * parser  as it was left by the error, which is not one of reading the input
 * file    the name shown
 */
void yaml_syntax_error_report(const struct yaml_parser_s *parser, const char *file,
                              struct diag *diag);
