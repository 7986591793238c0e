/* SPDX-License-Identifier: MIT */
#include "reports/site_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/site_assets.h"

static char parent[] = "/tmp/site-output-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned n;
    char *path = paths[n++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", parent, name);
    return path;
}

static bool exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void write_site(const char *file)
{
    struct site_output *output;
    struct err err;
    FILE *out;

    assert_int_equal(site_output_open(path_of("site"), &output, &err), 0);
    out = site_output_begin(output, file, &err);
    assert_non_null(out);
    fputs("text", out);
    assert_int_equal(site_output_end(output, &err), 0);
    assert_false(exists(file));
    assert_int_equal(site_output_publish(output, &err), 0);
    site_output_free(output);
}

static void remove_site(const char *file)
{
    char name[64];

    snprintf(name, sizeof(name), "site/%s", file);
    assert_int_equal(unlink(path_of(name)), 0);
    assert_int_equal(rmdir(path_of("site")), 0);
}

static void test_replace(void **state)
{
    (void)state;
    write_site("index.html");
    assert_true(exists("site/index.html"));
    write_site("data-a.js");
    assert_true(exists("site/data-a.js"));
    assert_false(exists("site/index.html"));
    assert_false(exists("site.new"));
    remove_site("data-a.js");
}

/* What is not published leaves the old one, and nothing beside it. */
static void test_unfinished(void **state)
{
    struct site_output *output;
    struct err err;

    (void)state;
    write_site("index.html");
    assert_int_equal(site_output_open(path_of("site"), &output, &err), 0);
    assert_non_null(site_output_begin(output, "data-b.js", &err));
    site_output_free(output);
    assert_true(exists("site/index.html"));
    assert_false(exists("site.new"));
    site_output_free(NULL);
    remove_site("index.html");
}

static void test_two(void **state)
{
    struct site_output *first, *second;
    struct err err;

    (void)state;
    assert_int_equal(site_output_open(path_of("site"), &first, &err), 0);
    assert_int_equal(site_output_open(path_of("site"), &second, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "is being written by another run"));
    assert_true(exists("site.new"));
    site_output_free(first);
    assert_false(exists("site.new"));
}

static void test_foreign(void **state)
{
    static const char *const names[] = {"mine.txt", "data-.txt", "data", ".data-a.js", "index.htm"};
    struct site_output *output;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char name[64];

        snprintf(name, sizeof(name), "site/%s", names[i]);
        assert_int_equal(mkdir(path_of("site"), 0700), 0);
        assert_int_equal(mkdir(path_of(name), 0700), 0);
        if (site_output_open(path_of("site"), &output, &err) == 0 || err.code != ERR_CONFIG)
            fail_msg("row %zu: a folder with '%s' was taken", i, names[i]);
        assert_int_equal(rmdir(path_of(name)), 0);
        assert_int_equal(rmdir(path_of("site")), 0);
    }
}

/* A full disk is said, when it is noticed. */
static void test_full(void **state)
{
    struct site_output *output;
    struct err err;

    (void)state;
    assert_int_equal(site_output_open(path_of("site"), &output, &err), 0);
    assert_int_equal(symlink("/dev/full", path_of("site.new/data-a.js")), 0);
    assert_null(site_output_begin(output, "data-a.js", &err)); /* nor is a link followed */
    assert_int_equal(err.code, ERR_IO);
    site_output_free(output);
    assert_false(exists("site.new"));
}

static void test_assets(void **state)
{
    bool has_page = false;

    (void)state;
    for (size_t i = 0; i < site_assets_count(); i++) {
        const struct site_asset *asset = site_assets_at(i);

        has_page |= strcmp(asset->name, "index.html") == 0;
        assert_true(asset->bytes.len > 100);
    }
    assert_true(has_page);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(parent) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace), cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_two),     cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_full),    cmocka_unit_test(test_assets)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
