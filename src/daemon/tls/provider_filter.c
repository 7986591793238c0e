/* SPDX-License-Identifier: MIT */
#include "daemon/tls/provider_filter.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "lib/base/slice.h"

enum {
    KEPT_MAX = 32,
    DECODERS_CACHED_SINCE = 0x30200000, /* OpenSSL 3.2.0 */
};

/* Of an operation's algorithms, those with one of these names and this property are kept. */
static const struct filter_rule {
    int operation;
    const char *property;
    const char *names[8];
} filter_rules[] = {
    {OSSL_OP_KEYMGMT, "", {"EC", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519"}},
    {OSSL_OP_DECODER, "input=der", {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"}},
    {OSSL_OP_SIGNATURE, "", {"ECDSA", "RSA", "ED25519", "ED448"}},
    {OSSL_OP_KEYEXCH, "", {"ECDH", "X25519"}},
    {OSSL_OP_CIPHER, "", {"AES-256-GCM", "AES-128-GCM", "ChaCha20-Poly1305"}},
    {OSSL_OP_MAC, "", {"HMAC"}},
    {OSSL_OP_KDF, "", {"HKDF", "TLS13-KDF", "TLS1-PRF"}},
    {OSSL_OP_DIGEST,
     "",
     {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512", "MD5", "MD5-SHA1"}},
};

/*
 * Our provider stands before the default one, which is loaded into a library context of its own.
 * The functions that ours hands out are the default provider's, and OpenSSL calls them with our
 * provider's context. So that context is the default provider's, and what belongs to ours is here.
 */
static struct {
    OSSL_PROVIDER *ours;
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *all;                                     /* the default provider */
    OSSL_ALGORITHM kept[ARRAY_LEN(filter_rules)][KEPT_MAX]; /* each ends in a row of zeros */
} filter;

static bool filter_rule_matches(const struct filter_rule *rule, const OSSL_ALGORITHM *algorithm)
{
    /* "name:alias:alias" */
    size_t len = strcspn(algorithm->algorithm_names, ":");

    for (size_t i = 0; i < ARRAY_LEN(rule->names) && rule->names[i]; i++)
        if (len == strlen(rule->names[i]) &&
            strncmp(algorithm->algorithm_names, rule->names[i], len) == 0)
            return strstr(algorithm->property_definition, rule->property);
    return false;
}

static void filter_apply(size_t rule)
{
    int no_cache;
    const OSSL_ALGORITHM *all =
        OSSL_PROVIDER_query_operation(filter.all, filter_rules[rule].operation, &no_cache);

    for (size_t n = 0; all && all->algorithm_names && n < KEPT_MAX - 1; all++)
        if (filter_rule_matches(&filter_rules[rule], all))
            filter.kept[rule][n++] = *all;
}

static const OSSL_ALGORITHM *filter_query_operation(void *context, int operation, int *ret_no_cache)
{
    (void)context;
    *ret_no_cache = 0;
    for (size_t i = 0; i < ARRAY_LEN(filter_rules); i++)
        if (filter_rules[i].operation == operation)
            return filter.kept[i];
    return OSSL_PROVIDER_query_operation(filter.all, operation, ret_no_cache);
}

/* What OpenSSL asks for here are the groups of TLS. */
static int filter_get_capabilities(void *context, const char *capability, OSSL_CALLBACK *callback,
                                   void *argument)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(filter.all, capability, callback, argument);
}

static void filter_teardown(void *context)
{
    (void)context;
    OSSL_PROVIDER_unload(filter.all);
    OSSL_LIB_CTX_free(filter.library);
}

static int filter_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **ret_functions, void **ret_context)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))filter_query_operation},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))filter_get_capabilities},
        {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))filter_teardown},
        {0, NULL},
    };

    (void)handle;
    (void)core;
    filter.library = OSSL_LIB_CTX_new();
    filter.all = OSSL_PROVIDER_load(filter.library, "default");
    if (!filter.all) {
        OSSL_LIB_CTX_free(filter.library);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(filter_rules); i++)
        filter_apply(i);
    *ret_functions = functions;
    *ret_context = OSSL_PROVIDER_get0_provider_ctx(filter.all);
    return 1;
}

static void filter_unload(void)
{
    OSSL_PROVIDER_unload(filter.ours);
}

/*
 * OpenSSL registers some 300 names of the time before providers, and walks through all names for
 * every key. Only the digests' names are still used: to judge or verify a certificate's signature.
 */
static void register_digests_alone(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL);
    EVP_add_digest(EVP_sha1());
    EVP_add_digest(EVP_sha224());
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}

void provider_filter_install(void)
{
    static const char name[] = "mta-stsd";

    if (OpenSSL_version_num() >= DECODERS_CACHED_SINCE)
        return;
    register_digests_alone();
    if (OSSL_PROVIDER_add_builtin(NULL, name, filter_init) == 1)
        filter.ours = OSSL_PROVIDER_load(NULL, name);
    OPENSSL_atexit(filter_unload);
    ERR_clear_error();
}
