/* SPDX-License-Identifier: MIT */
#include "daemon/tls/blank.h"

#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define EC_NAMES "EC:" SN_X9_62_id_ecPublicKey ":1.2.840.10045.2.1"
#define PROPERTY "provider=mta-stsd-blank"

static struct {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider;
    OSSL_PROVIDER *digests; /* another's */
    OSSL_ALGORITHM sha1[2]; /* its row, and a row of zeros */
    OSSL_FUNC_BIO_read_ex_fn *read;
} blank;

/* Every key, and every decoder's context: there is nothing in it, so nothing to free. */
static char nothing;

static void *decoder_new(void *context)
{
    (void)context;
    return &nothing;
}

static void free_nothing(void *unused)
{
    (void)unused;
}

static void *key_load(const void *reference, size_t size)
{
    (void)reference;
    (void)size;
    return &nothing;
}

static int key_has(const void *unused, int selection)
{
    (void)unused;
    return selection == 0;
}

/* What was decoded must have been read in full. */
static void read_all(OSSL_CORE_BIO *in)
{
    char bytes[128];
    size_t len;

    while (blank.read(in, bytes, sizeof(bytes), &len) == 1 && len > 0)
        ;
}

static int decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *take,
                  void *argument, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_argument)
{
    char data_type[] = SN_X9_62_id_ecPublicKey;
    int type = OSSL_OBJECT_PKEY;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, data_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &nothing, sizeof(nothing)),
        OSSL_PARAM_construct_end(),
    };

    (void)context;
    (void)selection;
    (void)ask;
    (void)ask_argument;
    read_all(in);
    return take(params, argument);
}

static const OSSL_ALGORITHM *query_operation(void *context, int operation, int *ret_no_cache)
{
    static const OSSL_DISPATCH keys[] = {
        {OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))key_load},
        {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))free_nothing},
        {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has},
        {0, NULL},
    };
    static const OSSL_DISPATCH decoder[] = {
        {OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new},
        {OSSL_FUNC_DECODER_FREECTX, (void (*)(void))free_nothing},
        {OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode},
        {0, NULL},
    };
    static const OSSL_ALGORITHM all_keys[] = {{EC_NAMES, PROPERTY, keys, NULL}, {0}};
    static const OSSL_ALGORITHM all_decoders[] = {
        {EC_NAMES, PROPERTY ",input=der,structure=SubjectPublicKeyInfo", decoder, NULL}, {0}};

    (void)context;
    *ret_no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return all_keys;
    case OSSL_OP_DECODER:
        return all_decoders;
    case OSSL_OP_DIGEST:
        return blank.sha1;
    default:
        return NULL;
    }
}

/* A certificate's digest is made in the library that has decoded it. Each further algorithm there
 * would be walked past for every key. */
static void find_sha1(void)
{
    static const char name[] = "SHA1";
    int no_cache;
    const OSSL_ALGORITHM *row =
        OSSL_PROVIDER_query_operation(blank.digests, OSSL_OP_DIGEST, &no_cache);

    for (; row && row->algorithm_names; row++)
        if (strncmp(row->algorithm_names, name, sizeof(name) - 1) == 0)
            blank.sha1[0] = *row;
}

/* The context is the digest's: it is the only one here that uses it. */
static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                 const OSSL_DISPATCH **ret_functions, void **ret_context)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
        {0, NULL},
    };

    (void)handle;
    while (core->function_id != 0 && core->function_id != OSSL_FUNC_BIO_READ_EX)
        core++;
    blank.read = OSSL_FUNC_BIO_read_ex(core);
    find_sha1();
    *ret_functions = functions;
    *ret_context = OSSL_PROVIDER_get0_provider_ctx(blank.digests);
    return blank.read ? 1 : 0;
}

void blank_make(OSSL_PROVIDER *digests)
{
    static const char name[] = "mta-stsd-blank";

    blank.digests = digests;
    blank.library = OSSL_LIB_CTX_new();
    if (OSSL_PROVIDER_add_builtin(blank.library, name, start) == 1)
        blank.provider = OSSL_PROVIDER_load(blank.library, name);
    if (!blank.provider)
        blank_free();
}

OSSL_LIB_CTX *blank_library(void)
{
    return blank.library;
}

void blank_free(void)
{
    OSSL_PROVIDER_unload(blank.provider);
    OSSL_LIB_CTX_free(blank.library);
    blank.provider = NULL;
    blank.library = NULL;
}
