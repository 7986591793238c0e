/* SPDX-License-Identifier: MIT */
#include "reports/check_results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

enum {
    RESULTS_MAX = 512 * 1024 * 1024,
    FINDINGS_MAX = 50, /* of a domain; more would not be read */
};

struct known_kind {
    struct checked_kind kind;
    UT_hash_handle hh;
};

struct known_domain {
    struct checked_domain domain;
    UT_hash_handle hh;
};

struct check_results {
    struct arena *arena;
    struct known_kind *kinds;
    struct known_domain *domains;
    int64_t at_unix_s;
};

/* A copy of a member's text; "" if it is missing, as a later version may leave some out. */
static const char *results_copy(struct check_results *results, const json_t *object,
                                const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? arena_copy(results->arena, slice_of(text)) : "";
}

static const struct checked_kind *results_kind(struct check_results *results, const json_t *finding)
{
    const char *code = json_string_value(json_object_get(finding, "code"));
    struct known_kind *known;

    code = code ? code : "";
    HASH_FIND_STR(results->kinds, code, known);
    if (known)
        return &known->kind;
    known = arena_alloc(results->arena, sizeof(*known));
    known->kind = (struct checked_kind){.code = results_copy(results, finding, "code"),
                                        .meaning = results_copy(results, finding, "meaning"),
                                        .advice = results_copy(results, finding, "advice"),
                                        .severity = results_copy(results, finding, "severity")};
    HASH_ADD_KEYPTR(hh, results->kinds, known->kind.code, strlen(known->kind.code), known);
    return &known->kind;
}

static struct checked_domain results_domain(struct check_results *results, const json_t *object)
{
    const json_t *list = json_object_get(object, "findings");
    size_t n = json_array_size(list) < FINDINGS_MAX ? json_array_size(list) : FINDINGS_MAX;
    struct checked_finding *findings = arena_array(results->arena, n + 1, sizeof(*findings));

    for (size_t i = 0; i < n; i++) {
        const json_t *finding = json_array_get(list, i);
        bool has_subject = json_is_string(json_object_get(finding, "subject"));

        findings[i] = (struct checked_finding){
            .kind = results_kind(results, finding),
            .subject = has_subject ? results_copy(results, finding, "subject") : NULL,
            .text = results_copy(results, finding, "text")};
    }
    return (struct checked_domain){.verdict = results_copy(results, object, "verdict"),
                                   .text = results_copy(results, object, "text"),
                                   .findings = findings,
                                   .n_findings = n};
}

static void results_add(struct check_results *results, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "domain"));
    struct known_domain *known;

    if (!name)
        return;
    HASH_FIND_STR(results->domains, name, known);
    if (known)
        return;
    known = arena_alloc(results->arena, sizeof(*known));
    known->domain = results_domain(results, object);
    name = arena_copy(results->arena, slice_of(name));
    HASH_ADD_KEYPTR(hh, results->domains, name, strlen(name), known);
}

static size_t space_len(struct slice text)
{
    size_t len = 0;

    while (len < text.len && strchr(" \t\r\n,", text.ptr[len]))
        len++;
    return len;
}

/*
 * Takes one domain after the other, so that the tree of 100,000 is never in memory: the file begins
 * with the member that holds them, and jansson says where each ends.
 */
static int results_parse(struct check_results *results, struct slice text, struct err *err)
{
    size_t begin = slice_find_byte(text, '[');
    json_error_t error;

    if (begin == text.len || !memmem(text.ptr, begin, "\"domains\"", strlen("\"domains\"")))
        return err_set(err, ERR_SYNTAX, "it does not begin with domains");
    text = slice_range(text, begin + 1, text.len);
    for (;;) {
        json_t *object;

        text = slice_range(text, space_len(text), text.len);
        if (text.len > 0 && text.ptr[0] == ']')
            return 0;
        object = json_loadb(text.ptr, text.len, JSON_DISABLE_EOF_CHECK, &error);
        if (!object)
            return err_set(err, ERR_SYNTAX, "%s", error.text);
        results_add(results, object);
        json_decref(object);
        text = slice_range(text, (size_t)error.position, text.len);
    }
}

static int results_read_file(struct check_results *results, const char *path, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct stat status;
    struct slice text;
    int result = file_read_regular(path, RESULTS_MAX, arena, &status, &text, err);

    if (result == 0) {
        results->at_unix_s = status.st_mtim.tv_sec;
        result = results_parse(results, text, err);
        if (result != 0)
            err_set(err, ERR_SYNTAX, "'%s' is damaged: %s", path, err->msg);
    }
    arena_free(arena);
    return result;
}

int check_results_read(const char *directory, struct check_results **ret_results, struct err *err)
{
    struct check_results *results;
    char *path;
    int result;

    if (asprintf(&path, "%s/" CHECK_RESULTS_FILE, directory) < 0)
        memory_fail();
    results = memory_alloc(sizeof(*results));
    *results = (struct check_results){.arena = arena_new(0)};
    result = results_read_file(results, path, err);
    free(path);
    if (result == 0) {
        *ret_results = results;
        return 0;
    }
    check_results_free(results);
    if (err->code != ERR_IO || err->sys_errno != ENOENT)
        return -1;
    *ret_results = NULL;
    return 0;
}

void check_results_free(struct check_results *results)
{
    if (!results)
        return;
    HASH_CLEAR(hh, results->kinds);
    HASH_CLEAR(hh, results->domains);
    arena_free(results->arena);
    free(results);
}

const struct checked_domain *check_results_find(const struct check_results *results,
                                                const char *domain)
{
    const struct known_domain *known;

    HASH_FIND_STR(results->domains, domain, known);
    return known ? &known->domain : NULL;
}

int64_t check_results_at_unix_s(const struct check_results *results)
{
    return results->at_unix_s;
}
