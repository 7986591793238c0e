/* SPDX-License-Identifier: MIT */
#include "daemon/tls/file_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/pki.h"

static void test_pairs(void **state)
{
    struct file_versions both, again, one, none;

    (void)state;
    pki_write("chain.pem", "a", NULL);
    pki_write("key.pem", "a", NULL);
    both = file_versions_look_up("chain.pem", "key.pem");
    again = file_versions_look_up("chain.pem", "key.pem");
    one = file_versions_look_up("chain.pem", "none.pem");
    none = file_versions_look_up("none.pem", "key.pem/below");
    assert_true(file_versions_eq(&both, &again));
    assert_false(file_versions_eq(&both, &one));
    assert_false(file_versions_eq(&one, &none));
    assert_false(file_versions_are_absent(&both));
    assert_false(file_versions_are_absent(&one));
    assert_true(file_versions_are_absent(&none));

    pki_write("key.pem", "a", NULL);
    again = file_versions_look_up("chain.pem", "key.pem");
    assert_false(file_versions_eq(&both, &again));
}

/* Kubernetes replaces the directory that the files' links go through. */
static void test_links(void **state)
{
    struct file_versions before, after;

    (void)state;
    pki_write("old/chain.pem", "a", NULL);
    pki_write("new/chain.pem", "a", NULL);
    pki_link("..data", "old");
    pki_link("linked.pem", "..data/chain.pem");
    before = file_versions_look_up("linked.pem", "linked.pem");
    pki_link("..data", "new");
    after = file_versions_look_up("linked.pem", "linked.pem");
    assert_false(file_versions_are_absent(&after));
    assert_false(file_versions_eq(&before, &after));
}

/* What no comparison needs may still cure a fault: a permission. */
static void test_mark(void **state)
{
    struct file_versions before, after;

    (void)state;
    pki_write("chain.pem", "a", NULL);
    before = file_versions_look_up("chain.pem", "none.pem");
    assert_int_equal(file_versions_mark(1, &before), file_versions_mark(1, &before));
    assert_int_not_equal(file_versions_mark(1, &before), file_versions_mark(2, &before));
    do { /* the kernel's clock of files is coarse */
        assert_int_equal(chmod("chain.pem", 0600), 0);
        after = file_versions_look_up("chain.pem", "none.pem");
    } while (after.chain.changed.tv_nsec == before.chain.changed.tv_nsec);
    assert_true(file_versions_eq(&before, &after));
    assert_int_not_equal(file_versions_mark(1, &before), file_versions_mark(1, &after));
}

static void test_status(void **state)
{
    struct file_versions versions;
    struct stat status;

    (void)state;
    pki_write("chain.pem", "a", NULL);
    versions = file_versions_look_up("chain.pem", "chain.pem");
    assert_int_equal(stat("chain.pem", &status), 0);
    versions.key = file_version_of(&status);
    assert_true(file_versions_eq(
        &versions, &(struct file_versions){.chain = versions.chain, .key = versions.chain}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests_name("tls.file_version", tests, pki_enter_directory,
                                       pki_leave_directory);
}
