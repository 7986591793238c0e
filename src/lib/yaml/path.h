/* SPDX-License-Identifier: MIT */
/**
 * Paths: where a value stands among the keys of a file, "domains.example.com.mx[0]".
 *
 * Printable ASCII whatever the keys are: all else is escaped. Pure.
 */
#pragma once

#include <stddef.h>

struct slice;

enum {
    YAML_PATH_MAX = 512, /* bytes with the NUL; what is longer is cut */
};

/** Zeroed: the top of a file. */
struct yaml_path {
    char text[YAML_PATH_MAX];
    size_t len;
};

/** Appends ".name", or "name" at the top; returns the old length. */
size_t yaml_path_enter(struct yaml_path *path, struct slice name);

/** Appends "[index]"; returns the old length. */
size_t yaml_path_index(struct yaml_path *path, size_t index);

/** Cuts back to what yaml_path_enter() or yaml_path_index() returned. */
void yaml_path_leave(struct yaml_path *path, size_t old_len);

/** The text; NULL at the top. */
const char *yaml_path_text(const struct yaml_path *path);
