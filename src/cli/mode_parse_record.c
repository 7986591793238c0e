/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/dns/record_parse.h"

enum {
    RECORD_MAX = 64 * 1024, /* octets of a TXT record's data */
};

static void print_rua(const struct tls_rpt_record *record, bool json)
{
    fputs(json ? "{\"valid\": true, \"rua\": [" : "valid\n", stdout);
    for (size_t i = 0; i < record->n_rua; i++) {
        if (json) {
            fputs(i == 0 ? "" : ", ", stdout);
            json_print_slice(record->rua[i], stdout);
        } else {
            printf("rua: %.*s\n", SLICE_ARG(record->rua[i]));
        }
    }
    fputs(json ? "]}\n" : "", stdout);
}

static int parse_tls_rpt(struct slice value, struct arena *arena, bool json, struct err *err)
{
    struct tls_rpt_record record;

    if (tls_rpt_record_parse(&value, 1, arena, &record, err) != 0)
        return -1;
    print_rua(&record, json);
    return 0;
}

static int parse_sts(struct slice value, bool json, struct err *err)
{
    struct sts_record record;

    if (sts_record_parse(&value, 1, &record, err) != 0)
        return -1;
    printf(json ? "{\"valid\": true, \"id\": \"%s\"}\n" : "valid\nid: %s\n", record.id);
    return 0;
}

static void print_refusal(const struct err *err, bool json)
{
    if (json) {
        printf("{\"valid\": false, \"column\": %u, \"reason\": ", err->place.column);
        json_print_text(err->msg, stdout);
        puts("}");
    } else if (err->place.column > 0) {
        printf("invalid: octet %u: %s\n", err->place.column, err->msg);
    } else {
        printf("invalid: %s\n", err->msg);
    }
}

/* What a shell or an editor puts at the end of a line is no part of the value. */
static struct slice drop_line_end(struct slice value)
{
    if (slice_ends_with(value, "\n"))
        value.len--;
    if (slice_ends_with(value, "\r"))
        value.len--;
    return value;
}

enum exit_status mode_parse_record(const struct options *options)
{
    const char *path = options->n_arguments > 0 ? options->arguments[0] : "-";
    struct arena *arena = arena_new(0);
    enum exit_status status = STATUS_GOOD;
    struct slice value;
    struct err err;
    int result;

    if (file_read(path, RECORD_MAX, arena, &value, &err) != 0) {
        status = cli_fail(STATUS_FAILED, "%s %s", path, err.msg);
    } else {
        value = drop_line_end(value);
        result = options->tls_rpt ? parse_tls_rpt(value, arena, options->json, &err)
                                  : parse_sts(value, options->json, &err);
        if (result != 0) {
            print_refusal(&err, options->json);
            status = STATUS_FINDINGS;
        }
    }
    arena_free(arena);
    return status;
}
