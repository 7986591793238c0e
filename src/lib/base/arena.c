/* SPDX-License-Identifier: MIT */
#include "lib/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/slice.h"

enum {
    BLOCK_FIRST = 4 * 1024,
    BLOCK_LARGEST = 256 * 1024, /* blocks double up to this, so a small arena stays small */
};

struct block {
    struct block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *newest;
    size_t block_first;
    size_t cap_bytes;
    size_t used_bytes;
};

void memory_fail(void)
{
    fputs(MEMORY_FAIL_TEXT, stderr);
    abort();
}

void *memory_alloc(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        memory_fail();
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    void *memory = reallocarray(old, count, size);

    if (!memory)
        memory_fail();
    return memory;
}

struct arena *arena_new(size_t cap_bytes)
{
    struct arena *arena = memory_alloc(sizeof(*arena));

    *arena = (struct arena){.block_first = BLOCK_FIRST, .cap_bytes = cap_bytes};
    return arena;
}

struct arena *arena_new_large(void)
{
    struct arena *arena = arena_new(0);

    arena->block_first = BLOCK_LARGEST;
    return arena;
}

static void arena_free_blocks(struct block *block)
{
    while (block) {
        struct block *older = block->older;

        free(block);
        block = older;
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    arena_free_blocks(arena->newest);
    free(arena);
}

void arena_wipe(struct arena *arena)
{
    for (struct block *block = arena->newest; block; block = block->older)
        explicit_bzero(block->bytes, block->used);
}

void arena_reset(struct arena *arena)
{
    if (!arena->newest)
        return;
    arena_free_blocks(arena->newest->older);
    arena->newest->older = NULL;
    arena->newest->used = 0;
    arena->used_bytes = 0;
}

static struct block *arena_add_block(struct arena *arena, size_t size)
{
    size_t wanted = arena->newest ? arena->newest->size * 2 : arena->block_first;
    struct block *block;

    if (wanted > BLOCK_LARGEST)
        wanted = BLOCK_LARGEST;
    if (wanted < size)
        wanted = size;
    if (wanted > SIZE_MAX - sizeof(*block))
        memory_fail();
    block = memory_alloc(sizeof(*block) + wanted);
    block->older = arena->newest;
    block->size = wanted;
    block->used = 0;
    arena->newest = block;
    return block;
}

static char *arena_take(struct arena *arena, size_t size, size_t alignment)
{
    struct block *block = arena->newest;
    size_t start = 0;

    if (arena->cap_bytes != 0 && size > arena->cap_bytes - arena->used_bytes)
        return NULL;
    if (block)
        start = (block->used + alignment - 1) & ~(alignment - 1);
    if (!block || start > block->size || size > block->size - start) {
        block = arena_add_block(arena, size);
        start = 0;
    }
    block->used = start + size;
    arena->used_bytes += size;
    return block->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_take(arena, size, alignof(max_align_t));

    if (memory)
        memset(memory, 0, size);
    return memory;
}

char *arena_space(struct arena *arena, size_t size)
{
    return arena_take(arena, size, 1);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        memory_fail();
    return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = arena_take(arena, bytes.len + 1, 1);

    if (!copy)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used_bytes;
}
