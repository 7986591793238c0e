/* SPDX-License-Identifier: MIT */
/**
 * The site's files that are the same for everybody: pages, style, scripts, the library of plots.
 *
 * They lie in reports/site/, the library comes from the system at build time, and the build makes
 * the table from them (embed.cmake).
 */
#pragma once

#include <stddef.h>

#include "lib/base/slice.h"

/** With what the names of all other files of a site begin. */
#define SITE_DATA_PREFIX "data-"

struct site_asset {
    const char *name;
    struct slice bytes;
};

/** How many there are. */
size_t site_assets_count(void);

/** One of them, below that count. */
const struct site_asset *site_assets_at(size_t index);
