/* SPDX-License-Identifier: MIT */
/**
 * Report magic: what the first bytes say a body is, whatever its sender calls it.
 *
 * Pure. Source: RFC 1952 2.3.1 (gzip), RFC 8259 2 (white space before JSON), APPNOTE.TXT 4.3.7
 * (zip).
 */
#pragma once

struct slice;

enum report_magic {
    REPORT_MAGIC_NONE,
    REPORT_MAGIC_JSON, /* an object, also after a byte order mark */
    REPORT_MAGIC_GZIP,
    REPORT_MAGIC_ZIP,
};

/** Looks at the first bytes alone: the rest may be broken. */
enum report_magic report_magic_of(struct slice bytes);
