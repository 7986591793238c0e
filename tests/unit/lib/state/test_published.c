/* SPDX-License-Identifier: MIT */
#include "lib/state/published.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "support/loaded.h"

#define DAY (24 * 60 * 60)

static char directory[64];

static int open_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/published-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int close_directory(void **state)
{
    (void)state;
    unlink(path_of(PUBLISHED_FILE));
    unlink(path_of(PUBLISHED_NEXT));
    unlink(path_of(PUBLISHED_CHANGES));
    return rmdir(directory);
}

static struct config *config_of(const char *domains)
{
    return loaded_config("{delegation_zone: sts.example, %s}\n", domains);
}

static struct ledger *ledger_of(const char *lines)
{
    struct ledger *ledger;
    struct err err;

    assert_int_equal(ledger_read_bytes(slice_of(lines), NULL, NULL, &ledger, &err), 0);
    return ledger;
}

/* Compares, and returns the counts as "added changed deleted withheld". */
static const char *compare(const char *yaml, const char *ledger_lines, int64_t now_unix_s)
{
    static char text[64];
    struct config *config = config_of(yaml);
    struct ledger *ledger = ledger_of(ledger_lines);
    struct published_counts counts;
    struct err err;

    assert_int_equal(published_compare(directory, config, ledger, now_unix_s, &counts, &err), 0);
    snprintf(text, sizeof(text), "%zu %zu %zu %zu", counts.n_added, counts.n_changed,
             counts.n_deleted, counts.n_withheld);
    ledger_free(ledger);
    config_unref(config);
    return text;
}

static void accept_changes(void)
{
    struct err err;

    assert_int_equal(published_accept(directory, &err), 0);
}

/* The document's line with these texts, or "". */
static const char *change_with(const char *action, const char *name, const char *type)
{
    static char line[1024];
    FILE *in = fopen(path_of(PUBLISHED_CHANGES), "re");

    assert_non_null(in);
    while (fgets(line, sizeof(line), in))
        if (strstr(line, action) && strstr(line, name) && strstr(line, type)) {
            fclose(in);
            return line;
        }
    fclose(in);
    return "";
}

static bool has_change(const char *action, const char *name, const char *type)
{
    return change_with(action, name, type)[0] != '\0';
}

#define ID "0123456789abcdef0123456789abcdef"
#define FETCHABLE(domain) "5 fetchable " domain "\n"
#define SERVES(domain) "5 serves " domain " " ID " testing 86400 " domain " - - mx.example\n"
#define HOST "policy_host: {name: p.example}, "
#define A "a.example: {mx: [mx.example], max_age: 1d}"
#define A_CHANGED "a.example: {mx: [mx2.example], max_age: 1d}"
#define B "b.example: {mx: [mx.example], tls_rpt: ['mailto:t@b.example']}"

static void test_first(void **state)
{
    (void)state;
    /* Nobody can fetch the policy of b.example. */
    assert_string_equal(
        compare(HOST "domains: {" A ", " B "}", LEDGER_HEAD FETCHABLE("a.example"), 10), "4 0 0 1");
    assert_true(has_change("add", "\"_mta-sts.a.example", "TXT"));
    assert_true(has_change("add", "\"mta-sts.b.example", "CNAME"));
    assert_true(has_change("add", "_smtp._tls.b.example", "TXT"));
    assert_false(has_change("add", "\"_mta-sts.b.example", "TXT"));
    /* What was not accepted is in the next document too. */
    assert_string_equal(
        compare(HOST "domains: {" A ", " B "}", LEDGER_HEAD FETCHABLE("a.example"), 10), "4 0 0 1");
    accept_changes();
    assert_string_equal(
        compare(HOST "domains: {" A ", " B "}", LEDGER_HEAD FETCHABLE("a.example"), 10), "0 0 0 1");
    assert_string_equal(compare(HOST "domains: {" A ", " B "}",
                                LEDGER_HEAD FETCHABLE("a.example") FETCHABLE("b.example"), 10),
                        "1 0 0 0");
}

#define KNOWN LEDGER_HEAD FETCHABLE("a.example")

static void test_change(void **state)
{
    const char *line;

    (void)state;
    compare(HOST "domains: {" A "}", KNOWN, 10);
    accept_changes();
    assert_string_equal(compare(HOST "domains: {" A_CHANGED "}", KNOWN, 10), "0 1 0 0");
    line = change_with("change", "_mta-sts.a.example", "TXT");
    assert_non_null(strstr(line, "\"old_value\": \"v=STSv1; id="));
    assert_non_null(strstr(line, "\"old_ttl\": 300"));
    assert_string_equal(compare(HOST "ttl: {mta_sts: 60}, domains: {" A "}", KNOWN, 10), "0 1 0 0");
    /* What is published stays as it is if the ledger was lost. */
    assert_string_equal(compare(HOST "domains: {" A_CHANGED "}", LEDGER_HEAD, 10), "0 0 0 1");
    accept_changes();
    assert_string_equal(compare(HOST "domains: {" A "}", KNOWN, 10), "0 0 0 0");
}

static void test_other_types(void **state)
{
    (void)state;
    compare(HOST "domains: {" A "}", KNOWN, 10);
    accept_changes();
    assert_string_equal(
        compare("policy_host: {addresses: [192.0.2.1, 192.0.2.2]}, domains: {" A "}", KNOWN, 10),
        "2 0 1 0");
    accept_changes();
    assert_string_equal(
        compare("policy_host: {addresses: [192.0.2.2, 192.0.2.3]}, domains: {" A "}", KNOWN, 10),
        "1 0 1 0");
    assert_string_equal(compare("policy_host: {addresses: [192.0.2.1, 192.0.2.2]}, ttl: "
                                "{policy_host: 60}, domains: {" A "}",
                                KNOWN, 10),
                        "0 2 0 0");
    /* The customer's side and the provider's side of a name are published by different people. */
    assert_string_equal(compare("policy_host: {addresses: [192.0.2.1, 192.0.2.2]}, domains: "
                                "{a.example: {mx: [mx.example], max_age: 1d, delegated: "
                                "[mta-sts]}}",
                                KNOWN, 10),
                        "4 0 3 0");
}

static void test_left(void **state)
{
    (void)state;
    compare(HOST "domains: {" A ", " B "}", KNOWN, 10);
    accept_changes();
    /* The ledger says nothing of a.example's policies: its records stay. */
    assert_string_equal(compare(HOST "domains: {" B "}", KNOWN, 10 * DAY), "0 0 0 1");
    /* Senders hold the policy until a day after its end. */
    assert_string_equal(
        compare(HOST "domains: {" B "}", KNOWN SERVES("a.example") "20 ends a.example\n", 30),
        "0 0 0 1");
    accept_changes();
    assert_string_equal(
        compare(HOST "domains: {" B "}", KNOWN SERVES("a.example") "20 ends a.example\n", 2 * DAY),
        "0 0 2 1");
    assert_true(has_change("delete", "_mta-sts.a.example", "TXT"));
    accept_changes();
    assert_string_equal(compare(HOST "domains: {" B "}", KNOWN, 10), "0 0 0 1");
}

static void test_without_policy(void **state)
{
    (void)state;
    compare(HOST "domains: {" B "}", LEDGER_HEAD FETCHABLE("b.example"), 10);
    accept_changes();
    assert_string_equal(compare(HOST "domains: {b.example: {mta_sts: false, tls_rpt: "
                                     "['mailto:t@b.example']}}",
                                LEDGER_HEAD FETCHABLE("b.example") SERVES("b.example"), 10),
                        "0 0 0 0");
    assert_string_equal(
        compare(HOST "domains: {b.example: {mta_sts: false, tls_rpt: ['mailto:t@b.example']}}",
                LEDGER_HEAD FETCHABLE("b.example") SERVES("b.example") "20 ends b.example\n",
                2 * DAY),
        "0 0 2 0");
    accept_changes();
    /* TLS reporting alone needs no ledger. */
    assert_string_equal(compare(HOST "domains: {" A "}", LEDGER_HEAD, 2 * DAY), "1 0 1 1");
}

static void test_damaged(void **state)
{
    static const char *const wrong[] = {"rubbish\n", PUBLISHED_HEAD "rubbish\n",
                                        PUBLISHED_HEAD "a.example a.example", ""};
    struct config *config = config_of(HOST "domains: {" A "}");
    struct published_counts counts;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        FILE *out = fopen(path_of(PUBLISHED_FILE), "we");

        fputs(wrong[i], out);
        fclose(out);
        assert_int_equal(published_compare(directory, config, NULL, 10, &counts, &err), -1);
        assert_int_equal(err.code, ERR_SYNTAX);
    }
    config_unref(config);
}

static void test_no_directory(void **state)
{
    struct config *config = config_of(HOST "domains: {" A "}");
    struct published_counts counts;
    struct err err;

    (void)state;
    assert_int_equal(published_compare("/nowhere", config, NULL, 10, &counts, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(published_accept("/nowhere", &err), -1);
    assert_int_equal(err.code, ERR_IO);
    config_unref(config);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, open_directory, close_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(test_first),          WITH_DIRECTORY(test_change),
        WITH_DIRECTORY(test_other_types),    WITH_DIRECTORY(test_left),
        WITH_DIRECTORY(test_without_policy), WITH_DIRECTORY(test_damaged),
        cmocka_unit_test(test_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
