/* SPDX-License-Identifier: MIT */
#include "daemon/tls/key_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/base/err.h"

static char directory[64];

static const char *path_of(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *in = fopen(path, "re");
    EVP_PKEY *key;

    assert_non_null(in);
    key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    return key;
}

/* A key on a disk that is not mounted for now. */
static void test_link_that_leads_nowhere(void **state)
{
    char target[64];
    struct err err;

    (void)state;
    assert_int_equal(symlink("/none/key.pem", path_of("link.pem")), 0);
    assert_int_equal(key_file_make(path_of("link.pem"), &err), 0);
    assert_int_equal(readlink(path_of("link.pem"), target, sizeof(target)),
                     strlen("/none/key.pem"));
    unlink(path_of("link.pem"));
    assert_int_equal(key_file_make(path_of("key.pem"), &err), 0);
    assert_int_equal(key_file_make(path_of("key.pem/key.pem"), &err), -1);
    assert_int_equal(err.code, ERR_IO);
    unlink(path_of("key.pem"));
}

static void test_new_keys(void **state)
{
    struct stat status;
    struct err err;
    EVP_PKEY *first, *second;

    (void)state;
    assert_int_equal(key_file_make(path_of("key.pem"), &err), 0);
    assert_int_equal(stat(path_of("key.pem"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    first = read_key(path_of("key.pem"));
    assert_true(EVP_PKEY_is_a(first, "EC"));
    assert_int_equal(EVP_PKEY_get_bits(first), 256);
    /* It is never written over. */
    assert_int_equal(key_file_make(path_of("key.pem"), &err), 0);
    second = read_key(path_of("key.pem"));
    assert_int_equal(EVP_PKEY_eq(first, second), 1);
    EVP_PKEY_free(second);
    assert_int_equal(key_file_make(path_of("other.pem"), &err), 0);
    second = read_key(path_of("other.pem"));
    assert_int_not_equal(EVP_PKEY_eq(first, second), 1);
    EVP_PKEY_free(second);
    EVP_PKEY_free(first);
    unlink(path_of("other.pem"));
    unlink(path_of("key.pem"));
}

static void test_no_directory(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(key_file_make(path_of("none/key.pem"), &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_keys),
        cmocka_unit_test(test_link_that_leads_nowhere),
        cmocka_unit_test(test_no_directory),
    };
    int result;

    snprintf(directory, sizeof(directory), "/tmp/key-XXXXXX");
    if (!mkdtemp(directory))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return result;
}
