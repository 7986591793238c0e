/* SPDX-License-Identifier: MIT */
/*
 * What is read, and what files cost that nobody would write: each of them has a clear answer
 * within bounds of time and memory. How mistakes are reported is shown by data/config.
 */
#include "lib/config/parse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/config/sample.h"

/* The texts of each domain in the order of the file, as one line. */
static void print_domain(void *context, const struct raw_domain *domain)
{
    fprintf(context, "%s (%s) line %u policy %s mta_sts %u zone %s%s\n", domain->name, domain->path,
            domain->place.line, domain->policy.text.ptr ? domain->policy.text.ptr : "-",
            domain->mta_sts.value, domain->zone.text.ptr ? domain->zone.text.ptr : "-",
            domain->is_broken ? " broken" : "");
}

static char *parsed_domains(struct sample *sample)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    raw_config_parse_domains(&sample->raw, sample->arena, sample->diag, print_domain, out);
    fclose(out);
    return text;
}

static void test_entries(void **state)
{
    struct sample sample = sample_open("workers: 3\n"
                                       "domains:\n"
                                       "  B.example.: p\n"
                                       "  a.example: {policy: p, mta_sts: false, zone: example}\n"
                                       "  b_c.example: p\n"
                                       "  d.example: {mode: nothing}\n"
                                       "policies:\n"
                                       "  p: {mx: [a.example]}\n"
                                       "  q: {mode: none, max_age: }\n");
    struct raw_config *raw = &sample.raw;
    const struct named_policy *policies;
    char *domains;

    (void)state;
    raw_config_read(sample.file.path, 0, sample.arena, sample.arena, sample.diag, raw);
    policies = raw->policies.items;
    assert_string_equal(raw->name, sample.file.path);
    assert_false(raw->is_cut);
    assert_int_equal(raw->settings.workers.value, 3);
    assert_int_equal(raw->policies.n_items, 2);
    assert_string_equal(policies[0].name.text.ptr, "p");
    assert_string_equal(policies[0].path, "policies.p");
    assert_int_equal(policies[0].keys.mx.n_items, 1);
    assert_false(policies[0].is_incomplete);
    assert_true(policies[1].is_incomplete);
    assert_int_equal(policies[1].name.place.line, 9);
    /* Only the second pass says what is wrong. */
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), 0);
    domains = parsed_domains(&sample);
    assert_string_equal(domains,
                        "b.example (domains.b.example) line 3 policy p mta_sts 1 zone -\n"
                        "a.example (domains.a.example) line 4 policy p mta_sts 0 zone example\n"
                        "d.example (domains.d.example) line 6 policy - mta_sts 1 zone - broken\n");
    assert_int_equal(diag_count(sample.diag, LEVEL_ERROR), 3);
    assert_int_equal(raw->policies.n_items, 2);
    free(domains);
    sample_done(&sample);
}

/* Included files are read after the main one, and places know which file they are in. */
static void test_include(void **state)
{
    struct diag *diag = diag_new(&config_findings);
    struct arena *arena = arena_new(0);
    struct raw_config raw = {0};

    (void)state;
    raw_config_read(TEST_DATA "/config/good/include.yaml", 0, arena, arena, diag, &raw);
    assert_false(raw.is_cut);
    assert_int_equal(raw.n_files, 4);
    assert_string_equal(raw.files[0].name, TEST_DATA "/config/good/include.yaml");
    assert_string_equal(raw.files[2].name, TEST_DATA "/config/good/include.d/b.yaml");
    assert_int_equal(raw.policies.n_items, 1);
    raw_config_done(&raw);
    arena_free(arena);
    diag_free(diag);
}

/* A pipe is read once, and a policy at its end is known to a domain at its beginning. */
static void test_pipe(void **state)
{
    static const char yaml[] = "policy_host: {name: p.example}\n"
                               "domains: {a.example: p}\n"
                               "policies: {p: {mx: [mx.example]}}\n";
    struct diag *diag = diag_new(&config_findings);
    struct config *config;
    char path[32];
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], yaml, sizeof(yaml) - 1), sizeof(yaml) - 1);
    close(fds[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
    config = config_load(path, diag);
    assert_non_null(config);
    assert_string_equal(config->domains[0].policy_name, "p");
    config_unref(config);
    diag_free(diag);
    close(fds[0]);
}

/* When is_cut says that a part of the configuration may be missing. */
static void test_cut(void **state)
{
    static const struct {
        const char *yaml;
        bool is_cut;
    } rows[] = {
        {"workers: x\ndomains: x\n", false},
        {"", true},
        {"[]", true},
        {"workers: [", true},
        {"workers: 1\n---\n", true},
        {"include: [/nonexistent/*.yaml]", true},
        {"include: [" TEST_DATA "]", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_read(rows[i].yaml);

        if (sample.raw.is_cut != rows[i].is_cut)
            fail_msg("row %zu (%s): wanted %d, saw %d", i, rows[i].yaml, rows[i].is_cut,
                     sample.raw.is_cut);
        sample_done(&sample);
    }
}

enum {
    MIB = 1024 * 1024,
};

#define GOOD "policy_host: {name: p.example}\ndomains: {a.example: {mx: [a.example]}}\n"

static void repeat(FILE *out, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        fputs(text, out);
}

static void fill(FILE *out, size_t size)
{
    static const char spaces[] = "#                                                             \n";

    for (size_t len = sizeof(GOOD) - 1; len < size; len += sizeof(spaces) - 1)
        fwrite(spaces, 1, size - len < sizeof(spaces) - 1 ? size - len : sizeof(spaces) - 1, out);
}

static void largest(FILE *out)
{
    fputs(GOOD, out);
    fill(out, CONFIG_FILE_MAX);
}

static void too_large(FILE *out)
{
    fputs(GOOD, out);
    fill(out, CONFIG_FILE_MAX + 1);
}

static void deep_brackets(FILE *out)
{
    fputs("domains: {a.example: ", out);
    repeat(out, 100000, "[");
    repeat(out, 100000, "]");
    fputs("}\n", out);
}

static void deep_braces(FILE *out)
{
    fputs("unknown: ", out);
    repeat(out, 100000, "{");
}

static void deep_maps(FILE *out)
{
    fputs("domains: ", out);
    repeat(out, 100000, "{a: ");
}

static void deep_dashes(FILE *out)
{
    fputs("policies:\n  p:\n    mx:\n    ", out);
    repeat(out, 100000, "- ");
}

static void long_key(FILE *out)
{
    fputs("domains:\n  ? ", out);
    repeat(out, 60 * MIB, "k");
    fputs("\n  : x\n", out);
}

static void long_value(FILE *out)
{
    fputs("domains:\n  a.example: {mx: ['", out);
    repeat(out, 60 * MIB, "k");
    fputs("']}\n", out);
}

static void long_list(FILE *out)
{
    fputs("domains:\n  a.example:\n    mx:\n", out);
    repeat(out, MIB, "    - a.example\n");
}

static void many_includes(FILE *out)
{
    fputs(GOOD "include:\n", out);
    repeat(out, 100000, "- a.yaml\n");
}

static void many_allowed_includes(FILE *out)
{
    fputs(GOOD "include:\n", out);
    repeat(out, 1024, "- /nonexistent/a.yaml\n");
}

/* A billion laughs: ten lists, each ten times the one before it. */
static void laughs(FILE *out)
{
    fputs("policies:\n  p0: &p0 {mx: [a.example]}\n", out);
    for (int i = 1; i <= 10; i++) {
        fprintf(out, "  p%d: &p%d [", i, i);
        for (int j = 0; j < 10; j++)
            fprintf(out, "*p%d%s", i - 1, j < 9 ? "," : "]\n");
    }
    fputs("domains: {a.example: *p10}\n", out);
}

static void many_errors(FILE *out)
{
    fputs("domains:\n", out);
    for (int i = 0; i < 10000; i++)
        fprintf(out, "  a%05d.example: {mx: [a_b.example]}\n", i);
}

static void many_keys(FILE *out)
{
    for (int i = 0; i < 100000; i++)
        fprintf(out, "workerz%d: 1\n", i);
}

#define DEEP \
    "nested deeper than 16 levels, more than any key needs; is a bracket left open? [too-large]\n"
#define TOO_MANY \
    "found more values under one key than any can have; is a bracket left open? [too-large]\n"
#define SIXTY "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

/* `want` is how the findings begin. */
static void test_hostile(void **state)
{
    static const struct {
        void (*generate)(FILE *out);
        size_t n_errors;
        const char *want;
    } rows[] = {
        {largest, 0, ""},
        {too_large, 1,
         "f: error: the file is larger than 67108864 bytes; split it into several by include: "
         "[too-large]\n"},
        {deep_brackets, 1, "f:1:38: error: " DEEP},
        {deep_braces, 2, "f:1:1: error: 'unknown' is not a key; the keys here are "},
        {deep_maps, 2,
         "f:1:11: error: domains: 'a' has no dot; write the whole name of the domain [bad-name]\n"
         "f:1:78: error: " DEEP},
        {deep_dashes, 1, "f:4:35: error: " DEEP},
        {long_key, 1,
         "f:2:5: error: domains: '" SIXTY
         "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...' is no domain name: it "
         "is longer than 253 octets [bad-name]\n"},
        {long_value, 1,
         "f:2:20: error: domains.a.example.mx[0]: found a string of 62914560 bytes; at most 1024 "
         "are "
         "allowed [bad-value]\n"},
        {long_list, 1, "f:10002:7: error: " TOO_MANY},
        {many_includes, 1, "f:10003:3: error: " TOO_MANY},
        {many_allowed_includes, 1024,
         "f:4:3: error: include: '/nonexistent/a.yaml' matches no file; fix it or take it out "
         "(relative ones begin in the main file's folder) [include-empty]\n"},
        {laughs, 122, "f:2:7: error: the anchor '&p0' is not supported; "},
        {many_errors, 10000,
         "f:2:25: error: domains.a00000.example.mx[0]: 'a_b.example' has an underscore, which no "
         "host name has [mx-syntax]\n"},
        {many_keys, 100000, "f:1:1: error: 'workerz0' is not a key; did you mean 'workers'? "},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_open("");
        FILE *out = fopen(sample.file.path, "w");
        char *seen;

        rows[i].generate(out);
        fclose(out);
        sample.config = config_load(sample.file.path, sample.diag);
        seen = sample_findings(&sample);
        if (diag_count(sample.diag, LEVEL_ERROR) != rows[i].n_errors ||
            !slice_starts_with(slice_of(seen), rows[i].want)) {
            print_error("row %zu: %zu errors; wanted %s\nsaw %.1000s\n", i,
                        diag_count(sample.diag, LEVEL_ERROR), rows[i].want, seen);
            n_failed++;
        }
        free(seen);
        sample_done(&sample);
    }
    assert_int_equal(n_failed, 0);
}

/* A thousand errors are shown, the rest is counted. */
static void test_ten_thousand_errors(void **state)
{
    struct sample sample = sample_open("");
    FILE *out = fopen(sample.file.path, "w");
    size_t n_lines = 0;
    char *seen;

    (void)state;
    many_errors(out);
    fclose(out);
    sample.config = config_load(sample.file.path, sample.diag);
    assert_null(sample.config);
    seen = sample_findings(&sample);
    for (const char *at = seen; *at; at++)
        n_lines += *at == '\n';
    assert_int_equal(n_lines, DIAG_MAX + 1);
    assert_true(slice_ends_with(slice_of(seen), "\n... and 9000 more, not shown\n"));
    free(seen);
    sample_done(&sample);
}

struct writer {
    int fd;
    atomic_bool has_ended;
};

/* Writes the same byte again and again, as an editor in no hurry. */
static void *keep_writing(void *context)
{
    const struct writer *writer = context;

    while (!atomic_load(&writer->has_ended)) {
        assert_int_equal(pwrite(writer->fd, GOOD, 1, 0), 1);
        usleep(1000);
    }
    return NULL;
}

static void test_written_meanwhile(void **state)
{
    struct sample sample = sample_open("");
    struct writer writer = {.fd = sample.file.fd};
    FILE *out = fopen(sample.file.path, "w");
    pthread_t thread;
    char *seen;

    (void)state;
    largest(out);
    fclose(out);
    pthread_create(&thread, NULL, keep_writing, &writer);
    sample.config = config_load(sample.file.path, sample.diag);
    atomic_store(&writer.has_ended, true);
    pthread_join(thread, NULL);
    assert_null(sample.config);
    seen = sample_findings(&sample);
    assert_string_equal(
        seen, "f: error: the file has changed while the configuration was read; try again "
              "[file-unreadable]\n");
    free(seen);
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_ten_thousand_errors),
        cmocka_unit_test(test_written_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
