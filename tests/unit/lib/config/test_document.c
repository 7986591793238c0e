/* SPDX-License-Identifier: MIT */
#include "lib/config/document.h"

#include <stdio.h>
#include <string.h>

#include "lib/config/policy_merge.h"
#include "lib/config/sample.h"

struct interning {
    struct arena *keep, *scratch;
    struct documents *documents;
    struct diag *diag;
};

static struct interning interning_open(void)
{
    struct interning interning = {
        .keep = arena_new(0),
        .scratch = arena_new(0),
        .diag = diag_new(),
    };

    interning.documents = documents_new(interning.keep);
    return interning;
}

static void interning_done(struct interning *interning)
{
    documents_free(interning->documents);
    arena_free(interning->scratch);
    arena_free(interning->keep);
    diag_free(interning->diag);
}

static const struct policy_document *intern_list(struct interning *interning, struct place list,
                                                 const struct slice *mx, size_t n_mx,
                                                 const char *salt, finding_set allow)
{
    struct effective effective = {
        .keys = {.mx.place = list, .id_salt = {slice_of(salt), {"f", 1, 1}}},
        .policy = {.mode = POLICY_TESTING, .max_age_s = 604800, .mx = mx, .n_mx = n_mx},
        .path = "x",
        .place = {"f", 1, 1},
        .allow = allow,
    };
    const struct policy_document *document =
        documents_intern(interning->documents, &effective, interning->scratch, interning->diag);

    arena_reset(interning->scratch);
    return document;
}

static const struct policy_document *intern(struct interning *interning, const struct slice *mx,
                                            size_t n_mx, const char *salt, finding_set allow)
{
    return intern_list(interning, (struct place){"f", 2, 5}, mx, n_mx, salt, allow);
}

static void test_shared(void **state)
{
    static const struct slice a[] = {{"a.example", 9}}, ab[] = {{"a.example", 9}, {"b.example", 9}};
    static const char want[] = "version: STSv1\r\nmode: testing\r\nmx: a.example\r\n"
                               "max_age: 604800\r\n";
    struct interning interning = interning_open();
    const struct policy_document *first = intern(&interning, a, 1, "", 0);
    const struct policy_document *salted = intern(&interning, a, 1, "1", 0);
    const struct policy_document *longer = intern(&interning, ab, 2, "", 0);

    (void)state;
    assert_ptr_equal(intern(&interning, a, 1, "", 0), first);
    assert_ptr_equal(intern(&interning, a, 1, "1", 0), salted);
    assert_ptr_equal(intern(&interning, ab, 2, "", 0), longer);
    assert_true(salted != first && longer != first);
    assert_int_equal(first->body.len, strlen(want));
    assert_string_equal(first->body.ptr, want);
    assert_string_equal(salted->body.ptr, want);
    assert_string_not_equal(salted->id, first->id);
    assert_string_not_equal(longer->id, first->id);
    assert_int_equal(strlen(first->id), POLICY_ID_LEN);
    /* All that it points to is its own: what it was made of may go. */
    assert_true(first->policy.mx[0].ptr != a[0].ptr);
    assert_string_equal(first->policy.mx[0].ptr, "a.example");
    assert_int_equal(longer->policy.n_mx, 2);
    assert_int_equal(diag_count(interning.diag, LEVEL_WARNING), 0);
    interning_done(&interning);
    documents_free(NULL);
}

/* What a body has beside the name of its one mx. */
enum {
    REST_LEN = sizeof("version: STSv1\r\nmode: testing\r\nmx: \r\nmax_age: 604800\r\n") - 1,
};

static void test_sizes(void **state)
{
    static const struct {
        size_t body_len;
        finding_set allow;
        const char *want;
    } rows[] = {
        {POLICY_BODY_ADVISED, 0, ""},
        {POLICY_BODY_ADVISED + 1, 0,
         "f:1:1: warning: x: the policy has 4097 bytes; every sender takes one of up to 4096, and "
         "checkers warn above; give it fewer mx, perhaps a wildcard [body-long]\n"},
        {POLICY_BODY_ADVISED + 1, UINT64_C(1) << FINDING_BODY_LONG, ""},
        {POLICY_BODY_MAX, UINT64_C(1) << FINDING_BODY_LONG, ""},
        {POLICY_BODY_MAX + 1, ~UINT64_C(0),
         "f:1:1: error: x: the policy is 10241 bytes, above 10240 bytes, where senders cut it off; "
         "give it fewer mx, perhaps a wildcard [body-too-large]\n"},
    };
    char text[POLICY_BODY_MAX];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct slice mx = {text, rows[i].body_len - REST_LEN};
        struct interning interning = interning_open();
        const struct policy_document *document = intern(&interning, &mx, 1, "", rows[i].allow);
        char *seen = fixture_findings(interning.diag, "-unused-", "");

        if (document ? document->body.len != rows[i].body_len
                     : diag_count(interning.diag, LEVEL_ERROR) == 0)
            fail_msg("row %zu: a body of %zu bytes", i, document ? document->body.len : 0);
        if (!fixture_equal("size", rows[i].want, seen))
            fail_msg("row %zu failed", i);
        free(seen);
        interning_done(&interning);
    }
}

/* Domains that share a list of mx and differ in the rest hear of its length once. */
static void test_long_lists(void **state)
{
    static const char f[] = "f", g[] = "g"; /* a place's file is told by its address */
    static const struct {
        struct place list;
        const char *salt;
        finding_set allow;
        size_t n_warnings; /* from then on */
    } rows[] = {
        {{f, 2, 5}, "a", UINT64_C(1) << FINDING_BODY_LONG, 0},
        {{f, 2, 5}, "b", 0, 1},
        {{f, 2, 5}, "c", 0, 1},
        {{f, 2, 6}, "a", 0, 2},
        {{f, 3, 5}, "a", 0, 3},
        {{g, 2, 5}, "a", 0, 4},
        {{f, 3, 5}, "d", 0, 4},
    };
    struct interning interning = interning_open();
    char text[POLICY_BODY_ADVISED];
    const struct slice mx = {text, sizeof(text)};

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t seen;

        intern_list(&interning, rows[i].list, &mx, 1, rows[i].salt, rows[i].allow);
        seen = diag_count(interning.diag, LEVEL_WARNING);
        if (seen != rows[i].n_warnings)
            fail_msg("row %zu: wanted %zu warnings, saw %zu", i, rows[i].n_warnings, seen);
    }
    interning_done(&interning);
}

static void test_many(void **state)
{
    struct interning interning = interning_open();
    const struct policy_document *documents[1000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        char name[32];
        struct slice mx = {name, (size_t)snprintf(name, sizeof(name), "mx%zu.example", i)};

        documents[i] = intern(&interning, &mx, 1, "", 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct slice mx = documents[i]->policy.mx[0];

        assert_ptr_equal(intern(&interning, &mx, 1, "", 0), documents[i]);
    }
    interning_done(&interning);
}

static void test_reporting(void **state)
{
    struct slice rua[] = {{"mailto:a@b.example", 18}, {"https://c.example/", 18}};
    struct effective effective = {.rua = rua};
    struct arena *arena = arena_new(0);
    const struct reporting *reporting;

    (void)state;
    assert_null(reporting_keep(&effective, arena));
    effective.n_rua = 2;
    reporting = reporting_keep(&effective, arena);
    assert_int_equal(reporting->n_rua, 2);
    assert_string_equal(reporting->rua[0], "mailto:a@b.example");
    assert_string_equal(reporting->rua[1], "https://c.example/");
    assert_true(reporting->rua[0] != rua[0].ptr);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),     cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_long_lists), cmocka_unit_test(test_many),
        cmocka_unit_test(test_reporting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
