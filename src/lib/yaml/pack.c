/* SPDX-License-Identifier: MIT */
/*
 *     packed  = *row                 ; in the order of the rows, the base's first
 *     row     = %x00 / %x01 value
 *     value   = number / text / texts
 *     number  = place uint32
 *     text    = place uint32 *OCTET %x00  ; its length and its octets
 *     texts   = place uint32 *text        ; their count
 *     place   = uint32 uint32             ; line and column
 */
#include "lib/yaml/pack.h"

#include <assert.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/yaml/decode.h"

struct packer {
    char *bytes; /* NULL: they are only counted */
    size_t len;
};

struct unpacker {
    const char *at;
    const char *file;
    struct arena *arena;
};

static void put(struct packer *packer, const void *bytes, size_t len)
{
    if (packer->bytes)
        memcpy(packer->bytes + packer->len, bytes, len);
    packer->len += len;
}

static void put_number(struct packer *packer, struct place place, size_t number)
{
    const uint32_t words[] = {place.line, place.column, (uint32_t)number};

    put(packer, words, sizeof(words));
}

static void put_text(struct packer *packer, const struct field_text *text)
{
    put_number(packer, text->place, text->text.len);
    put(packer, text->text.ptr, text->text.len + 1);
}

static void put_texts(struct packer *packer, const struct field_texts *texts)
{
    put_number(packer, texts->place, texts->n_items);
    for (size_t i = 0; i < texts->n_items; i++)
        put_text(packer, &texts->items[i]);
}

static uint32_t take_number(struct unpacker *unpacker, struct place *ret_place)
{
    uint32_t words[3];

    memcpy(words, unpacker->at, sizeof(words));
    unpacker->at += sizeof(words);
    *ret_place = (struct place){unpacker->file, words[0], words[1]};
    return words[2];
}

static void take_text(struct unpacker *unpacker, struct field_text *ret_text)
{
    size_t len = take_number(unpacker, &ret_text->place);

    ret_text->text = (struct slice){unpacker->at, len};
    unpacker->at += len + 1;
}

static void take_texts(struct unpacker *unpacker, struct field_texts *ret_texts)
{
    ret_texts->n_items = take_number(unpacker, &ret_texts->place);
    ret_texts->items = arena_array(unpacker->arena, ret_texts->n_items, sizeof(*ret_texts->items));
    for (size_t i = 0; i < ret_texts->n_items; i++)
        take_text(unpacker, &ret_texts->items[i]);
}

static struct place place_of(const struct field *row, const void *value)
{
    if (row->type == FIELD_TEXT)
        return ((const struct field_text *)value)->place;
    if (row->type == FIELD_TEXTS)
        return ((const struct field_texts *)value)->place;
    assert(row->type < FIELD_GROUP);
    return ((const struct field_number *)value)->place;
}

static void put_value(struct packer *packer, const struct field *row, const void *value)
{
    struct place place = place_of(row, value);
    char is_given = place.line != 0;

    put(packer, &is_given, 1);
    if (!is_given)
        return;
    if (row->type == FIELD_TEXT)
        put_text(packer, value);
    else if (row->type == FIELD_TEXTS)
        put_texts(packer, value);
    else
        put_number(packer, place, ((const struct field_number *)value)->value);
}

static void take_value(struct unpacker *unpacker, const struct field *row, void *value)
{
    struct field_number *number = value;
    bool is_given = *unpacker->at++ != 0;

    if (!is_given)
        return;
    if (row->type == FIELD_TEXT)
        take_text(unpacker, value);
    else if (row->type == FIELD_TEXTS)
        take_texts(unpacker, value);
    else
        number->value = take_number(unpacker, &number->place);
}

static void put_rows(struct packer *packer, const struct fields *fields, const void *object)
{
    if (fields->base)
        put_rows(packer, fields->base, object);
    for (size_t i = 0; i < fields->n_rows; i++)
        put_value(packer, &fields->rows[i], (const char *)object + fields->rows[i].offset);
}

static void take_rows(struct unpacker *unpacker, const struct fields *fields, void *object)
{
    if (fields->base)
        take_rows(unpacker, fields->base, object);
    for (size_t i = 0; i < fields->n_rows; i++)
        take_value(unpacker, &fields->rows[i], (char *)object + fields->rows[i].offset);
}

const char *field_pack(const struct fields *fields, const void *object, struct arena *arena)
{
    struct packer packer = {0};

    put_rows(&packer, fields, object);
    packer = (struct packer){.bytes = arena_alloc(arena, packer.len)};
    put_rows(&packer, fields, object);
    return packer.bytes;
}

void field_unpack(const struct fields *fields, const char *packed, const char *file,
                  struct arena *arena, void *object)
{
    struct unpacker unpacker = {packed, file, arena};

    take_rows(&unpacker, fields, object);
}
