/* SPDX-License-Identifier: MIT */
/**
 * Arenas: memory that is given back all at once.
 *
 * One owner, one thread at a time. Lack of memory aborts with a message (sizes are ours); a capped
 * arena is for what a stranger sizes and answers NULL at its cap instead.
 */
#pragma once

#include <stddef.h>

struct slice;
struct arena;

/**
 * cap_bytes  most bytes ever handed out; 0: no cap
 * Returns an arena, never NULL.
 */
struct arena *arena_new(size_t cap_bytes);

/**
 * One without a cap, for what will be large: all its blocks are, so that none is left in the heap
 * of the thread that made it, and all go back to the system (mode_serve.c, M_MMAP_THRESHOLD).
 */
struct arena *arena_new_large(void);

/** Gives everything back. Takes NULL. */
void arena_free(struct arena *arena);

/** Overwrites all that was handed out, which was secret; to be freed or reset next. */
void arena_wipe(struct arena *arena);

/** Gives back what was handed out and keeps one block for the next use. */
void arena_reset(struct arena *arena);

/**
 * Zeroed bytes, aligned for any object, until arena_reset() or arena_free().
 * Returns NULL only from a capped arena whose cap would be passed.
 */
void *arena_alloc(struct arena *arena, size_t size);

/** `size` bytes as they are, without alignment; NULL as arena_alloc(). */
char *arena_space(struct arena *arena, size_t size);

/** `count` zeroed elements of `size` bytes; NULL as arena_alloc(). Aborts if the product overflows.
 */
void *arena_array(struct arena *arena, size_t count, size_t size);

/** A NUL-terminated copy of `bytes`, without padding for alignment; NULL as arena_alloc(). */
char *arena_copy(struct arena *arena, struct slice bytes);

/** Bytes handed out since the last reset, padding not counted. */
size_t arena_used(const struct arena *arena);

/** malloc() that aborts with a message when there is no memory; the caller frees. */
void *memory_alloc(size_t size);

/** realloc() to `count` elements of `size` bytes, neither 0, that aborts likewise. */
void *memory_resize(void *old, size_t count, size_t size);

/** What memory_fail() says. */
#define MEMORY_FAIL_TEXT "mta-stsd: out of memory\n"

/** What they do when there is none; for libraries that say so in a way of their own. */
_Noreturn void memory_fail(void);
