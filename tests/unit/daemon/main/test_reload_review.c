/* SPDX-License-Identifier: MIT */
#include "daemon/main/reload_review.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/config/config.h"

enum {
    DOMAINS_MAX = 300,
};

static struct policy_document document = {.policy = {.mode = POLICY_ENFORCE}, .id = "1"};

/* A configuration of d100.example, d101.example...; the last n_withdrawn have no policy. */
static void fill_config(struct config *config, struct domain domains[DOMAINS_MAX],
                        char names[DOMAINS_MAX][32], size_t n_domains, size_t n_withdrawn)
{
    *config = (struct config){.domains = domains, .n_domains = n_domains};
    for (size_t i = 0; i < n_domains; i++) {
        snprintf(names[i], sizeof(names[i]), "d%zu.example", 100 + i);
        domains[i] = (struct domain){.name = names[i],
                                     .zone = names[i],
                                     .document = i + n_withdrawn < n_domains ? &document : NULL};
    }
}

static void test_removal_guard(void **state)
{
    static const struct {
        size_t n_before, n_after, n_withdrawn;
        uint32_t percent;
        enum reload_outcome outcome;
    } rows[] = {
        {1, 1, 0, 5, RELOAD_GOOD},        {2, 1, 0, 5, RELOAD_REFUSED},
        {2, 2, 1, 5, RELOAD_REFUSED},     {3, 2, 0, 5, RELOAD_GOOD},
        {3, 1, 0, 5, RELOAD_REFUSED},     {3, 2, 0, 0, RELOAD_REFUSED},
        {8, 6, 0, 5, RELOAD_REFUSED},     {20, 19, 0, 5, RELOAD_GOOD},
        {20, 18, 0, 5, RELOAD_REFUSED},   {40, 38, 0, 5, RELOAD_GOOD},
        {39, 37, 0, 5, RELOAD_REFUSED},   {220, 209, 0, 5, RELOAD_GOOD},
        {219, 208, 0, 5, RELOAD_REFUSED}, {219, 0, 0, 100, RELOAD_GOOD},
        {15, 15, 15, 5, RELOAD_REFUSED},  {15, 15, 1, 5, RELOAD_GOOD},
        {15, 15, 2, 5, RELOAD_REFUSED},   {30, 25, 6, 5, RELOAD_REFUSED},
    };
    static struct domain before[DOMAINS_MAX], after[DOMAINS_MAX];
    static char names_before[DOMAINS_MAX][32], names_after[DOMAINS_MAX][32];
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int force = RELOAD_GUARDED; force <= RELOAD_FORCED; force++) {
            struct config current, next;
            char *text;
            size_t len;
            FILE *out = open_memstream(&text, &len);
            enum reload_outcome want = force == RELOAD_FORCED ? RELOAD_GOOD : rows[i].outcome, seen;

            fill_config(&current, before, names_before, rows[i].n_before, 0);
            fill_config(&next, after, names_after, rows[i].n_after, rows[i].n_withdrawn);
            current.removed_percent = rows[i].percent;
            current.control = next.control = current.user = next.user = "";
            seen = reload_review(&(struct reload_candidate){.current = &current,
                                                            .next = &next,
                                                            .config_path = "test.yaml",
                                                            .force = (enum reload_force)force},
                                 out);
            fclose(out);
            if (seen != want) {
                print_error("row %zu: expected %d, found %d:\n%s", i, want, seen, text);
                n_failed++;
            }
            free(text);
        }
    assert_int_equal(n_failed, 0);
}

/* A new name for the only domain: nothing is cut off where something comes. */
static void test_one_replaced(void **state)
{
    struct domain before = {.name = "old.example", .document = &document};
    struct domain after = {.name = "new.example", .document = &document};
    struct config current = {.domains = &before, .n_domains = 1, .removed_percent = 5};
    struct config next = {.domains = &after, .n_domains = 1};
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    current.control = next.control = current.user = next.user = "";
    assert_int_equal(
        reload_review(&(struct reload_candidate){.current = &current, .next = &next}, out),
        RELOAD_GOOD);
    fclose(out);
    free(text);
}

static void test_errors(void **state)
{
    struct config current = {.n_domains = 0};
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_int_equal(
        reload_review(&(struct reload_candidate){.current = &current, .n_errors = 3}, out),
        RELOAD_INVALID);
    fclose(out);
    assert_string_equal(text,
                        "reload refused: 3 errors; the previous configuration stays in use\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_removal_guard),
        cmocka_unit_test(test_one_replaced),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
