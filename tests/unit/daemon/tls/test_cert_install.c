/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_install.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "support/pki.h"

#define HOST "mta-sts.a.example"

static char *directory; /* the working directory, so that paths are short */

static int64_t fixed_unix_s(const struct clock *clock)
{
    (void)clock;
    return PKI_NOW_UNIX_S;
}

static const struct clock fixed_clock = {.unix_s = fixed_unix_s};
static const struct cert_source from = {"new/{host}/cert.pem", "new/{host}/key.pem"};
static const struct cert_source to = {"served/{host}/c.pem", "served/{host}/k.pem"};
static const struct cert_install install = {.host = HOST,
                                            .from = &from,
                                            .directory = "served",
                                            .chain_name = "c.pem",
                                            .key_name = "k.pem",
                                            .note_name = "note",
                                            .note = "from here\n"};

static struct pki_identity *authority;

static struct pki_identity *issue(const char *names, int64_t not_after_unix_s)
{
    const struct pki_request request = {.common_name = "leaf",
                                        .names = names,
                                        .not_before_unix_s = PKI_NOW_UNIX_S - PKI_DAY_S,
                                        .not_after_unix_s = not_after_unix_s};

    return pki_issue(&request, "P-256", authority);
}

static void deliver(const struct pki_identity *leaf, const char *key_pem)
{
    pki_write("new/" HOST "/cert.pem", leaf->certificate_pem, authority->certificate_pem, NULL);
    pki_write("new/" HOST "/key.pem", key_pem, NULL);
}

static struct cert_store *store_new(void)
{
    return cert_store_new(&to, 1, 10, &fixed_clock, NULL);
}

static int64_t in_use(struct cert_store *store)
{
    struct certificate *certificate = cert_store_find(store, HOST);
    int64_t not_after = certificate ? certificate_not_after_unix_s(certificate) : 0;

    certificate_unref(certificate);
    return not_after;
}

static unsigned mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static size_t count_entries(const char *path)
{
    DIR *entries = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    assert_non_null(entries);
    while ((entry = readdir(entries)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return n;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf new served && mkdir served"), 0);
    return 0;
}

static void test_first_and_next(void **state)
{
    struct pki_identity *first = issue("DNS:" HOST, PKI_NOW_UNIX_S + 10 * PKI_DAY_S);
    struct pki_identity *next = issue("DNS:" HOST, PKI_NOW_UNIX_S + 90 * PKI_DAY_S);
    struct cert_install_dates dates;
    struct cert_store *store;
    struct err err;

    (void)state;
    store = store_new();
    deliver(first, first->key_pem);
    assert_int_equal(cert_install_run(&install, store, &dates, &err), 0);
    assert_int_equal(dates.not_after_unix_s, PKI_NOW_UNIX_S + 10 * PKI_DAY_S);
    assert_int_equal(mode_of("served/" HOST "/k.pem"), 0600);
    assert_int_equal(mode_of("served/" HOST "/c.pem"), 0644);
    cert_store_unref(store);
    store = store_new();
    assert_int_equal(in_use(store), PKI_NOW_UNIX_S + 10 * PKI_DAY_S);
    /* The next pair takes its place as a whole; what a killed process has left is no hindrance. */
    pki_write("served/.new-" HOST "/c.pem", "half", NULL);
    deliver(next, next->key_pem);
    assert_int_equal(cert_install_run(&install, store, &dates, &err), 0);
    assert_int_equal(dates.not_before_unix_s, PKI_NOW_UNIX_S - PKI_DAY_S);
    cert_store_unref(store);
    store = store_new();
    assert_int_equal(in_use(store), PKI_NOW_UNIX_S + 90 * PKI_DAY_S);
    assert_int_equal(count_entries("served"), 1);
    assert_int_equal(count_entries("served/" HOST), 3);
    cert_store_unref(store);
    pki_free(first);
    pki_free(next);
}

static void expect_refusal(const char *reason)
{
    struct cert_store *store = store_new();
    struct cert_install_dates dates = {.not_after_unix_s = 1};
    struct err err;
    int64_t before = in_use(store);

    assert_int_equal(cert_install_run(&install, store, &dates, &err), -1);
    if (!strstr(err.msg, reason))
        fail_msg("expected '%s', found '%s'", reason, err.msg);
    assert_int_equal(dates.not_after_unix_s, 1);
    assert_false(access("served/.new-" HOST, F_OK) == 0);
    cert_store_unref(store);
    store = store_new();
    assert_int_equal(in_use(store), before);
    cert_store_unref(store);
}

static void test_what_is_refused(void **state)
{
    struct pki_identity *good = issue("DNS:" HOST, PKI_NOW_UNIX_S + 90 * PKI_DAY_S);
    struct pki_identity *stranger = issue("DNS:mta-sts.b.example", PKI_NOW_UNIX_S + PKI_DAY_S);
    struct pki_identity *expired = issue("DNS:" HOST, PKI_NOW_UNIX_S - 1);
    struct cert_install_dates dates;
    struct cert_store *store = store_new();
    struct err err;

    (void)state;
    expect_refusal("there is no new certificate");
    deliver(good, good->key_pem);
    assert_int_equal(cert_install_run(&install, store, &dates, &err), 0);
    deliver(good, stranger->key_pem);
    expect_refusal("key");
    deliver(stranger, stranger->key_pem);
    expect_refusal("mta-sts.b.example");
    deliver(expired, expired->key_pem);
    expect_refusal("expired");
    pki_write("new/" HOST "/cert.pem", "", NULL);
    expect_refusal("cert.pem");
    cert_store_unref(store);
    pki_free(good);
    pki_free(stranger);
    pki_free(expired);
}

/* Root may write anywhere, so it is a file that is in the way. */
static void test_no_place(void **state)
{
    struct pki_identity *good = issue("DNS:" HOST, PKI_NOW_UNIX_S + 90 * PKI_DAY_S);

    (void)state;
    deliver(good, good->key_pem);
    assert_int_equal(rmdir("served"), 0);
    pki_write("served", "", NULL);
    expect_refusal("served");
    unlink("served");
    pki_free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_and_next, set_up),
        cmocka_unit_test_setup(test_what_is_refused, set_up),
        cmocka_unit_test_setup(test_no_place, set_up),
    };
    const struct pki_request request = {.common_name = "authority", .role = PKI_AUTHORITY};
    char template[] = "/tmp/install-XXXXXX", command[64];
    int result;

    directory = mkdtemp(template);
    if (!directory || chdir(directory) != 0)
        return 1;
    authority = pki_issue(&request, "P-256", NULL);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    pki_free(authority);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command) == 0 ? result : 1;
}
