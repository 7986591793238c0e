/* SPDX-License-Identifier: MIT */
#include "lib/config/include.h"

#include <fcntl.h>
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

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/yaml/decode.h"
#include "support/fixture.h"

/* A folder of the test's own; its name has what a pattern would take as its own. */
static char folder[] = "/tmp/mta-stsd[x]*?-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name)
{
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    make_file("main.yaml");
    assert_int_equal(mkdir(in_folder("d"), 0700), 0);
    make_file("d/b.yaml");
    make_file("d/a.yaml");
    make_file("d/B.yaml");
    make_file("d/.hidden.yaml");
    make_file("d/a.yaml~");
    make_file("d/[a].yaml");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(symlink("main.yaml", in_folder("main-again.yaml")), 0);
    assert_int_equal(symlink("a.yaml", in_folder("d/c.yaml")), 0);
    assert_int_equal(symlink("loop", in_folder("loop")), 0);
    assert_int_equal(symlink("nowhere", in_folder("dangling.yaml")), 0);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {
        "d/b.yaml", "d/a.yaml",  "d/B.yaml",        "d/.hidden.yaml", "d/a.yaml~", "d/[a].yaml",
        "d/c.yaml", "main.yaml", "main-again.yaml", "loop",           "fifo",      "dangling.yaml",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(in_folder(names[i]));
    rmdir(in_folder("d"));
    return rmdir(folder);
}

/* The files that the patterns lead to, a line each, and what is found; "." is the folder. */
static char *find(const char *const *patterns, size_t n_patterns)
{
    struct field_text items[3] = {0};
    struct field_texts texts = {items, n_patterns, {"main", 1, 1}};
    struct arena *arena = arena_new(0);
    struct diag *diag = diag_new(&config_findings);
    struct include_files files;
    char *findings, *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    int result;

    for (size_t i = 0; i < n_patterns; i++)
        items[i] = (struct field_text){slice_of(patterns[i]), {"main", (uint32_t)i + 1, 1}};
    result = include_files_find(in_folder("main.yaml"), &texts, arena, diag, &files);
    assert_int_equal(result, diag_count(diag, LEVEL_ERROR) > 0 ? -1 : 0);
    for (size_t i = 0; i < files.n_items; i++) {
        assert_true(slice_starts_with(slice_of(files.items[i].path), folder));
        fprintf(out, "%u .%s\n", files.items[i].asked_at.line,
                files.items[i].path + strlen(folder));
    }
    findings = fixture_findings(diag, folder, ".");
    fputs(findings, out);
    free(findings);
    fclose(out);
    diag_free(diag);
    arena_free(arena);
    return text;
}

static void test_patterns(void **state)
{
    static const struct {
        const char *patterns[3], *want;
    } rows[] = {
        {{"d/a.yaml"}, "1 ./d/a.yaml\n"},
        {{"d/[ab].yaml"}, "1 ./d/a.yaml\n1 ./d/b.yaml\n"},
        {{"d/?.yaml", "d/\\[a].yaml"},
         "1 ./d/B.yaml\n1 ./d/a.yaml\n1 ./d/b.yaml\n2 ./d/[a].yaml\n"
         "main:1:1: error: include: './d/c.yaml' is included already; each file is read once, so "
         "drop or change this pattern [bad-value]\n"},
        {{"d/b.yaml", "d/a.yaml"}, "1 ./d/b.yaml\n2 ./d/a.yaml\n"},
        {{"d/a.yaml", "", "./d/../d/a.yaml"},
         "1 ./d/a.yaml\n"
         "main:3:1: error: include: '././d/../d/a.yaml' is included already; each file is read "
         "once, so drop or change this pattern [bad-value]\n"},
        {{"d/none.yaml", "none/*.yaml"},
         "main:1:1: error: include: './d/none.yaml' matches no file; fix it or take it out "
         "(relative ones begin in the main file's folder) [include-empty]\n"
         "main:2:1: error: include: './none/*.yaml' matches no file; fix it or take it out "
         "(relative ones begin in the main file's folder) [include-empty]\n"},
        {{"main*.yaml"},
         "main:1:1: error: include: './main-again.yaml' is the main file itself; keep the included "
         "files in a folder of their own [bad-value]\n"
         "main:1:1: error: include: './main.yaml' is the main file itself; keep the included files "
         "in a folder of their own [bad-value]\n"},
        {{"loop/*.yaml"},
         "main:1:1: error: include: './loop/*.yaml' leads into a directory that cannot be read "
         "[file-unreadable]\n"},
        {{"main.yaml/*.yaml"},
         "main:1:1: error: include: './main.yaml/*.yaml' matches no file; fix it or take it out "
         "(relative ones begin in the main file's folder) [include-empty]\n"},
        {{"d", "/dev/null", "fifo"},
         "main:1:1: error: include: './d' is a directory, pipe or device; only files are included "
         "[file-unreadable]\n"
         "main:2:1: error: include: '/dev/null' is a directory, pipe or device; only files are "
         "included [file-unreadable]\n"
         "main:3:1: error: include: './fifo' is a directory, pipe or device; only files are "
         "included [file-unreadable]\n"},
        /* Reading it says what is wrong. */
        {{"dangling.yam?"}, "1 ./dangling.yaml\n"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n_patterns = 0;
        char *seen;

        while (n_patterns < ARRAY_LEN(rows[i].patterns) && rows[i].patterns[n_patterns])
            n_patterns++;
        seen = find(rows[i].patterns, n_patterns);
        n_failed += !fixture_equal(rows[i].patterns[0], rows[i].want, seen);
        free(seen);
    }
    assert_int_equal(n_failed, 0);
}

/* A pattern that begins at the root does not care where the main file is. */
static void test_absolute(void **state)
{
    struct field_text item = {slice_of(TEST_DATA "/config/good/minimal.y?ml"), {"main", 1, 1}};
    struct field_texts texts = {&item, 1, {"main", 1, 1}};
    struct arena *arena = arena_new(0);
    struct diag *diag = diag_new(&config_findings);
    struct include_files files;

    (void)state;
    assert_int_equal(include_files_find("a/b.yaml", &texts, arena, diag, &files), 0);
    assert_int_equal(files.n_items, 1);
    assert_string_equal(files.items[0].path, TEST_DATA "/config/good/minimal.yaml");
    item.text = slice_of("none.yaml");
    assert_int_equal(include_files_find("-", &texts, arena, diag, &files), -1);
    assert_int_equal(files.n_items, 0);
    diag_free(diag);
    arena_free(arena);
}

static void test_too_many(void **state)
{
    struct field_text items[] = {{{"many/*", 6}, {"main", 1, 1}},
                                 {{"main.yaml", 9}, {"main", 2, 1}},
                                 {{"main.yaml", 9}, {"main", 3, 1}}};
    struct field_texts texts = {items, 1, {"main", 1, 1}};
    struct arena *arena = arena_new(0);
    struct diag *diag = diag_new(&config_findings);
    struct include_files files;
    char name[32], *findings;

    (void)state;
    assert_int_equal(mkdir(in_folder("many"), 0700), 0);
    for (int i = 0; i < CONFIG_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "many/%05d", i);
        make_file(name);
    }
    assert_int_equal(include_files_find(in_folder("main.yaml"), &texts, arena, diag, &files), 0);
    assert_int_equal(files.n_items, CONFIG_FILES_MAX);
    texts.n_items = ARRAY_LEN(items);
    assert_int_equal(include_files_find(in_folder("main.yaml"), &texts, arena, diag, &files), -1);
    assert_int_equal(files.n_items, CONFIG_FILES_MAX);
    findings = fixture_findings(diag, folder, ".");
    assert_string_equal(findings, "main:2:1: error: include: more than 10000 files are included; "
                                  "put several into one [too-large]\n");
    for (int i = 0; i < CONFIG_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "many/%05d", i);
        unlink(in_folder(name));
    }
    rmdir(in_folder("many"));
    free(findings);
    diag_free(diag);
    arena_free(arena);
}

static void make_hidden(void)
{
    make_file("d/.new.yaml");
}

static void make_another(void)
{
    make_file("d/new.yaml");
}

static void remove_one(void)
{
    assert_int_equal(unlink(in_folder("d/B.yaml")), 0);
}

static void rename_one(void)
{
    remove_one();
    make_another();
}

/* The findings at the end of a load in which `change` has come to pass. */
static char *find_after(void (*change)(void))
{
    struct field_text items[] = {{slice_of("d/a.yaml"), {"main", 1, 1}},
                                 {slice_of(""), {"main", 2, 1}},
                                 {slice_of("d/[!ac]*.yaml"), {"main", 3, 1}}};
    struct field_texts texts = {items, ARRAY_LEN(items), {"main", 1, 1}};
    struct arena *arena = arena_new(0);
    struct diag *diag = diag_new(&config_findings);
    struct include_files files;
    char *findings;

    assert_int_equal(include_files_find(in_folder("main.yaml"), &texts, arena, diag, &files), 0);
    change();
    include_files_check(in_folder("main.yaml"), &texts, arena, &files, diag);
    findings = fixture_findings(diag, folder, ".");
    diag_free(diag);
    arena_free(arena);
    return findings;
}

static void test_other_files_at_the_end(void **state)
{
    static const char finding[] =
        "main:3:1: error: include: './d/[!ac]*.yaml' matches other files than when the "
        "configuration was read; try again [file-unreadable]\n";
    static const struct {
        const char *what;
        void (*change)(void);
        const char *want;
    } rows[] = {
        {"hidden", make_hidden, ""},
        {"another", make_another, finding},
        {"one fewer", remove_one, finding},
        {"renamed", rename_one, finding},
    };
    int n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = find_after(rows[i].change);

        n_failed += !fixture_equal(rows[i].what, rows[i].want, seen);
        free(seen);
        unlink(in_folder("d/.new.yaml"));
        unlink(in_folder("d/new.yaml"));
        make_file("d/B.yaml");
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_absolute),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_other_files_at_the_end),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
