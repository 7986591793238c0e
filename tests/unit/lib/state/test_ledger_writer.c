/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger_writer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "support/loaded.h"

struct desk {
    char directory[64], path[96];
    struct ledger_writer *writer;
};

static struct desk *desk_open(void)
{
    static struct desk desk;
    struct err err;

    snprintf(desk.directory, sizeof(desk.directory), "%s/state-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(desk.directory));
    snprintf(desk.path, sizeof(desk.path), "%s/" LEDGER_FILE, desk.directory);
    assert_int_equal(ledger_writer_open(desk.directory, 5, &desk.writer, &err), 0);
    return &desk;
}

static void desk_close(struct desk *desk)
{
    ledger_writer_close(desk->writer);
    unlink(desk->path);
    rmdir(desk->directory);
}

static struct config *config_of(const char *domains)
{
    return loaded_config(
        "{policy_host: {name: p.example}, delegation_zone: sts.example, domains: {%s}}\n", domains);
}

static void desk_record(struct desk *desk, const char *domains, int64_t now_unix_s)
{
    struct config *config = config_of(domains);
    struct err err;

    assert_int_equal(ledger_writer_record(desk->writer, config, now_unix_s, &err), 0);
    config_unref(config);
}

static size_t desk_size(const struct desk *desk)
{
    struct stat status;

    assert_int_equal(stat(desk->path, &status), 0);
    return (size_t)status.st_size;
}

static struct ledger *desk_read(const struct desk *desk)
{
    struct ledger *ledger;
    struct err err;

    assert_int_equal(ledger_read(desk->directory, NULL, &ledger, &err), 0);
    return ledger;
}

#define A "a.example: {mx: [mx1.example, mx2.example], max_age: 1d}"
#define A_ENFORCE "a.example: {mx: [mx1.example], max_age: 1d, mode: enforce}"
#define B "b.example: {mx: [mx.example], delegated: [mta-sts]}"

static void test_record(void **state)
{
    struct desk *desk = desk_open();
    const struct ledger_domain *domain;
    struct ledger *ledger;
    size_t size;

    (void)state;
    desk_record(desk, A ", " B, 10);
    size = desk_size(desk);
    desk_record(desk, A ", " B, 20); /* the same: nothing to say */
    assert_int_equal(desk_size(desk), size);
    desk_record(desk, A_ENFORCE, 30);
    ledger = desk_read(desk);
    domain = ledger_find(ledger, slice_of("a.example"));
    assert_int_equal(domain->latest->from_unix_s, 30);
    assert_int_equal(domain->latest->policy.mode, POLICY_ENFORCE);
    assert_true(slice_eq_text(domain->latest->policy.mx, "mx1.example"));
    assert_true(slice_eq_text(domain->latest->earlier->policy.mx, "mx1.example,mx2.example"));
    assert_int_equal(domain->latest->earlier->until_unix_s, 30);
    domain = ledger_find(ledger, slice_of("b.example"));
    assert_int_equal(domain->latest->until_unix_s, 30);
    assert_true(slice_eq_text(domain->latest->policy.mta_sts_zone, "sts.example"));
    ledger_free(ledger);
    desk_record(desk, A_ENFORCE ", " B, 40);
    ledger = desk_read(desk);
    assert_int_equal(ledger_find(ledger, slice_of("b.example"))->latest->until_unix_s, 0);
    ledger_free(ledger);
    desk_close(desk);
}

static void test_fetchable(void **state)
{
    struct desk *desk = desk_open();
    struct config *config = config_of(A ", " B);
    const size_t both[] = {0, 1};
    struct ledger *ledger;
    struct err err;
    size_t size;

    (void)state;
    assert_int_equal(ledger_writer_mark_fetchable(desk->writer, config, both, 1, 7, &err), 0);
    assert_int_equal(ledger_writer_mark_fetchable(desk->writer, config, both, 2, 8, &err), 0);
    size = desk_size(desk);
    assert_int_equal(ledger_writer_mark_fetchable(desk->writer, config, both, 2, 9, &err), 0);
    assert_int_equal(desk_size(desk), size);
    ledger = desk_read(desk);
    assert_int_equal(ledger_find(ledger, slice_of("a.example"))->fetchable_unix_s, 7);
    assert_int_equal(ledger_find(ledger, slice_of("b.example"))->fetchable_unix_s, 8);
    ledger_free(ledger);
    config_unref(config);
    desk_close(desk);
}

/* A crash may leave any part of a line; what was synced before it stays, and a reader sees it. */
static void test_half_a_line(void **state)
{
    struct desk *desk = desk_open();
    struct ledger *ledger;
    struct err err;
    size_t size;

    (void)state;
    desk_record(desk, A, 10);
    size = desk_size(desk);
    for (size_t len = size; len > 0; len -= len > 20 ? 7 : 1) {
        ledger_writer_close(desk->writer);
        assert_int_equal(truncate(desk->path, (off_t)len - 1), 0);
        ledger = NULL;
        assert_int_equal(ledger_writer_open(desk->directory, 20, &desk->writer, &err), 0);
        desk_record(desk, A, 20);
        ledger = desk_read(desk);
        assert_int_equal(ledger_damaged_line(ledger), 0);
        assert_int_equal(ledger_find(ledger, slice_of("a.example"))->latest->from_unix_s, 20);
        ledger_free(ledger);
        assert_int_equal(desk_size(desk), size);
    }
    desk_close(desk);
}

/* As on a full disk: nothing is half written, and the next call makes good for it. */
static void test_full(void **state)
{
    struct desk *desk = desk_open();
    struct config *config = config_of(B);
    struct rlimit limit;
    struct ledger *ledger;
    struct err err;
    size_t size;

    (void)state;
    desk_record(desk, A, 10);
    size = desk_size(desk);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){size + 30, limit.rlim_max}), 0);
    assert_int_equal(ledger_writer_record(desk->writer, config, 20, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(desk_size(desk), size);
    assert_int_equal(ledger_writer_record(desk->writer, config, 30, &err), 0);
    ledger = desk_read(desk);
    assert_int_equal(ledger_find(ledger, slice_of("a.example"))->latest->until_unix_s, 30);
    ledger_free(ledger);
    config_unref(config);
    desk_close(desk);
}

static void test_two_processes(void **state)
{
    struct desk *desk = desk_open();
    struct ledger_writer *second;
    char expected[160];
    struct err err;

    (void)state;
    assert_int_equal(ledger_writer_open(desk->directory, 5, &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    snprintf(expected, sizeof(expected), "'%s' is in use by another mta-stsd", desk->path);
    assert_string_equal(err.msg, expected);
    desk_close(desk);
}

/* A file of somebody else is left alone. */
static void test_foreign_file(void **state)
{
    struct desk *desk = desk_open();
    struct ledger_writer *writer;
    struct err err;
    FILE *out;

    (void)state;
    ledger_writer_close(desk->writer);
    desk->writer = NULL;
    out = fopen(desk->path, "w");
    fputs("Dear diary,\n", out);
    fclose(out);
    assert_int_equal(ledger_writer_open(desk->directory, 5, &writer, &err), -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_int_equal(desk_size(desk), strlen("Dear diary,\n"));
    desk_close(desk);
}

/* A large ledger forgets what ended long ago, and only that. */
static void test_forgotten(void **state)
{
    const int64_t day_s = 24 * 60 * 60, now = 1000 * day_s;
    struct desk *desk = desk_open();
    const struct ledger_domain *domain;
    struct ledger *ledger;
    struct err err;
    size_t size = 0;
    FILE *out;

    (void)state;
    desk_record(desk, A, now - 900 * day_s);
    desk_record(desk, A_ENFORCE, now - 500 * day_s);
    desk_record(desk, A, now - 300 * day_s);
    ledger_writer_close(desk->writer);
    out = fopen(desk->path, "a");
    fprintf(out, "1 fetchable a.example\n");
    while (size < LEDGER_LARGE)
        size += (size_t)fprintf(out, "1 ends %0*d.example\n", 1000, 0);
    fclose(out);
    assert_int_equal(ledger_writer_open(desk->directory, now, &desk->writer, &err), 0);
    assert_true(desk_size(desk) < 1000);
    ledger = desk_read(desk);
    domain = ledger_find(ledger, slice_of("a.example"));
    assert_int_equal(domain->fetchable_unix_s, 1);
    assert_int_equal(domain->latest->from_unix_s, now - 300 * day_s);
    assert_int_equal(domain->latest->until_unix_s, 0);
    assert_int_equal(domain->latest->earlier->until_unix_s, now - 300 * day_s);
    assert_null(domain->latest->earlier->earlier);
    ledger_free(ledger);
    desk_record(desk, B, now); /* the new file is the one that is written */
    ledger = desk_read(desk);
    assert_non_null(ledger_find(ledger, slice_of("b.example")));
    ledger_free(ledger);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),        cmocka_unit_test(test_fetchable),
        cmocka_unit_test(test_half_a_line),   cmocka_unit_test(test_full),
        cmocka_unit_test(test_two_processes), cmocka_unit_test(test_foreign_file),
        cmocka_unit_test(test_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
