/* SPDX-License-Identifier: MIT */
/**
 * JSON Schema: the rows of a mapping as editors read them.
 *
 * The schema accepts what the rows accept, read as YAML 1.2 (`off` is a string, `2` a number,
 * `true` a boolean), except that a text true or false must be in quotes. It does not know what no
 * row says: how keys and files go together.
 *
 * Source: JSON Schema draft-07, which every editor knows; errorMessage is an extension that many
 * editors know and the others ignore.
 */
#pragma once

#include <stdio.h>

struct fields;

/** Prints the schema of a file that holds this mapping. */
void json_schema_print(const struct fields *fields, FILE *out);
