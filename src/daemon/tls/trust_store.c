/* SPDX-License-Identifier: MIT */
#include "daemon/tls/trust_store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "lib/base/arena.h"

enum {
    HASH_DIGITS = 8,
};

struct trust_store {
    X509_STORE *roots;
};

/* OpenSSL's own paths, or those that the environment names instead. */
static const char *trust_path(const char *variable, const char *preset)
{
    const char *path = secure_getenv(variable);

    return path ? path : preset;
}

/* "5f15c80c.0", as `openssl rehash` names a root: each file once, under whatever name it lies. */
static int is_hash_name(const struct dirent *entry)
{
    return strspn(entry->d_name, "0123456789abcdef") == HASH_DIGITS &&
           entry->d_name[HASH_DIGITS] == '.';
}

static void trust_load_directory(struct trust_store *trust, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, is_hash_name, NULL);

    for (int i = 0; i < n; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *file = memory_alloc(size);

        snprintf(file, size, "%s/%s", path, entries[i]->d_name);
        X509_STORE_load_file(trust->roots, file);
        free(file);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void trust_load_directories(struct trust_store *trust, const char *paths)
{
    char *copy = strcpy(memory_alloc(strlen(paths) + 1), paths), *rest;

    for (char *path = strtok_r(copy, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
        trust_load_directory(trust, path);
    free(copy);
}

struct trust_store *trust_store_new(void)
{
    struct trust_store *trust = memory_alloc(sizeof(*trust));

    trust->roots = X509_STORE_new();
    X509_STORE_load_file(
        trust->roots, trust_path(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
    trust_load_directories(
        trust, trust_path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
    ERR_clear_error();
    return trust;
}

void trust_store_free(struct trust_store *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->roots);
    free(trust);
}

bool trust_store_is_empty(const struct trust_store *trust)
{
    return !trust || sk_X509_OBJECT_num(X509_STORE_get0_objects(trust->roots)) <= 0;
}

bool trust_store_issued(const struct trust_store *trust, X509 *certificate)
{
    X509_STORE_CTX *context;
    X509 *issuer = NULL;
    bool is_issued;

    if (!trust)
        return false;
    context = X509_STORE_CTX_new();
    is_issued = X509_STORE_CTX_init(context, trust->roots, NULL, NULL) == 1 &&
                X509_STORE_CTX_get1_issuer(&issuer, context, certificate) == 1;
    X509_free(issuer);
    X509_STORE_CTX_free(context);
    return is_issued;
}
