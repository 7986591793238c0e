/* SPDX-License-Identifier: MIT */
#include "reports/inflate.h"

#include <stdlib.h>

#define ZLIB_CONST /* zlib writes nothing to its input */
#include <zlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/report_magic.h"

enum {
    GZIP_WINDOW_BITS = 15 + 16, /* zlib's way to say: a header of gzip's, none of its own */
    INFLATE_STEP = 64 * 1024,
};

struct inflater {
    z_stream stream;
    struct slice body;
    char *bytes; /* on the heap */
    size_t len, size;
    unsigned n_members;
};

static size_t inflate_limit(struct slice body)
{
    size_t limit = INFLATE_FREE + body.len * INFLATE_RATIO_MAX;

    return limit < INFLATE_MAX ? limit : INFLATE_MAX;
}

static void inflater_grow(struct inflater *inflater, size_t limit)
{
    size_t size = 2 * inflater->size + INFLATE_STEP;

    /* One byte more than the limit tells that there is more. */
    inflater->size = size < limit + 1 ? size : limit + 1;
    inflater->bytes = memory_resize(inflater->bytes, inflater->size, 1);
}

static int inflate_member(struct inflater *inflater, size_t limit, struct err *err)
{
    z_stream *stream = &inflater->stream;
    int result;

    do {
        if (inflater->len == inflater->size)
            inflater_grow(inflater, limit);
        stream->next_out = (Bytef *)inflater->bytes + inflater->len;
        stream->avail_out = (uInt)(inflater->size - inflater->len);
        result = inflate(stream, Z_NO_FLUSH);
        inflater->len = inflater->size - stream->avail_out;
        if (inflater->len > limit)
            return err_set(err, ERR_LIMIT, "has %zu bytes, but more than %zu when decompressed",
                           inflater->body.len, limit);
    } while (result == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0));
    if (result == Z_MEM_ERROR)
        memory_fail();
    if (result == Z_OK || result == Z_BUF_ERROR)
        return err_set(err, ERR_SYNTAX, "is gzip data that is cut off");
    if (result != Z_STREAM_END)
        return err_set(err, ERR_SYNTAX, "is damaged gzip data: %s",
                       stream->msg ? stream->msg : "it needs a dictionary");
    return 0;
}

/* What follows the last member is padding, which gzip(1) ignores too. */
static int inflate_members(struct inflater *inflater, struct err *err)
{
    size_t limit = inflate_limit(inflater->body);

    for (;;) {
        struct slice left;

        if (inflate_member(inflater, limit, err) != 0)
            return -1;
        left = slice_range(inflater->body, inflater->body.len - inflater->stream.avail_in,
                           inflater->body.len);
        if (report_magic_of(left) != REPORT_MAGIC_GZIP)
            return 0;
        if (++inflater->n_members == INFLATE_MEMBERS_MAX)
            return err_set(err, ERR_LIMIT, "has more than %d gzip members", INFLATE_MEMBERS_MAX);
        if (inflateReset(&inflater->stream) != Z_OK)
            memory_fail();
    }
}

static int inflate_gzip(struct slice body, struct arena *arena, struct slice *ret_bytes,
                        struct err *err)
{
    struct inflater inflater = {.body = body};
    int result;

    if (body.len > INFLATE_MAX)
        return err_set(err, ERR_LIMIT, "has more than %d bytes", INFLATE_MAX);
    inflater.stream.next_in = (const Bytef *)body.ptr;
    inflater.stream.avail_in = (uInt)body.len;
    if (inflateInit2(&inflater.stream, GZIP_WINDOW_BITS) != Z_OK)
        memory_fail();
    result = inflate_members(&inflater, err);
    inflateEnd(&inflater.stream);
    if (result == 0)
        *ret_bytes = (struct slice){arena_copy(arena, (struct slice){inflater.bytes, inflater.len}),
                                    inflater.len};
    free(inflater.bytes);
    return result;
}

int inflate_body(struct slice body, struct arena *arena, struct slice *ret_json, struct err *err)
{
    for (int n_layers = 0; report_magic_of(body) == REPORT_MAGIC_GZIP; n_layers++) {
        if (n_layers == INFLATE_LAYERS_MAX)
            return err_set(err, ERR_LIMIT, "is compressed more than %d times", INFLATE_LAYERS_MAX);
        if (inflate_gzip(body, arena, &body, err) != 0)
            return -1;
    }
    switch (report_magic_of(body)) {
    case REPORT_MAGIC_JSON:
        break;
    case REPORT_MAGIC_ZIP:
        return err_set(err, ERR_SYNTAX, "is a zip archive: expected JSON or gzip");
    case REPORT_MAGIC_GZIP:
    case REPORT_MAGIC_NONE:
        return err_set(err, ERR_SYNTAX, body.len > 0 ? "is neither JSON nor gzip" : "is empty");
    }
    if (body.len > INFLATE_MAX)
        return err_set(err, ERR_LIMIT, "has more than %d bytes", INFLATE_MAX);
    *ret_json = body;
    return 0;
}
