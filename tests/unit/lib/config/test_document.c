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
        .diag = diag_new(&config_findings),
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

static const struct policy_document *intern(struct interning *interning, const struct slice *mx,
                                            size_t n_mx, const char *salt)
{
    const struct raw_policy own_keys = {.id_salt = {slice_of(salt), {"f", 1, 1}}};
    struct merged_policy merged = {
        .keys = own_keys,
        .own_keys = &own_keys,
        .policy = {.mode = POLICY_TESTING, .max_age_s = 604800, .mx = mx, .n_mx = n_mx},
        .path = "x",
        .place = {"f", 1, 1},
    };
    const struct policy_document *document =
        documents_intern(interning->documents, &merged, interning->scratch, interning->diag);

    arena_reset(interning->scratch);
    return document;
}

static void test_shared(void **state)
{
    static const struct slice a[] = {{"a.example", 9}}, ab[] = {{"a.example", 9}, {"b.example", 9}};
    static const char want[] = "version: STSv1\r\nmode: testing\r\nmx: a.example\r\n"
                               "max_age: 604800\r\n";
    struct interning interning = interning_open();
    const struct policy_document *first = intern(&interning, a, 1, "");
    const struct policy_document *salted = intern(&interning, a, 1, "1");
    const struct policy_document *longer = intern(&interning, ab, 2, "");

    (void)state;
    assert_ptr_equal(intern(&interning, a, 1, ""), first);
    assert_ptr_equal(intern(&interning, a, 1, "1"), salted);
    assert_ptr_equal(intern(&interning, ab, 2, ""), longer);
    assert_true(salted != first && longer != first);
    assert_int_equal(first->body.len, strlen(want));
    assert_string_equal(first->body.ptr, want);
    assert_string_equal(salted->body.ptr, want);
    assert_string_not_equal(salted->id, first->id);
    assert_string_not_equal(longer->id, first->id);
    assert_int_equal(strlen(first->id), POLICY_ID_LEN);
    /* A document points only to its own copies: what it was made of may be freed. */
    assert_true(first->policy.mx[0].ptr != a[0].ptr);
    assert_string_equal(first->policy.mx[0].ptr, "a.example");
    assert_int_equal(longer->policy.n_mx, 2);
    assert_int_equal(diag_count(interning.diag, LEVEL_WARNING), 0);
    interning_done(&interning);
    documents_free(NULL);
}

/* A body that no sender takes whole makes no document. */
static void test_too_large(void **state)
{
    char text[POLICY_BODY_MAX];
    const struct slice mx = {text, sizeof(text)};
    struct interning interning = interning_open();

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_null(intern(&interning, &mx, 1, ""));
    assert_true(diag_has(interning.diag, FINDING_BODY_LIMIT));
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

        documents[i] = intern(&interning, &mx, 1, "");
    }
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct slice mx = documents[i]->policy.mx[0];

        assert_ptr_equal(intern(&interning, &mx, 1, ""), documents[i]);
    }
    interning_done(&interning);
}

static void test_reporting(void **state)
{
    struct slice rua[] = {{"mailto:a@b.example", 18}, {"https://c.example/", 18}};
    struct merged_policy merged = {.rua = rua};
    struct arena *arena = arena_new(0);
    const struct reporting *reporting;

    (void)state;
    assert_null(reporting_keep(&merged, arena));
    merged.n_rua = 2;
    reporting = reporting_keep(&merged, arena);
    assert_int_equal(reporting->n_rua, 2);
    assert_string_equal(reporting->rua[0], "mailto:a@b.example");
    assert_string_equal(reporting->rua[1], "https://c.example/");
    assert_true(reporting->rua[0] != rua[0].ptr);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_reporting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
