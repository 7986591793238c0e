/* SPDX-License-Identifier: MIT */
/*
 * A TXT answer from a stranger, a line each record: what a strict sender takes is what we would
 * publish for it, and reads the same when we have; what it refuses, it refuses in words fit for a
 * terminal. The same bytes come through a zone file unchanged.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/format.h"
#include "lib/dns/record.h"
#include "lib/dns/record_parse.h"
#include "lib/dns/record_paste.h"
#include "lib/dns/report_uri.h"

#include "require.h"

enum {
    RRS_MAX = 8,
    ARENA_CAP = 16 * 1024, /* below what a long list of short addresses needs */
    STRING_MAX = 255,
};

static void require_refusal(const struct err *err, size_t size)
{
    require_message(err);
    require(err->place.line == 0 && err->place.column <= size + 1, "a column is in the record");
}

/* The value that we publish for `spec`, as the one record of an answer. */
static struct slice published(const struct domain_records_spec *spec, struct arena *arena)
{
    struct dns_record *records;

    require(dns_records_list(spec, arena, &records) == 1, "one record is made");
    return slice_of(records[0].value);
}

static void check_sts(const struct slice *rrs, size_t n_rrs, size_t size, struct arena *arena)
{
    struct domain_records_spec spec = {.domain = "example.com", .zone = "example.com"};
    struct sts_record record, again;
    struct slice text;
    struct err err;

    if (sts_record_parse(rrs, n_rrs, &record, &err) != 0) {
        require_refusal(&err, size);
        return;
    }
    require(strlen(record.id) > 0 && strlen(record.id) <= STS_ID_MAX, "an id has its length");
    spec.id = record.id;
    text = published(&spec, arena);
    require(sts_record_parse(&text, 1, &again, &err) == 0, "what we publish is usable");
    require(strcmp(record.id, again.id) == 0, "it has the id");
}

static struct domain_records_spec wish_reports(const struct tls_rpt_record *record,
                                               struct arena *arena)
{
    const char **rua = arena_array(arena, record->n_rua, sizeof(*rua));

    for (size_t i = 0; i < record->n_rua; i++) {
        require(!tls_rpt_uri_fault(record->rua[i]), "an address has no fault");
        rua[i] = arena_copy(arena, record->rua[i]);
    }
    return (struct domain_records_spec){
        .domain = "example.com", .zone = "example.com", .rua = rua, .n_rua = record->n_rua};
}

static void check_tls_rpt(const struct slice *rrs, size_t n_rrs, size_t size, struct arena *arena)
{
    struct arena *capped = arena_new(ARENA_CAP);
    struct tls_rpt_record record, again;
    struct domain_records_spec spec;
    struct slice text;
    struct err err;

    if (tls_rpt_record_parse(rrs, n_rrs, capped, &record, &err) != 0) {
        require_refusal(&err, size);
        goto out;
    }
    spec = wish_reports(&record, arena);
    text = published(&spec, arena);
    require(tls_rpt_record_parse(&text, 1, arena, &again, &err) == 0, "what we publish is usable");
    require(record.n_rua > 0 && record.n_rua == again.n_rua, "it has as many addresses");
    for (size_t i = 0; i < record.n_rua; i++)
        require(slice_eq(record.rua[i], again.rua[i]), "it has the addresses");
out:
    arena_free(capped);
}

/* Reads one character of a character-string and moves *at behind it. */
static char unescape(struct slice printed, size_t *at)
{
    char digits[4] = "";

    require(printed.ptr[*at] >= ' ' && printed.ptr[*at] <= '~', "output is printable ASCII");
    if (printed.ptr[*at] != '\\')
        return printed.ptr[(*at)++];
    if (!ascii_is_digit(printed.ptr[*at + 1])) {
        *at += 2;
        return printed.ptr[*at - 1];
    }
    memcpy(digits, printed.ptr + *at + 1, 3);
    *at += 4;
    return (char)strtoul(digits, NULL, 10);
}

static void require_unescapes(struct slice printed, struct slice text)
{
    size_t n_read = 0, at = 0;

    do {
        size_t begin = n_read;

        require(at == 0 || printed.ptr[at++] == ' ', "a space parts two strings");
        require(printed.ptr[at++] == '"', "a string has quotes");
        while (printed.ptr[at] != '"') {
            require(n_read < text.len, "nothing is added");
            require(unescape(printed, &at) == text.ptr[n_read++], "a byte stays what it is");
        }
        at++;
        require(n_read - begin <= STRING_MAX, "a string is within its limit");
    } while (at < printed.len);
    require(n_read == text.len, "nothing is lost");
}

static void check_printing(struct slice text)
{
    char *printed = NULL;
    size_t len;
    FILE *out = open_memstream(&printed, &len);

    dns_print_txt(text, out);
    fclose(out);
    require_unescapes((struct slice){printed, len}, text);
    free(printed);
}

/* What is pasted: no value is longer than the text, and a printed value is read as it was. */
static void check_paste(struct slice text, struct arena *arena)
{
    char *printed = NULL;
    struct slice *rrs;
    size_t n_rrs, len = 0;
    FILE *out = open_memstream(&printed, &len);
    struct err err;

    if (record_paste_read(text, arena, &rrs, &n_rrs, &err) == 0) {
        size_t sum = 0;

        for (size_t i = 0; i < n_rrs; i++)
            sum += rrs[i].len;
        require(n_rrs > 0 && sum <= text.len, "values are parts of the text");
    } else {
        require_message(&err);
    }
    dns_print_txt(text, out);
    fclose(out);
    require(record_paste_read((struct slice){printed, len}, arena, &rrs, &n_rrs, &err) == 0 &&
                n_rrs == 1 && slice_eq(rrs[0], text),
            "what is printed is read");
    free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size}, rrs[RRS_MAX];
    struct arena *arena = arena_new(0);
    size_t n_rrs = 0;

    check_printing(rest);
    check_paste(rest, arena);
    while (rest.len > 0 && n_rrs < RRS_MAX) {
        rrs[n_rrs] = slice_range(rest, 0, slice_find_byte(rest, '\n'));
        rest = slice_range(rest, rrs[n_rrs++].len + 1, rest.len);
    }
    check_sts(rrs, n_rrs, size, arena);
    check_tls_rpt(rrs, n_rrs, size, arena);
    arena_free(arena);
    return 0;
}
