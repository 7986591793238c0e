/* SPDX-License-Identifier: MIT */
/**
 * JSON Schema: the rows of a mapping as editors read them.
 *
 * It takes what the rows take, read as YAML 1.2 (`off` is a text, `2` a number, `true` a boolean),
 * but for a text true or false, which it wants in quotes. What no row says it cannot see: how keys
 * and files go together.
 * Source: JSON Schema draft-07, which every editor knows; errorMessage is an extension that many
 * do, and others pass over.
 */
#pragma once

#include <stdio.h>

struct fields;

/** Prints the schema of a file that holds this mapping. */
void json_schema_print(const struct fields *fields, FILE *out);
