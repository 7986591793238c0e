/* SPDX-License-Identifier: MIT */
#include "daemon/confine/allowed_paths.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    NAMES_MAX = 4,
    ENTRIES_MAX = 8,
};

/* Paths are relative to a folder of the test's own, which is also the working directory. */
static const struct {
    const char *what;
    const char *tree[ENTRIES_MAX]; /* "d/" a directory, "f" a file, "l>target" a link */
    const char *config_path;       /* NULL: "etc/mta-stsd.yaml" */
    const char *includes[NAMES_MAX];
    const char *chains[NAMES_MAX];
    const char *listen[NAMES_MAX]; /* unix sockets */
    const char *read[NAMES_MAX];   /* wanted; "." is the folder */
    const char *sockets[NAMES_MAX];
} cases[] = {
    {.what = "the main file alone", .tree = {"etc/"}, .read = {"etc"}},
    {.what = "standard input", .config_path = "-"},
    {.what = "the main file in the working directory",
     .config_path = "mta-stsd.yaml",
     .read = {"."}},
    {.what = "the main file is a link",
     .tree = {"etc/", "git/", "git/real.yaml", "etc/mta-stsd.yaml>../git/real.yaml"},
     .read = {"etc", "git"}},
    {.what = "an include below",
     .tree = {"etc/", "etc/domains.d/"},
     .includes = {"domains.d/*.yaml"},
     .read = {"etc"}},
    {.what = "an include beside, matching nothing yet",
     .tree = {"etc/", "more/"},
     .includes = {"../more/*.yaml"},
     .read = {"etc", "more"}},
    {.what = "an include of one file",
     .tree = {"etc/", "more/", "more/a.yaml"},
     .includes = {"../more/a.yaml"},
     .read = {"etc", "more"}},
    {.what = "a wildcard for directories",
     .tree = {"etc/", "more/", "more/a/", "more/a/x.yaml"},
     .includes = {"../more/*/x.yaml"},
     .read = {"etc", "more"}},
    {.what = "an included file that is a link",
     .tree = {"etc/", "git/", "git/a.yaml", "etc/a.yaml>../git/a.yaml"},
     .includes = {"a*.yaml"},
     .read = {"etc", "git"}},
    {.what = "{host} as a directory",
     .tree = {"etc/", "certs/"},
     .chains = {"certs/{host}/fullchain.pem"},
     .read = {"etc", "certs"}},
    {.what = "{host} within a name",
     .tree = {"etc/", "certs/"},
     .chains = {"certs/mta-{host}.pem"},
     .read = {"etc", "certs"}},
    {.what = "{domain} within a name",
     .tree = {"etc/", "certs/"},
     .chains = {"certs/{domain}/fullchain.pem"},
     .read = {"etc", "certs"}},
    {.what = "a wildcard of certificates",
     .tree = {"etc/", "certs/", "certs/a/"},
     .chains = {"certs/a*/{host}.pem"},
     .read = {"etc", "certs"}},
    {.what = "{host} at once", .tree = {"etc/"}, .chains = {"{host}/chain.pem"}, .read = {"."}},
    {.what = "certbot's live, whose links lead to archive",
     .tree = {"etc/", "le/", "le/live/", "le/archive/"},
     .chains = {"le/live/{host}/fullchain.pem"},
     .read = {"etc", "le"}},
    {.what = "certbot's live behind a link",
     .tree = {"etc/", "le/", "le/live/", "here>le/live"},
     .chains = {"here/{host}/fullchain.pem"},
     .read = {"etc", "le"}},
    {.what = "alive is not live",
     .tree = {"etc/", "le/", "le/alive/"},
     .chains = {"le/alive/{host}.pem"},
     .read = {"etc", "le/alive"}},
    {.what = "one certificate that is a link to certbot's",
     .tree = {"etc/", "le/", "le/archive/", "le/archive/1.pem", "etc/x.pem>../le/archive/1.pem"},
     .chains = {"etc/x.pem"},
     .read = {"etc", "le/archive"}},
    {.what = "Kubernetes' ..data",
     .tree = {"etc/", "tls/", "tls/..1/", "tls/..1/tls.crt", "tls/..data>..1",
              "tls/tls.crt>..data/tls.crt"},
     .chains = {"tls/tls.crt"},
     .read = {"etc", "tls"}},
    {.what = "a directory that is not there yet",
     .tree = {"etc/", "srv/"},
     .chains = {"srv/a/b/{host}.pem"},
     .read = {"etc", "srv"}},
    {.what = "a later directory holds the earlier ones",
     .tree = {"etc/", "le/", "le/a/", "le/b/"},
     .chains = {"le/a/{host}.pem", "le/b/{host}.pem", "le/{host}.pem"},
     .read = {"etc", "le"}},
    {.what = "a name that begins like another is not below it",
     .tree = {"etc/", "le/", "le2/"},
     .chains = {"le/{host}.pem", "le2/{host}.pem"},
     .read = {"etc", "le", "le2"}},
    {.what = "unix sockets",
     .tree = {"etc/", "run/"},
     .listen = {"run/http.sock"},
     .read = {"etc"},
     .sockets = {"run"}},
};

static int set_up(void **state)
{
    char *folder = strdup("/tmp/mta-stsd.XXXXXX");

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    *state = folder;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    return walk->level == 0 ? 0 : remove(path);
}

static void clear(const char *folder)
{
    assert_int_equal(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int tear_down(void **state)
{
    clear(*state);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

static void make_entry(const char *entry)
{
    char path[64];
    char *mark;

    snprintf(path, sizeof(path), "%s", entry);
    mark = strchr(path, '>');
    if (mark) {
        *mark = '\0';
        assert_int_equal(symlink(mark + 1, path), 0);
    } else if (path[strlen(path) - 1] == '/') {
        assert_int_equal(mkdir(path, 0755), 0);
    } else {
        fclose(fopen(path, "w"));
    }
}

static size_t count(const char *const *names)
{
    size_t n = 0;

    while (n < NAMES_MAX && names[n])
        n++;
    return n;
}

/* Whether `path` is `name` within the folder. */
static bool is_named(const char *folder, const char *path, const char *name)
{
    size_t len = strlen(folder);

    if (strncmp(path, folder, len) != 0)
        return false;
    if (strcmp(name, ".") == 0)
        return path[len] == '\0';
    return path[len] == '/' && strcmp(path + len + 1, name) == 0;
}

static bool is_right(size_t row, const char *folder, const struct allowed_paths *allowed)
{
    bool is_right = allowed->n_read == count(cases[row].read) &&
                    allowed->n_sockets == 1 + count(cases[row].sockets);

    for (size_t i = 0; i < allowed->n_read && is_right; i++)
        is_right = is_named(folder, allowed->read[i].actual, cases[row].read[i]);
    /* The first is the control socket's, "/". */
    for (size_t i = 1; i < allowed->n_sockets && is_right; i++)
        is_right = is_named(folder, allowed->sockets[i], cases[row].sockets[i - 1]);
    if (is_right)
        return true;
    print_error("row %zu, %s: in %s, seen", row, cases[row].what, folder);
    for (size_t i = 0; i < allowed->n_read; i++)
        print_error(" %s", allowed->read[i].actual);
    print_error(", sockets");
    for (size_t i = 0; i < allowed->n_sockets; i++)
        print_error(" %s", allowed->sockets[i]);
    print_error("\n");
    return false;
}

static bool try(size_t row, const char *folder)
{
    const char *config_path = cases[row].config_path;
    struct cert_source sources[NAMES_MAX];
    struct listen_address listen[NAMES_MAX];
    struct config config = {
        .includes = cases[row].includes,
        .n_includes = count(cases[row].includes),
        .sources = sources,
        .n_sources = count(cases[row].chains),
        .listen = listen,
        .n_listen = count(cases[row].listen),
        .control = "/control.sock",
    };
    struct allowed_paths *allowed;
    bool result;

    for (size_t i = 0; i < ENTRIES_MAX && cases[row].tree[i]; i++)
        make_entry(cases[row].tree[i]);
    for (size_t i = 0; i < config.n_sources; i++)
        sources[i] = (struct cert_source){cases[row].chains[i], cases[row].chains[i]};
    for (size_t i = 0; i < config.n_listen; i++)
        listen[i] = (struct listen_address){.kind = LISTEN_UNIX, .host = cases[row].listen[i]};
    allowed = allowed_paths_new(&config, config_path ? config_path : "etc/mta-stsd.yaml");
    result = is_right(row, folder, allowed);
    allowed_paths_free(allowed);
    clear(folder);
    return result;
}

static void test_cases(void **state)
{
    char *folder = realpath(*state, NULL);
    int n_failed = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        n_failed += !try(i, folder);
    free(folder);
    assert_int_equal(n_failed, 0);
}

static void test_outside(void **state)
{
    static const struct {
        const char *chain; /* of the next configuration; the first has a/ and was/ */
        bool is_outside;
    } rows[] = {
        {"a/{host}.pem", false},   {"a/b/{host}.pem", false},    {"a/b/c/{host}.pem", false},
        {"{host}.pem", true},      {"ab/{host}.pem", true},      {"link/{host}.pem", false},
        {"gone/{host}.pem", true}, {"a/gone/{host}.pem", false}, {"was/{host}.pem", false},
    };
    struct cert_source source = {"a/{host}.pem", "was/{host}.pem"};
    struct config config = {.control = "/control.sock", .sources = &source, .n_sources = 1};
    struct allowed_paths *allowed;
    int n_failed = 0;

    (void)state;
    make_entry("a/");
    make_entry("a/b/");
    make_entry("ab/");
    make_entry("link>a/b");
    make_entry("was/");
    allowed = allowed_paths_new(&config, "-");
    assert_int_equal(rmdir("was"), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_source next_source = {rows[i].chain, rows[i].chain};
        struct config next_config = {
            .control = "/control.sock", .sources = &next_source, .n_sources = 1};
        struct allowed_paths *next = allowed_paths_new(&next_config, "-");
        const char *outside = allowed_paths_find_outside(allowed, next);

        if ((outside != NULL) != rows[i].is_outside) {
            print_error("row %zu, %s: seen %s\n", i, rows[i].chain, outside ? outside : "nothing");
            n_failed++;
        }
        allowed_paths_free(next);
    }
    allowed_paths_free(allowed);
    assert_int_equal(n_failed, 0);
}

/* All of /etc, or of /, does not stand in for a directory that is to be made in it. */
static void test_missing(void **state)
{
    static const char *const chains[] = {"/etc/mta-stsd-missing/live/{host}/chain.pem",
                                         "/mta-stsd-missing/{host}.pem"};
    struct cert_source sources[] = {{chains[0], chains[0]}, {chains[1], chains[1]}};
    struct config config = {.control = "/control.sock", .sources = sources, .n_sources = 1};
    struct allowed_paths *allowed = allowed_paths_new(&config, "-"), *next;

    (void)state;
    assert_int_equal(allowed->n_read, 0);
    assert_int_equal(allowed->n_missing, 1);
    assert_string_equal(allowed->missing[0], "/etc/mta-stsd-missing");
    assert_false(allowed_paths_contain(allowed, "/etc/passwd"));
    assert_null(allowed_paths_find_outside(allowed, allowed));
    config.n_sources = 2;
    next = allowed_paths_new(&config, "-");
    assert_int_equal(next->n_missing, 2);
    assert_string_equal(allowed_paths_find_outside(allowed, next), "/mta-stsd-missing");
    allowed_paths_free(next);
    allowed_paths_free(allowed);
}

/* What is everywhere holds everything. */
static void test_state(void **state)
{
    static const struct {
        const char *directory, *wanted;
    } rows[] = {
        {NULL, NULL}, {"/", "/"}, {"/usr/../tmp/.", "/tmp"}, {"/mta-stsd-test-never-made", NULL}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config config = {.control = "/control.sock", .state = rows[i].directory};
        struct allowed_paths *allowed = allowed_paths_new(&config, "-");

        if (!allowed->state != !rows[i].wanted ||
            (allowed->state && strcmp(allowed->state, rows[i].wanted) != 0))
            fail_msg("row %zu: seen %s", i, allowed->state ? allowed->state : "none");
        assert_int_equal(allowed->n_read, 0); /* none that a reload may name */
        allowed_paths_free(allowed);
    }
}

static void test_root(void **state)
{
    struct cert_source source = {"/{host}.pem", "/{host}.pem"};
    struct config config = {.control = "/control.sock", .sources = &source, .n_sources = 1};
    struct allowed_paths *allowed = allowed_paths_new(&config, "/etc/mta-stsd.yaml");

    (void)state;
    assert_int_equal(allowed->n_read, 1);
    assert_string_equal(allowed->read[0].actual, "/");
    assert_null(allowed_paths_find_outside(allowed, allowed));
    allowed_paths_free(allowed);
    allowed_paths_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outside, set_up, tear_down),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
