/* SPDX-License-Identifier: MIT */
/**
 * Syntax errors: why libyaml could not read on, in words for the person who wrote the file.
 *
 * Internal to yaml/.
 */
#pragma once

struct diag;
struct yaml_parser_s;

/**
 * Adds one FINDING_SYNTAX about the parser's error, with a hint.
 *
 * parser  as the error left it
 * file    the name shown
 */
void yaml_syntax_error_report(const struct yaml_parser_s *parser, const char *file,
                              struct diag *diag);
