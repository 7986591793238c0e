/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/mode.h"
#include "cli/warnings.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/diag/config_finding.h"
#include "lib/dns/record_parse.h"
#include "lib/dns/record_paste.h"
#include "lib/dns/report_uri.h"

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

static void record_print_rua(const struct tls_rpt_record *record,
                             const struct cli_warnings *warnings, bool as_json)
{
    struct json_writer json = {.out = stdout};

    if (!as_json) {
        puts("valid");
        for (size_t i = 0; i < record->n_rua; i++)
            printf("rua: %.*s\n", SLICE_ARG(record->rua[i]));
        warnings_print(warnings);
        return;
    }
    record_begin_json(&json, true);
    json_key(&json, "rua");
    json_begin_array(&json, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < record->n_rua; i++)
        json_slice(&json, record->rua[i]);
    json_end_array(&json);
    warnings_print_json(warnings, &json);
    record_end_json(&json);
}

static void record_print_id(const char *id, const struct cli_warnings *warnings, bool as_json)
{
    struct json_writer json = {.out = stdout};

    if (!as_json) {
        printf("valid\nid: %s\n", id);
        warnings_print(warnings);
        return;
    }
    record_begin_json(&json, true);
    json_text_member(&json, "id", id);
    warnings_print_json(warnings, &json);
    record_end_json(&json);
}

static void lint_version(bool is_loose, const char *why, struct cli_warnings *warnings)
{
    if (is_loose)
        warnings_add(warnings, FINDING_NONE, "there is a space before the first ';'; remove it: %s",
                     why);
}

/* The TXT records of one name, as they were pasted. */
struct pasted {
    struct slice *rrs;
    size_t n_rrs;
};

static int parse_tls_rpt(const struct pasted *pasted, struct arena *arena, bool json,
                         struct err *err)
{
    struct cli_warnings warnings = {0};
    struct tls_rpt_record record;
    char quoted[ERR_QUOTE_MAX];

    if (tls_rpt_record_parse(pasted->rrs, pasted->n_rrs, arena, &record, err) != 0)
        return -1;
    lint_version(record.has_loose_version,
                 "beside other TXT records, only one that begins with 'v=TLSRPTv1;' counts "
                 "(RFC 8460 3)",
                 &warnings);
    for (size_t i = 0; i < record.n_rua; i++)
        if (tls_rpt_uri_doubt(record.rua[i]))
            warnings_add(&warnings, FINDING_RUA_DOUBTFUL, "rua %s %s",
                         err_quote(quoted, sizeof(quoted), record.rua[i]),
                         tls_rpt_uri_doubt(record.rua[i]));
    record_print_rua(&record, &warnings, json);
    warnings_done(&warnings);
    return 0;
}

static int parse_sts(const struct pasted *pasted, bool json, struct err *err)
{
    struct cli_warnings warnings = {0};
    struct sts_record record;

    if (sts_record_parse(pasted->rrs, pasted->n_rrs, &record, err) != 0)
        return -1;
    lint_version(record.has_loose_version, "two senders know a record by 'v=STSv1;' alone",
                 &warnings);
    record_print_id(record.id, &warnings, json);
    warnings_done(&warnings);
    return 0;
}

/* Says which option a record of the other kind needs. */
static const char *other_kind_hint(const struct options *options, const struct pasted *pasted)
{
    const char *other = options->tls_rpt ? "v=STSv1" : "v=TLSRPTv1";

    if (pasted->n_rrs == 0 || !slice_starts_with(pasted->rrs[0], other))
        return "";
    return options->tls_rpt ? "; leave out --tls-rpt" : "; add --tls-rpt";
}

static void record_print_refusal(const struct err *err, const char *hint, size_t n_rrs,
                                 bool as_json)
{
    struct json_writer json = {.out = stdout};
    char reason[ERR_MSG_MAX + 96];
    size_t len;

    snprintf(reason, sizeof(reason), "%s%s", err->msg, hint);
    len = strlen(reason);
    if (n_rrs > 1)
        snprintf(reason + len, sizeof(reason) - len, "; %zu lines were read as a record each",
                 n_rrs);
    if (as_json) {
        record_begin_json(&json, false);
        json_number_member(&json, "column", err->place.column);
        json_text_member(&json, "reason", reason);
        record_end_json(&json);
    } else if (err->place.column > 0) {
        printf("invalid: octet %u: %s\n", err->place.column, reason);
    } else {
        printf("invalid: %s\n", reason);
    }
}

static int parse_pasted(const struct options *options, struct slice text, struct arena *arena,
                        struct pasted *ret_pasted, struct err *err)
{
    if (record_paste_read(text, arena, &ret_pasted->rrs, &ret_pasted->n_rrs, err) != 0)
        return -1;
    return options->tls_rpt ? parse_tls_rpt(ret_pasted, arena, options->json, err)
                            : parse_sts(ret_pasted, options->json, err);
}

enum exit_status mode_parse_record(const struct options *options)
{
    const char *path = options->n_arguments > 0 ? options->arguments[0] : "-";
    struct arena *arena = arena_new(0);
    enum exit_status status = STATUS_GOOD;
    struct pasted pasted = {0};
    struct slice text;
    struct err err;

    if (file_read(path, RECORD_MAX, arena, &text, &err) != 0) {
        status = cli_fail(STATUS_FAILED, "%s %s", path, err.msg);
    } else if (parse_pasted(options, text, arena, &pasted, &err) != 0) {
        record_print_refusal(&err, other_kind_hint(options, &pasted), pasted.n_rrs, options->json);
        status = STATUS_FINDINGS;
    }
    arena_free(arena);
    return status;
}
