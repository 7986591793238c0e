/* SPDX-License-Identifier: MIT */
#include "reports/fetch_intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/state/fetch_count.h"
#include "support/stored.h"

#define KEEP_S (INT64_C(400) * 86400)

static void file_write(const struct stored *stored, const char *text)
{
    char path[96];
    FILE *out;

    snprintf(path, sizeof(path), "%s/" FETCHES_FILE, stored->directory);
    out = fopen(path, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static bool file_is_there(const struct stored *stored)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/" FETCHES_FILE, stored->directory);
    return access(path, F_OK) == 0;
}

static void take(const struct stored *stored)
{
    struct err err;

    assert_int_equal(
        fetch_intake_take(stored->database, stored->directory, STORED_NOW, KEEP_S, &err), 0);
    assert_false(file_is_there(stored));
}

static void test_sums(void **state)
{
    struct arena *arena = arena_new(0);
    struct policy_fetchers fetchers;
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    take(&stored); /* there is none */
    file_write(&stored, "mta-stsd fetches 1 1\n"
                        "a.example google 2 1727990000 1727990100 192.0.2.0/24\n"
                        "a.example none 1 1727990000 1727990000 -\n"
                        "damaged\n"
                        "b.example other 1 1727990000 1727990000 -\n");
    take(&stored);
    file_write(&stored, "mta-stsd fetches 1 2\n"
                        "a.example google 3 1727990200 1727990300 198.51.100.0/24\n");
    take(&stored);
    assert_int_equal(fetch_intake_find(stored.database, "a.example", arena, &fetchers, &err), 0);
    assert_int_equal(fetchers.n, 2);
    assert_int_equal(fetchers.list[0].sender, FETCH_SENDER_GOOGLE);
    assert_int_equal(fetchers.list[0].n, 5);
    assert_int_equal(fetchers.list[0].first_unix_s, 1727990000);
    assert_int_equal(fetchers.list[0].last_unix_s, 1727990300);
    assert_string_equal(fetchers.list[0].prefix, "198.51.100.0/24");
    assert_int_equal(fetchers.list[1].sender, FETCH_SENDER_NONE);
    assert_int_equal(fetch_intake_find(stored.database, "c.example", arena, &fetchers, &err), 0);
    assert_int_equal(fetchers.n, 0);
    arena_free(arena);
    stored_close(&stored);
}

/* The program may have ended between its commit and the removal. */
static void test_twice(void **state)
{
    struct stored stored;

    (void)state;
    stored_open(&stored);
    for (int i = 0; i < 2; i++) {
        file_write(&stored, "mta-stsd fetches 1 7\na.example google 2 1727990000 1727990100 -\n");
        take(&stored);
    }
    assert_int_equal(stored_number(&stored, "SELECT sum(n) FROM fetch"), 2);
    stored_close(&stored);
}

static void test_foreign_file(void **state)
{
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    file_write(&stored, "a.example google 2 1727990000 1727990100 -\n");
    assert_int_equal(fetch_intake_take(stored.database, stored.directory, STORED_NOW, KEEP_S, &err),
                     -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM fetch"), 0);
    assert_true(file_is_there(&stored));
    file_write(&stored, "mta-stsd fetches 1 1\n");
    take(&stored);
    stored_close(&stored);
}

static void test_expires(void **state)
{
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    file_write(&stored, "mta-stsd fetches 1 1\na.example google 2 1000 2000 -\n"
                        "b.example google 2 1000 1727990100 -\n");
    assert_int_equal(fetch_intake_take(stored.database, stored.directory, STORED_NOW, KEEP_S, &err),
                     0);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM fetch"), 1);
    stored_close(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_foreign_file),
        cmocka_unit_test(test_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
