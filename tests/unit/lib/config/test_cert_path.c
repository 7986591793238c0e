/* SPDX-License-Identifier: MIT */
#include "lib/config/cert_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_check_of_paths(void **state)
{
    static const struct {
        const char *path;
        const char *fault; /* how it begins; NULL: none */
    } rows[] = {
        {"/etc/letsencrypt/live/{host}/fullchain.pem", NULL},
        {"/etc/letsencrypt/live/{host}*/fullchain.pem", NULL},
        {"certs/{domain}/{domain}.pem", NULL},
        {"*", NULL},
        {"/home/me~/a.pem", NULL}, /* as an editor's copies */
        {"~/certs/{host}.pem", "begins with '~'"},
        {"~me/certs", "begins with '~'"},
        {"$HOME/certs/{host}.pem", "has '$HOME',"},
        {"/certs/${HOST}.pem", "has '${HOST}',"},
        {"/certs/%h.pem", "has '%h',"},
        {"%d/certs/%i.pem", "has '%d',"},
        {"/certs/{Host}.pem", "has '{Host}',"},
        {"/certs/{hostname}/a.pem", "has '{hostname}',"},
        {"/certs/{{host}}.pem", "has '{{host}',"},
        {"/certs/{host}}.pem", "has '}',"},
        {"/certs/{host", "has '{',"},
        {"/certs/{/host}", "has '{',"},
        {"/certs/<domain>.pem", "has '<domain>',"},
        {"/certs/*/{host}*.pem", "has 2 '*';"},
        {"/certs/**/a.pem", "has 2 '*';"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char why[CERT_PATH_FAULT_MAX] = "";
        bool is_good = cert_path_check(rows[i].path, why);

        if (is_good != !rows[i].fault ||
            (rows[i].fault && strncmp(why, rows[i].fault, strlen(rows[i].fault)) != 0))
            fail_msg("row %zu: '%s': %d, '%s'", i, rows[i].path, is_good, why);
    }
}

static void test_expansion(void **state)
{
    static const struct {
        const char *path, *host, *want;
        size_t fixed_len;
        bool has_variable, has_star;
    } rows[] = {
        {"", "mta-sts.a.example", "", 0, false, false},
        {"/a.pem", "mta-sts.a.example", "/a.pem", 6, false, false},
        {"/a/{host}.pem", "mta-sts.a.example", "/a/mta-sts.a.example.pem", 3, true, false},
        {"/{domain}/{domain}", "mta-sts.a.example", "/a.example/a.example", 1, true, false},
        {"{host}{domain}", "policy.example", "policy.examplepolicy.example", 0, true, false},
        {"/a*/{host}", "mta-sts.a.example", "/a*/mta-sts.a.example", 2, true, true},
        {"/a/*", "x", "/a/*", 3, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *path = cert_path_expand(rows[i].path, rows[i].host);

        if (strcmp(path, rows[i].want) != 0 ||
            cert_path_fixed_len(rows[i].path) != rows[i].fixed_len ||
            cert_path_has_variable(rows[i].path) != rows[i].has_variable ||
            cert_path_has_star(rows[i].path) != rows[i].has_star)
            fail_msg("row %zu: '%s', %zu", i, path, cert_path_fixed_len(rows[i].path));
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_of_paths),
        cmocka_unit_test(test_expansion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
