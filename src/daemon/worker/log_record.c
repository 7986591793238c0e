/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_record.h"

#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/base/json.h"

void log_record_set_text(char *buffer, size_t size, struct slice bytes)
{
    size_t len = bytes.len < size ? bytes.len : size - 1;

    if (len > 0)
        memcpy(buffer, bytes.ptr, len);
    buffer[len] = '\0';
}

static void log_record_print_time(const struct log_record *record, FILE *out)
{
    time_t seconds = (time_t)(record->at_unix_ms / 1000);
    char text[sizeof("2026-11-23T17:00:00")];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(out, "%s.%03dZ", text, (int)(record->at_unix_ms % 1000));
}

/* What a peer sent goes out in quotes and escaped, so that it can forge neither line nor colour. */
static void log_record_print_quoted(const char *text, FILE *out)
{
    char quoted[1024 + 8];

    fputs(err_quote(quoted, sizeof(quoted), slice_of(text)), out);
}

void log_record_print_text(const struct log_record *record, FILE *out)
{
    log_record_print_time(record, out);
    fprintf(out, " %s ", record->peer[0] != '\0' ? record->peer : "unix");
    log_record_print_quoted(record->server, out);
    fputc(' ', out);
    log_record_print_quoted(record->method, out);
    fputc(' ', out);
    log_record_print_quoted(record->path, out);
    fprintf(out, " %u %u %s ", record->status, record->body_len,
            record->tls_version ? record->tls_version : "plain");
    log_record_print_quoted(record->agent, out);
    fputc('\n', out);
}

static void log_record_print_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, ", \"%s\": ", name);
    json_print_text(text, out);
}

void log_record_print_json(const struct log_record *record, FILE *out)
{
    fputs("{\"time\": \"", out);
    log_record_print_time(record, out);
    fputc('"', out);
    log_record_print_member("peer", record->peer[0] != '\0' ? record->peer : NULL, out);
    log_record_print_member("server", record->server, out);
    log_record_print_member("method", record->method, out);
    log_record_print_member("path", record->path, out);
    fprintf(out, ", \"status\": %u, \"bytes\": %u", record->status, record->body_len);
    log_record_print_member("tls", record->tls_version, out);
    log_record_print_member("agent", record->agent, out);
    fputs("}\n", out);
}
