/* SPDX-License-Identifier: MIT */
#include "lib/yaml/path.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/slice.h"

enum {
    NAME_SHOWN_MAX = 253, /* bytes of one key; as many as a domain name has */
};

static void path_append_byte(struct yaml_path *path, char byte)
{
    char escaped[8] = {byte};
    size_t len = 1;

    if (byte < 0x20 || byte > 0x7e)
        len = (size_t)snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)byte);
    if (len >= sizeof(path->text) - path->len)
        return;
    memcpy(path->text + path->len, escaped, len + 1);
    path->len += len;
}

static void path_append(struct yaml_path *path, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        path_append_byte(path, bytes.ptr[i]);
}

size_t yaml_path_enter(struct yaml_path *path, struct slice name)
{
    size_t old_len = path->len;

    if (old_len > 0)
        path_append_byte(path, '.');
    path_append(path, slice_range(name, 0, NAME_SHOWN_MAX));
    if (name.len > NAME_SHOWN_MAX)
        path_append(path, slice_of("..."));
    return old_len;
}

size_t yaml_path_index(struct yaml_path *path, size_t index)
{
    size_t old_len = path->len;
    char text[24];

    snprintf(text, sizeof(text), "[%zu]", index);
    path_append(path, slice_of(text));
    return old_len;
}

void yaml_path_leave(struct yaml_path *path, size_t old_len)
{
    path->len = old_len;
    path->text[old_len] = '\0';
}

const char *yaml_path_text(const struct yaml_path *path)
{
    return path->len > 0 ? path->text : NULL;
}
