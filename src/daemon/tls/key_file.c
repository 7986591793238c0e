/* SPDX-License-Identifier: MIT */
#include "daemon/tls/key_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/base/err.h"
#include "lib/base/file.h"

enum {
    KEY_FILE_MODE = 0600,
};

/* As ECPrivateKey, the form that every ACME client reads. */
static int key_file_print(void *context, FILE *out)
{
    BIO *bio = BIO_new_fp(out, BIO_NOCLOSE);
    int is_written =
        bio && PEM_write_bio_PrivateKey_traditional(bio, context, NULL, NULL, 0, NULL, NULL) == 1;

    BIO_free(bio);
    return is_written && !ferror(out) ? 0 : -1;
}

int key_file_make(const char *path, struct err *err)
{
    struct stat status;
    EVP_PKEY *key;
    int result;

    /* A link that leads nowhere for now, to a disk that is not mounted, is a key too. */
    if (lstat(path, &status) == 0)
        return 0;
    if (errno != ENOENT)
        return err_io(err, errno, "'%s' cannot be read", path);
    key = EVP_EC_gen("P-256");
    if (!key)
        result = err_set(err, ERR_CRYPTO, "no key can be made for '%s'", path);
    else
        result = file_replace(path, KEY_FILE_MODE, key_file_print, key, err);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return result;
}
