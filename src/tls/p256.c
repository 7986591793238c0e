/* SPDX-License-Identifier: MIT */
#include "tls/p256.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

enum {
    POINT_LEN = 65, /* uncompressed */
    FUNCTIONS_MAX = 48,
};

/* All that is in a SubjectPublicKeyInfo of P-256 before an uncompressed point. */
static const unsigned char head[] = {
    0x30, 0x59, 0x30, 0x13,                                     /* SEQUENCE, SEQUENCE */
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,       /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* secp256r1 */
    0x03, 0x42, 0x00,                                           /* BIT STRING */
};

/* Once wrapped, read only. */
static struct {
    OSSL_FUNC_BIO_read_ex_fn *bio_read;
    OSSL_FUNC_BIO_ctrl_fn *bio_ctrl;
    /* The provider's own. */
    OSSL_FUNC_decoder_decode_fn *decode;
    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keymgmt_load_fn *key_load;
    OSSL_FUNC_keymgmt_dup_fn *key_dup;
    OSSL_FUNC_keymgmt_set_params_fn *key_set_params;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    void *template; /* a key with the group and nothing else */
    /* Its tables, with own functions in them. */
    OSSL_DISPATCH decoder[FUNCTIONS_MAX];
    OSSL_DISPATCH keys[FUNCTIONS_MAX];
} p256;

/* How the decoder below hands a key to load(), told by sender from what the provider's hand over.
 */
struct parcel {
    const void *sender;
    void **key; /* NULL once it is taken */
};

static void *load(const void *reference, size_t size)
{
    const struct parcel *parcel = reference;
    void *key;

    if (size != sizeof(*parcel) || parcel->sender != &p256)
        return p256.key_load(reference, size);
    key = *parcel->key;
    *parcel->key = NULL;
    return key;
}

static void free_key(void *key)
{
    if (key)
        p256.key_free(key);
}

static void *key_with_point(unsigned char *point)
{
    void *key = p256.key_dup(p256.template, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, POINT_LEN),
        OSSL_PARAM_construct_end(),
    };

    if (key && p256.key_set_params(key, params) == 1)
        return key;
    free_key(key);
    return NULL;
}

static void *read_key(OSSL_CORE_BIO *in)
{
    unsigned char bytes[sizeof(head) + POINT_LEN];
    size_t len;

    if (p256.bio_read(in, (char *)bytes, sizeof(bytes), &len) != 1 || len != sizeof(bytes) ||
        memcmp(bytes, head, sizeof(head)) != 0)
        return NULL;
    return key_with_point(bytes + sizeof(head));
}

static int hand_over(void *key, OSSL_CALLBACK *take, void *argument)
{
    struct parcel parcel = {&p256, &key};
    char data_type[] = SN_X9_62_id_ecPublicKey;
    int type = OSSL_OBJECT_PKEY, result;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, data_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &parcel, sizeof(parcel)),
        OSSL_PARAM_construct_end(),
    };

    result = take(params, argument);
    free_key(key);
    return result;
}

static int decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *take,
                  void *argument, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_argument)
{
    long start = p256.bio_ctrl(in, BIO_C_FILE_TELL, 0, NULL);
    bool is_wanted = selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY);
    void *key = is_wanted && start >= 0 ? read_key(in) : NULL;

    if (key)
        return hand_over(key, take, argument);
    p256.bio_ctrl(in, BIO_C_FILE_SEEK, start, NULL);
    return p256.decode(context, in, selection, take, argument, ask, ask_argument);
}

/* The table's row of a function; its last row, which has none, if there is no such row. */
static const OSSL_DISPATCH *find(const OSSL_DISPATCH *row, int function_id)
{
    while (row->function_id != 0 && row->function_id != function_id)
        row++;
    return row;
}

static void find_all(const OSSL_DISPATCH *core, const OSSL_DISPATCH *keys,
                     const OSSL_DISPATCH *decoder)
{
    p256.bio_read = OSSL_FUNC_BIO_read_ex(find(core, OSSL_FUNC_BIO_READ_EX));
    p256.bio_ctrl = OSSL_FUNC_BIO_ctrl(find(core, OSSL_FUNC_BIO_CTRL));
    p256.decode = OSSL_FUNC_decoder_decode(find(decoder, OSSL_FUNC_DECODER_DECODE));
    p256.key_new = OSSL_FUNC_keymgmt_new(find(keys, OSSL_FUNC_KEYMGMT_NEW));
    p256.key_import = OSSL_FUNC_keymgmt_import(find(keys, OSSL_FUNC_KEYMGMT_IMPORT));
    p256.key_load = OSSL_FUNC_keymgmt_load(find(keys, OSSL_FUNC_KEYMGMT_LOAD));
    p256.key_dup = OSSL_FUNC_keymgmt_dup(find(keys, OSSL_FUNC_KEYMGMT_DUP));
    p256.key_set_params = OSSL_FUNC_keymgmt_set_params(find(keys, OSSL_FUNC_KEYMGMT_SET_PARAMS));
    p256.key_free = OSSL_FUNC_keymgmt_free(find(keys, OSSL_FUNC_KEYMGMT_FREE));
}

/* Returns whether the template is there. */
static bool make_template(void *context)
{
    char group[] = SN_X9_62_prime256v1;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end(),
    };

    p256.template = p256.key_new(context);
    return p256.template &&
           p256.key_import(p256.template, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, params) == 1;
}

/* Returns whether `to` is the table `from` with this function in place of its own. */
static bool put(const OSSL_DISPATCH *from, int function_id, void (*function)(void),
                OSSL_DISPATCH to[FUNCTIONS_MAX])
{
    for (size_t i = 0; i < FUNCTIONS_MAX; i++) {
        to[i] = from[i];
        if (from[i].function_id == 0)
            return true;
        if (from[i].function_id == function_id)
            to[i].function = function;
    }
    return false;
}

static bool is_complete(void)
{
    return p256.bio_read && p256.bio_ctrl && p256.decode && p256.key_new && p256.key_import &&
           p256.key_load && p256.key_dup && p256.key_set_params && p256.key_free;
}

void p256_wrap(void *context, const OSSL_DISPATCH *core, OSSL_ALGORITHM *keys,
               OSSL_ALGORITHM *decoder)
{
    p256_unwrap();
    find_all(core, keys->implementation, decoder->implementation);
    if (!is_complete())
        return;
    if (!make_template(context) ||
        !put(keys->implementation, OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))load, p256.keys) ||
        !put(decoder->implementation, OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode,
             p256.decoder)) {
        p256_unwrap();
        return;
    }
    keys->implementation = p256.keys;
    decoder->implementation = p256.decoder;
}

void p256_unwrap(void)
{
    free_key(p256.template);
    memset(&p256, 0, sizeof(p256));
}
