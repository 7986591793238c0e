/* SPDX-License-Identifier: MIT */
/**
 * Packing: a decoded mapping in as few bytes as it needs, while thousands wait for their turn.
 *
 * Pure; one thread at a time.
 */
#pragma once

struct arena;
struct fields;

/**
 * Packs of a decoded `object` what was given, that is, has a place.
 *
 * fields  without groups and streams
 * arena   owns what is returned; uncapped
 */
const char *field_pack(const struct fields *fields, const void *object, struct arena *arena);

/**
 * Sets what was packed in `object`, which has the presets.
 *
 * packed  by field_pack() with the same rows; the texts of `object` are in it
 * file    that the mapping stood in
 * arena   owns the lists; uncapped
 */
void field_unpack(const struct fields *fields, const char *packed, const char *file,
                  struct arena *arena, void *object);
