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

#include "daemon/tls/blank.h"
#include "lib/base/slice.h"

enum {
    KEPT_MAX = 32,
};

/* What is kept of an operation: those with one of these names, and with this property. */
static const struct rule {
    int operation;
    const char *property;
    const char *names[8];
} rules[] = {
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
 * A provider in front of the default one, which is loaded into a library context of its own. What
 * it hands out are the default provider's own functions, so its context is theirs: there is no room
 * in it for what belongs to ours.
 */
static struct {
    OSSL_PROVIDER *front; /* ours */
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider;                         /* the default one */
    OSSL_ALGORITHM kept[ARRAY_LEN(rules)][KEPT_MAX]; /* each with a row of zeros at its end */
} everything;

static bool matches(const OSSL_ALGORITHM *algorithm, const struct rule *rule)
{
    /* A name, and behind a colon each what else it is called. */
    size_t len = strcspn(algorithm->algorithm_names, ":");

    for (size_t i = 0; i < ARRAY_LEN(rule->names) && rule->names[i]; i++)
        if (len == strlen(rule->names[i]) &&
            strncmp(algorithm->algorithm_names, rule->names[i], len) == 0)
            return strstr(algorithm->property_definition, rule->property);
    return false;
}

static void keep(size_t rule)
{
    int no_cache;
    const OSSL_ALGORITHM *all =
        OSSL_PROVIDER_query_operation(everything.provider, rules[rule].operation, &no_cache);

    for (size_t n = 0; all && all->algorithm_names && n < KEPT_MAX - 1; all++)
        if (matches(all, &rules[rule]))
            everything.kept[rule][n++] = *all;
}

static const OSSL_ALGORITHM *query_operation(void *context, int operation, int *ret_no_cache)
{
    (void)context;
    *ret_no_cache = 0;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].operation == operation)
            return everything.kept[i];
    return OSSL_PROVIDER_query_operation(everything.provider, operation, ret_no_cache);
}

/* The groups of TLS. */
static int get_capabilities(void *context, const char *capability, OSSL_CALLBACK *callback,
                            void *argument)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(everything.provider, capability, callback, argument);
}

static void teardown(void *context)
{
    (void)context;
    blank_free();
    OSSL_PROVIDER_unload(everything.provider);
    OSSL_LIB_CTX_free(everything.library);
}

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                 const OSSL_DISPATCH **ret_functions, void **ret_context)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
        {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
        {0, NULL},
    };

    (void)handle;
    (void)core;
    everything.library = OSSL_LIB_CTX_new();
    everything.provider = OSSL_PROVIDER_load(everything.library, "default");
    if (!everything.provider) {
        OSSL_LIB_CTX_free(everything.library);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        keep(i);
    blank_make(everything.provider);
    *ret_functions = functions;
    *ret_context = OSSL_PROVIDER_get0_provider_ctx(everything.provider);
    return 1;
}

static void let_go(void)
{
    OSSL_PROVIDER_unload(everything.front);
}

/*
 * OpenSSL knows some 300 names from before there were providers. For every key that is made it
 * walks through all names there are. Only the digests' are still asked for: by whoever judges or
 * verifies a certificate's signature.
 */
static void forget_old_names(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL);
    EVP_add_digest(EVP_sha1());
    EVP_add_digest(EVP_sha224());
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}

void algorithms_limit(void)
{
    static const char name[] = "mta-stsd";

    forget_old_names();
    if (OSSL_PROVIDER_add_builtin(NULL, name, start) == 1)
        everything.front = OSSL_PROVIDER_load(NULL, name);
    OPENSSL_atexit(let_go);
    ERR_clear_error();
}
