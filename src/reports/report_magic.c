/* SPDX-License-Identifier: MIT */
#include "reports/report_magic.h"

#include <string.h>

#include "lib/base/slice.h"

enum report_magic report_magic_of(struct slice bytes)
{
    size_t at = slice_starts_with(bytes, "\xef\xbb\xbf") ? 3 : 0;

    if (slice_starts_with(bytes, "\x1f\x8b"))
        return REPORT_MAGIC_GZIP;
    if (slice_starts_with(bytes, "PK\x03\x04"))
        return REPORT_MAGIC_ZIP;
    while (at < bytes.len && memchr(" \t\r\n", bytes.ptr[at], 4))
        at++;
    return at < bytes.len && bytes.ptr[at] == '{' ? REPORT_MAGIC_JSON : REPORT_MAGIC_NONE;
}
