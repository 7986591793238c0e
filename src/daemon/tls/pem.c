/* SPDX-License-Identifier: MIT */
#include "daemon/tls/pem.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "daemon/tls/file_kind.h"
#include "daemon/tls/key.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

/* One block of a PEM file, RFC 7468 2; `header` is what RFC 1421 put before the bytes. */
struct pem_block {
    char *name;
    char *header;
    unsigned char *bytes;
    long len;
};

static int take_key(const struct pem_block *block, struct key **ret_key, struct err *err)
{
    /* Told apart by its label, so that no decoder ever comes to ask a terminal for the phrase. */
    if (strcmp(block->name, PEM_STRING_PKCS8) == 0 || strstr(block->header, "ENCRYPTED"))
        return err_set(err, ERR_SYNTAX,
                       "the private key has a pass phrase; remove it: openssl pkey");
    *ret_key = key_decode(block->bytes, (size_t)block->len, err);
    return *ret_key ? 0 : -1;
}

/* After those that are there. */
static void take_certificate(const struct pem_block *block, struct pem *pem)
{
    struct pem_certificate **end = &pem->certificates;
    struct pem_certificate *taken = arena_alloc(pem->arena, sizeof(*taken));
    struct slice der = {(const char *)block->bytes, (size_t)block->len};

    while (*end)
        end = &(*end)->next;
    taken->der = (const unsigned char *)arena_copy(pem->arena, der);
    taken->len = der.len;
    *end = taken;
}

/* Other blocks are passed over: "EC PARAMETERS" before a key, "DH PARAMETERS" of a proxy, and what
 * OpenSSH alone reads. */
static int take_block(const struct pem_block *block, unsigned wanted, struct pem *pem,
                      struct err *err)
{
    bool is_certificate =
        strcmp(block->name, PEM_STRING_X509) == 0 || strcmp(block->name, PEM_STRING_X509_OLD) == 0;

    if (is_certificate && (wanted & (PEM_LEAF | PEM_CERTIFICATES | PEM_CHAIN)))
        take_certificate(block, pem);
    else if ((wanted & PEM_KEY) && !pem->key &&
             slice_ends_with(slice_of(block->name), "PRIVATE KEY") &&
             strcmp(block->name, "OPENSSH PRIVATE KEY") != 0)
        return take_key(block, &pem->key, err);
    return 0;
}

/* Whether nothing is wanted of what follows. */
static bool has_all(unsigned wanted, const struct pem *pem)
{
    return (wanted == PEM_LEAF && pem->certificates) || (wanted == PEM_KEY && pem->key);
}

/* PEM_FLAG_SECURE makes OpenSSL wipe the lines that it has read, also without a secure heap. */
static int take_blocks(BIO *bio, unsigned wanted, struct pem *pem, struct err *err)
{
    struct pem_block block;
    int result = 0;

    while (result == 0 && !has_all(wanted, pem)) {
        if (PEM_read_bio_ex(bio, &block.name, &block.header, &block.bytes, &block.len,
                            PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1)
            return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
                       ? 0
                       : err_set(err, ERR_SYNTAX, "a PEM block is damaged");
        result = take_block(&block, wanted, pem, err);
        OPENSSL_secure_free(block.name);
        OPENSSL_secure_free(block.header);
        OPENSSL_secure_clear_free(block.bytes, (size_t)block.len);
    }
    return result;
}

static enum file_wanted file_wanted_of(unsigned wanted)
{
    if (!(wanted & PEM_KEY))
        return FILE_WANTED_CERTIFICATE;
    return wanted == PEM_KEY ? FILE_WANTED_KEY : FILE_WANTED_BOTH;
}

int pem_parse(struct slice text, unsigned wanted, struct pem *pem, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    int result = take_blocks(bio, wanted, pem, err);
    size_t n_left = BIO_ctrl_pending(bio);

    BIO_free(bio);
    if (wanted & PEM_LEAF)
        pem->rest = (struct slice){text.ptr + text.len - n_left, n_left};
    if (result != 0)
        return -1;
    if (((wanted & (PEM_LEAF | PEM_CERTIFICATES)) && !pem->certificates) ||
        ((wanted & PEM_KEY) && !pem->key))
        return err_set(err, ERR_SYNTAX, "%s", file_kind_describe(text, file_wanted_of(wanted)));
    return 0;
}
