/* SPDX-License-Identifier: MIT */
#include "lib/import/import_yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/import/import_set.h"
#include "support/fixture.h"

#define DOMAIN_OF(domain, s, mode_of_it, mx_of_it) \
    {                                              \
        .name = (domain),                          \
        .policy = {.mode = (mode_of_it),           \
                   .max_age_s = (s),               \
                   .mx = (mx_of_it),               \
                   .n_mx = ARRAY_LEN(mx_of_it)},   \
    }

/* What is printed from "policies:" or "domains:" on. */
static char *print_yaml(const struct import_domain *domains, size_t n, char **ret_text)
{
    char *text = NULL, *from;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    import_yaml_print(domains, n, out);
    fclose(out);
    from = strstr(text, "\npolicies:");
    *ret_text = text;
    return from ? from + 1 : strstr(text, "domains:");
}

static void test_groups(void **state)
{
    static const struct slice own_a[] = {SLICE_BYTES("a.example")};
    static const struct slice own_b[] = {SLICE_BYTES("b.example")};
    static const struct slice shared[] = {SLICE_BYTES("*.p.net"), SLICE_BYTES("mail")};
    static const struct slice near_c[] = {SLICE_BYTES("xc.example")};
    static const struct slice near_d[] = {SLICE_BYTES("xd.example")};
    static const struct import_domain domains[] = {
        DOMAIN_OF("a.example", 90, POLICY_ENFORCE, own_a),
        DOMAIN_OF("b.example", 90, POLICY_ENFORCE, own_b),
        DOMAIN_OF("c.example", 5400, POLICY_TESTING, near_c),
        DOMAIN_OF("d.example", 5400, POLICY_TESTING, near_d),
        DOMAIN_OF("e.example", 7200, POLICY_TESTING, shared),
        DOMAIN_OF("f.example", 7200, POLICY_TESTING, shared),
        DOMAIN_OF("g.example", 7200, POLICY_TESTING, shared),
        DOMAIN_OF("h.example", 7200, POLICY_ENFORCE, shared),
    };
    char *text, *seen = print_yaml(domains, ARRAY_LEN(domains), &text);

    (void)state;
    assert_true(fixture_equal("groups",
                              "policies:\n"
                              "  policy-1: # of 3 domains\n"
                              "    mode: testing\n"
                              "    max_age: 2h\n"
                              "    mx: [\"*.p.net\", \"mail\"]\n"
                              "  policy-2: # of 2 domains\n"
                              "    mode: enforce\n"
                              "    max_age: 90\n"
                              "    mx: [\"{domain}\"]\n"
                              "\n"
                              "domains:\n"
                              "  # The same bytes as before: an id that is published may stay "
                              "until the policy changes.\n"
                              "  a.example: policy-2\n"
                              "  b.example: policy-2\n"
                              "  c.example: {mode: testing, max_age: 90m, mx: [xc.example]}\n"
                              "  d.example: {mode: testing, max_age: 90m, mx: [xd.example]}\n"
                              "  e.example: policy-1\n"
                              "  f.example: policy-1\n"
                              "  g.example: policy-1\n"
                              "  h.example: {mode: enforce, max_age: 2h, mx: [\"*.p.net\", "
                              "\"mail\"]}\n",
                              seen));
    free(text);
}

static void test_changed(void **state)
{
    static const struct import_domain domain = {
        .name = "a.example", .policy = {.mode = POLICY_MODE_NONE}, .change = "why"};
    char *text, *seen = print_yaml(&domain, 1, &text);

    (void)state;
    assert_true(fixture_equal("changed",
                              "domains:\n"
                              "  # The same policy in other bytes: publish the new id once DNS "
                              "points here.\n"
                              "  a.example: {mode: none, max_age: 0} # why\n",
                              seen));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
