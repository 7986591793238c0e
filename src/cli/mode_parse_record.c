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

static void record_begin_json(struct json_writer *json, bool is_valid)
{
    json_begin_object(json, JSON_ON_ONE_LINE);
    json_key(json, "valid");
    json_bool(json, is_valid);
}

static void record_end_json(struct json_writer *json)
{
    json_end_object(json);
    puts("");
}

static void record_print_rua_json(const struct tls_rpt_record *record)
{
    struct json_writer json = {.out = stdout};

    record_begin_json(&json, true);
    json_key(&json, "rua");
    json_begin_array(&json, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < record->n_rua; i++)
        json_slice(&json, record->rua[i]);
    json_end_array(&json);
    record_end_json(&json);
}

static void record_print_rua(const struct tls_rpt_record *record)
{
    puts("valid");
    for (size_t i = 0; i < record->n_rua; i++)
        printf("rua: %.*s\n", SLICE_ARG(record->rua[i]));
}

static void record_print_id(const char *id, bool as_json)
{
    struct json_writer json = {.out = stdout};

    if (!as_json) {
        printf("valid\nid: %s\n", id);
        return;
    }
    record_begin_json(&json, true);
    json_text_member(&json, "id", id);
    record_end_json(&json);
}

static int parse_tls_rpt(struct slice value, struct arena *arena, bool json, struct err *err)
{
    struct tls_rpt_record record;

    if (tls_rpt_record_parse(&value, 1, arena, &record, err) != 0)
        return -1;
    (json ? record_print_rua_json : record_print_rua)(&record);
    return 0;
}

static int parse_sts(struct slice value, bool json, struct err *err)
{
    struct sts_record record;

    if (sts_record_parse(&value, 1, &record, err) != 0)
        return -1;
    record_print_id(record.id, json);
    return 0;
}

static void record_print_refusal(const struct err *err, bool as_json)
{
    struct json_writer json = {.out = stdout};

    if (as_json) {
        record_begin_json(&json, false);
        json_number_member(&json, "column", err->place.column);
        json_text_member(&json, "reason", err->msg);
        record_end_json(&json);
    } else if (err->place.column > 0) {
        printf("invalid: octet %u: %s\n", err->place.column, err->msg);
    } else {
        printf("invalid: %s\n", err->msg);
    }
}

/* The line end that a shell or an editor adds is no part of the value. */
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
            record_print_refusal(&err, options->json);
            status = STATUS_FINDINGS;
        }
    }
    arena_free(arena);
    return status;
}
