/* SPDX-License-Identifier: MIT */
/**
 * Paths as they are written in the YAML: relative to the folder of the file that they stand in.
 *
 * Internal to config/. Pure.
 */
#pragma once

struct arena;
struct field_text;

/** The path from the working directory; the arena owns it. */
const char *written_path_resolve(struct arena *arena, const struct field_text *raw);
