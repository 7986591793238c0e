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

enum {
    LOG_TIME_SIZE = sizeof("2026-11-23T17:00:00.000Z"),
};

static const char *log_record_time(const struct log_record *record, char text[LOG_TIME_SIZE])
{
    time_t seconds = (time_t)(record->at_unix_ms / 1000);
    struct tm utc;
    size_t len;

    gmtime_r(&seconds, &utc);
    len = strftime(text, LOG_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + len, LOG_TIME_SIZE - len, ".%03uZ", (unsigned)(record->at_unix_ms % 1000));
    return text;
}

/* What a peer sent goes out in quotes and escaped, so that it can forge neither line nor colour. */
static void log_record_print_quoted(const char *text, FILE *out)
{
    char quoted[1024 + 8];

    fputs(err_quote(quoted, sizeof(quoted), slice_of(text)), out);
}

void log_record_print_text(const struct log_record *record, FILE *out)
{
    char time[LOG_TIME_SIZE];

    fprintf(out, "%s %s ", log_record_time(record, time),
            record->peer[0] != '\0' ? record->peer : "unix");
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

void log_record_print_json(const struct log_record *record, FILE *out)
{
    struct json_writer json = {.out = out};
    char time[LOG_TIME_SIZE];

    json_begin_object(&json, JSON_ON_ONE_LINE);
    json_text_member(&json, "time", log_record_time(record, time));
    json_text_member(&json, "peer", record->peer[0] != '\0' ? record->peer : NULL);
    json_text_member(&json, "server", record->server);
    json_text_member(&json, "method", record->method);
    json_text_member(&json, "path", record->path);
    json_number_member(&json, "status", record->status);
    json_number_member(&json, "bytes", record->body_len);
    json_text_member(&json, "tls", record->tls_version);
    json_text_member(&json, "agent", record->agent);
    json_end_object(&json);
    fputc('\n', out);
}
