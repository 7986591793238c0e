/* SPDX-License-Identifier: MIT */
#include "reports/raw_bytes.h"

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

char *raw_bytes_pack(struct slice bytes, size_t *ret_len)
{
    uLongf size = compressBound((uLong)bytes.len);
    char *packed = memory_alloc(sizeof(uint32_t) + size);
    uint32_t len = (uint32_t)bytes.len;

    for (size_t i = 0; i < sizeof(len); i++)
        packed[i] = (char)(unsigned char)(len >> (8 * i));
    if (compress2((Bytef *)packed + sizeof(len), &size, (const Bytef *)(bytes.ptr ? bytes.ptr : ""),
                  (uLong)bytes.len, Z_BEST_SPEED) != Z_OK)
        memory_fail();
    *ret_len = sizeof(len) + size;
    return packed;
}

int raw_bytes_unpack(struct slice packed, struct arena *arena, struct slice *ret_bytes,
                     struct err *err)
{
    uint32_t len = 0;
    uLongf size;
    char *bytes;

    for (size_t i = 0; i < sizeof(len) && i < packed.len; i++)
        len |= (uint32_t)(unsigned char)packed.ptr[i] << (8 * i);
    if (packed.len < sizeof(len) || len > RAW_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "is damaged in the database");
    size = len;
    bytes = arena_space(arena, (size_t)len + 1);
    if (uncompress((Bytef *)bytes, &size, (const Bytef *)packed.ptr + sizeof(len),
                   (uLong)(packed.len - sizeof(len))) != Z_OK ||
        size != len)
        return err_set(err, ERR_SYNTAX, "is damaged in the database");
    *ret_bytes = (struct slice){bytes, len};
    return 0;
}
