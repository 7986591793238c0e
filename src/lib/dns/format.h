/* SPDX-License-Identifier: MIT */
/**
 * Output formats of the records to publish: a row and a file format_<name>.c each.
 *
 * A format prints; it decides nothing. Records arrive grouped by zone. Its functions may be called
 * from any thread, one output at a time. Values hold what config/ has checked (printable ASCII),
 * yet every format escapes what its syntax reserves. The traps of each syntax are named in its
 * file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/record.h"

/** One output while it is printed; zeroed but for `out` and `json` before the first call. */
struct dns_output {
    FILE *out;
    struct json_writer json;           /* to the same stream, for formats that are JSON */
    size_t n_records;                  /* printed so far, for formats with separators */
    size_t n_in_set;                   /* records of this set printed so far */
    const struct dns_record *previous; /* printed before this one in its zone; NULL: none */
    bool has_live;                     /* the zone has a record that is not to be deleted */
    size_t name_len;                   /* of the zone's longest name, for formats with columns */
};

/**
 * A format's row. A function that the format does not need is NULL. A set is the records of one
 * name and one type (RFC 2181 5); a withheld record is a set by itself.
 */
struct dns_format {
    const char *name;        /* as in --print-dns=NAME */
    const char *file_suffix; /* of a zone's file in --output: ".zone" */
    const char *what;        /* one line for --help */
    bool hides_withheld;     /* a withheld record is left out */
    bool has_deletions;      /* prints records to delete; else they are left out */
    void (*begin)(struct dns_output *output);
    void (*begin_zone)(struct dns_output *output, const char *zone);
    void (*begin_set)(struct dns_output *output, const struct dns_record *first);
    void (*print)(struct dns_output *output, const struct dns_record *record);
    void (*end_set)(struct dns_output *output, const struct dns_record *last);
    void (*end_zone)(struct dns_output *output, const char *zone);
    void (*end)(struct dns_output *output);
    void (*sort)(const struct dns_record **records, size_t n_records); /* those of one zone */
};

/** All formats, the default first. */
extern const struct dns_format *const dns_formats[];
extern const size_t n_dns_formats;

/** The format with this name, or NULL. */
const struct dns_format *dns_format_find(struct slice name);

/** The number of records, at least one, before the first record of another zone. */
size_t dns_format_zone_len(const struct dns_record *records, size_t n_records);

/** Groups records by zone, in the order of the zones' names; within a zone their order stays. */
void dns_format_group(struct dns_record *records, size_t n_records);

/** Prints records in the given order; a zone begins where record->zone changes. */
void dns_format_print(const struct dns_format *format, const struct dns_record *records,
                      size_t n_records, FILE *out);

/** Prints the members of an open JSON object that say what a record is: from "domain" to "id". */
void dns_record_print_members(const struct dns_record *record, struct json_writer *json);

/**
 * Prints TXT bytes as quoted character-strings of at most 255 octets, one space between them, with
 * backslash escapes for quotes, backslashes and what is not printable ASCII (RFC 1035 5.1).
 */
void dns_print_txt(struct slice text, FILE *out);
