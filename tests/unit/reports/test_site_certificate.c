/* SPDX-License-Identifier: MIT */
#include "reports/site_certificate.h"

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
#include "lib/config/config.h"
#include "support/pki.h"

static char directory[] = "/tmp/site-certificate-XXXXXX";

static void write_chain(const char *name, const char *names, int days)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    pki_write_pair(path, path, names, days);
}

static struct site_certificate find(const struct cert_source *sources, size_t n, const char *host,
                                    int64_t now_unix_s, struct arena *arena)
{
    const struct config config = {.sources = sources, .n_sources = n};
    struct site_certificates *certificates = site_certificates_new(&config, now_unix_s);
    struct site_certificate found = site_certificates_find(certificates, host, arena);
    struct site_certificate again = site_certificates_find(certificates, host, arena);

    assert_int_equal(found.state, again.state);
    site_certificates_free(certificates);
    return found;
}

static void test_states(void **state)
{
    static const struct {
        const char *chain, *host;
        int ahead_days; /* of the time now */
        enum site_certificate_state state;
    } rows[] = {
        {"{host}.pem", "a.example", 0, SITE_CERTIFICATE_GOOD},
        {"{host}.pem", "a.example", 89, SITE_CERTIFICATE_ENDING},
        {"{host}.pem", "a.example", 91, SITE_CERTIFICATE_EXPIRED},
        {"{host}.pem", "a.example", -9, SITE_CERTIFICATE_EARLY},
        {"{host}.pem", "b.example", 0, SITE_CERTIFICATE_MISSING},
        {"{host}.pem", "broken", 0, SITE_CERTIFICATE_MISSING},
        {"shared.pem", "x.wild.example", 0, SITE_CERTIFICATE_GOOD},
        {"shared.pem", "x.y.wild.example", 0, SITE_CERTIFICATE_NAME},
        {"shared.pem", "a.example", 0, SITE_CERTIFICATE_NAME},
        {"*.pem", "a.example", 0, SITE_CERTIFICATE_GOOD},
        {"a.*m", "c.example", 0, SITE_CERTIFICATE_NAME},
        {"*.none", "c.example", 0, SITE_CERTIFICATE_MISSING},
    };
    struct arena *arena = arena_new(0);
    char broken[128];
    FILE *out;

    (void)state;
    write_chain("a.example.pem", "a.example", 90);
    write_chain("shared.pem", "*.wild.example", 90);
    snprintf(broken, sizeof(broken), "%s/broken.pem", directory);
    out = fopen(broken, "we");
    assert_non_null(out);
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", out);
    fclose(out);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char chain[128];
        const struct cert_source source = {.chain = chain, .key = chain};
        struct site_certificate found;

        snprintf(chain, sizeof(chain), "%s/%s", directory, rows[i].chain);
        found = find(&source, 1, rows[i].host,
                     (int64_t)PKI_NOW_UNIX_S + (int64_t)rows[i].ahead_days * 86400, arena);
        if (found.state != rows[i].state)
            fail_msg("row %zu: found %s", i, site_certificate_state_name(found.state));
        if (site_certificate_is_refused(found.state) !=
            (found.state != SITE_CERTIFICATE_GOOD && found.state != SITE_CERTIFICATE_ENDING &&
             found.state != SITE_CERTIFICATE_UNKNOWN))
            fail_msg("row %zu: %s is taken otherwise", i, site_certificate_state_name(found.state));
        if ((found.path == NULL) != (rows[i].state == SITE_CERTIFICATE_MISSING))
            fail_msg("row %zu: path %s", i, found.path);
    }
    arena_free(arena);
}

/* Of two that cover the host, the one that lasts longer; one that covers it before others. */
static void test_best(void **state)
{
    char first[128], second[128];
    const struct cert_source sources[] = {{first, first}, {second, second}};
    struct arena *arena = arena_new(0);
    int64_t now_unix_s = (int64_t)PKI_NOW_UNIX_S;

    (void)state;
    write_chain("old.pem", "a.example", 20);
    write_chain("a.example.pem", "a.example", 90);
    snprintf(first, sizeof(first), "%s/old.pem", directory);
    snprintf(second, sizeof(second), "%s/{host}.pem", directory);
    assert_string_equal(strrchr(find(sources, 2, "a.example", now_unix_s, arena).path, '/'),
                        "/a.example.pem");
    snprintf(first, sizeof(first), "%s/shared.pem", directory);
    assert_string_equal(strrchr(find(sources, 2, "a.example", now_unix_s, arena).path, '/'),
                        "/a.example.pem");
    assert_int_equal(find(sources, 0, "a.example", now_unix_s, arena).state,
                     SITE_CERTIFICATE_UNKNOWN);
    site_certificates_free(NULL);
    arena_free(arena);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"a.example.pem", "shared.pem", "broken.pem", "old.pem"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_states), cmocka_unit_test(test_best)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
