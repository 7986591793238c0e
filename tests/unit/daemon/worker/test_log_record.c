/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_record.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fixture.h"

static void test_set_text(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } rows[] = {
        {NULL, 0, ""},          {"", 0, ""},      {"abc", 3, "abc"}, {"abcd", 4, "abc"},
        {"abcdefgh", 8, "abc"}, {"a\0c", 3, "a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buffer[4] = {'x', 'x', 'x', 'x'};

        log_record_set_text(buffer, sizeof(buffer), (struct slice){rows[i].text, rows[i].len});
        if (strcmp(buffer, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', seen '%s'", i, rows[i].want, buffer);
    }
}

static const struct {
    struct log_record record;
    const char *text, *json;
} printed[] = {
    {{.at_unix_ms = 0},
     "1970-01-01T00:00:00.000Z unix '' '' '' 0 0 plain ''\n",
     "{\"time\": \"1970-01-01T00:00:00.000Z\", \"peer\": null, \"server\": \"\", \"method\": \"\", "
     "\"path\": \"\", \"status\": 0, \"bytes\": 0, \"tls\": null, \"agent\": \"\"}\n"},
    {{.at_unix_ms = 1795453200007,
      .peer = "[2001:db8::1]:4711",
      .server = "mta-sts.example.com",
      .method = "GET",
      .path = "/.well-known/mta-sts.txt",
      .agent = "Google-SMTP-STS",
      .tls_version = "TLSv1.3",
      .body_len = 75,
      .status = 200},
     "2026-11-23T17:00:00.007Z [2001:db8::1]:4711 'mta-sts.example.com' 'GET' "
     "'/.well-known/mta-sts.txt' 200 75 TLSv1.3 'Google-SMTP-STS'\n",
     "{\"time\": \"2026-11-23T17:00:00.007Z\", \"peer\": \"[2001:db8::1]:4711\", \"server\": "
     "\"mta-sts.example.com\", \"method\": \"GET\", \"path\": \"/.well-known/mta-sts.txt\", "
     "\"status\": 200, \"bytes\": 75, \"tls\": \"TLSv1.3\", \"agent\": \"Google-SMTP-STS\"}\n"},
    {{.at_unix_ms = 253402300799999,
      .server = "a\nb",
      .method = "\x1b[2J",
      .path = "/'\"\\",
      .agent = "caf\xc3\xa9 \xff",
      .body_len = UINT32_MAX,
      .status = UINT16_MAX},
     "9999-12-31T23:59:59.999Z unix 'a\\x0ab' '\\x1b[2J' '/\\'\"\\\\' 65535 4294967295 plain "
     "'caf\\xc3\\xa9 \\xff'\n",
     "{\"time\": \"9999-12-31T23:59:59.999Z\", \"peer\": null, \"server\": \"a\\u000ab\", "
     "\"method\": \"\\u001b[2J\", \"path\": \"/'\\\"\\\\\", \"status\": 65535, \"bytes\": "
     "4294967295, \"tls\": null, \"agent\": \"caf\xc3\xa9 \\ufffd\"}\n"},
};

typedef void printer(const struct log_record *record, FILE *out);

static bool prints(printer *print, size_t row, const char *want)
{
    char *seen = NULL, what[16];
    size_t len;
    FILE *out = open_memstream(&seen, &len);
    bool good;

    snprintf(what, sizeof(what), "row %zu", row);
    print(&printed[row].record, out);
    fclose(out);
    good = fixture_equal(what, want, seen);
    free(seen);
    return good;
}

static void test_print(void **state)
{
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(printed); i++) {
        n_failed += !prints(log_record_print_text, i, printed[i].text);
        n_failed += !prints(log_record_print_json, i, printed[i].json);
    }
    assert_int_equal(n_failed, 0);
}

/* The longest texts, each byte of which is escaped, are one line that a pipe takes at once. */
static void check_longest(printer *print, int byte)
{
    struct log_record record = {
        .at_unix_ms = 253402300799999, .tls_version = "TLSv1.3", .body_len = UINT32_MAX};
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    record.status = UINT16_MAX;
    memset(record.peer, '1', sizeof(record.peer) - 1);
    memset(record.server, byte, sizeof(record.server) - 1);
    memset(record.method, byte, sizeof(record.method) - 1);
    memset(record.path, byte, sizeof(record.path) - 1);
    memset(record.agent, byte, sizeof(record.agent) - 1);
    print(&record, out);
    fclose(out);
    assert_int_equal(strcspn(seen, "\n"), len - 1);
    assert_null(strstr(seen, "..."));
    assert_in_range(len, 4 * sizeof(record.server), PIPE_BUF);
    free(seen);
}

static void test_longest(void **state)
{
    (void)state;
    check_longest(log_record_print_text, '\n');
    check_longest(log_record_print_text, 0xff);
    check_longest(log_record_print_json, '\n');
    check_longest(log_record_print_json, 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_text),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
