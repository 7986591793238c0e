/* SPDX-License-Identifier: MIT */
#include "tls/chain.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>
#include <utlist.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "tls/pem.h"

enum {
    DIGEST_LEN = 32, /* SHA-256 */
    UNUSED_MAX = 16, /* a pass over all certificates keeps none, and decodes no chain twice */
};

struct chain {
    unsigned char digest[DIGEST_LEN]; /* of all the bytes; DER says by itself where it ends */
    UT_hash_handle hh;
    struct chain *next; /* among the unused, the longest unused first */
    struct chains *chains;
    size_t n_uses;
    STACK_OF(X509) * certificates;
};

struct chains {
    pthread_mutex_t lock; /* of all that is here, and of the chains' n_uses */
    size_t references;    /* the owner's, and one a chain in use */
    struct chain *by_digest;
    struct chain *unused;
    size_t n_unused;
};

struct chains *chains_new(void)
{
    struct chains *chains = memory_alloc(sizeof(*chains));

    *chains = (struct chains){.references = 1};
    pthread_mutex_init(&chains->lock, NULL);
    return chains;
}

X509 *x509_decode(const unsigned char *der, size_t len)
{
    X509 *certificate = d2i_X509(NULL, &der, (long)len);

    /* Makes OpenSSL take its extensions apart now, not in whichever thread first asks for them. */
    if (certificate)
        X509_check_purpose(certificate, -1, 0);
    return certificate;
}

static void compute_digest(const struct pem_certificate *certificates,
                           unsigned char ret_digest[DIGEST_LEN])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int is_good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (; certificates && is_good; certificates = certificates->next)
        is_good = EVP_DigestUpdate(context, certificates->der, certificates->len);
    if (!is_good || EVP_DigestFinal_ex(context, ret_digest, NULL) != 1)
        abort();
    EVP_MD_CTX_free(context);
}

static void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    sk_X509_pop_free(chain->certificates, X509_free);
    free(chain);
}

/* Under the lock, where there is one; the caller frees it. */
static struct chain *take_longest_unused(struct chains *chains)
{
    struct chain *chain = chains->unused;

    chains->unused = chain->next;
    chains->n_unused--;
    HASH_DEL(chains->by_digest, chain);
    return chain;
}

void chains_unref(struct chains *chains)
{
    struct chain *chain, *next;
    size_t n_left;

    if (!chains)
        return;
    pthread_mutex_lock(&chains->lock);
    n_left = --chains->references;
    pthread_mutex_unlock(&chains->lock);
    if (n_left > 0)
        return;
    HASH_CLEAR(hh, chains->by_digest); /* the table; the unused stay linked */
    LL_FOREACH_SAFE (chains->unused, chain, next)
        chain_free(chain);
    pthread_mutex_destroy(&chains->lock);
    free(chains);
}

static struct chain *chain_decode(const struct pem_certificate *certificates)
{
    struct chain *chain = memory_alloc(sizeof(*chain));

    *chain = (struct chain){.certificates = sk_X509_new_null()};
    for (; certificates; certificates = certificates->next) {
        X509 *decoded = x509_decode(certificates->der, certificates->len);

        if (!decoded || sk_X509_push(chain->certificates, decoded) <= 0) {
            X509_free(decoded);
            chain_free(chain);
            return NULL;
        }
    }
    return chain;
}

/* Under the lock; a use of the chain, or NULL. */
static struct chain *use(struct chains *chains, const unsigned char digest[DIGEST_LEN])
{
    struct chain *chain;

    HASH_FIND(hh, chains->by_digest, digest, DIGEST_LEN, chain);
    if (!chain)
        return NULL;
    if (chain->n_uses++ == 0) {
        LL_DELETE(chains->unused, chain);
        chains->n_unused--;
        chains->references++;
    }
    return chain;
}

static struct chain *find(struct chains *chains, const unsigned char digest[DIGEST_LEN])
{
    struct chain *chain;

    pthread_mutex_lock(&chains->lock);
    chain = use(chains, digest);
    pthread_mutex_unlock(&chains->lock);
    return chain;
}

/* Another thread may have been faster; then its chain is taken and `made` goes. */
static struct chain *add(struct chains *chains, struct chain *made)
{
    struct chain *chain;

    pthread_mutex_lock(&chains->lock);
    chain = use(chains, made->digest);
    if (!chain) {
        chain = made;
        made = NULL;
        chain->chains = chains;
        chain->n_uses = 1;
        chains->references++;
        HASH_ADD(hh, chains->by_digest, digest, DIGEST_LEN, chain);
    }
    pthread_mutex_unlock(&chains->lock);
    chain_free(made);
    return chain;
}

struct chain *chain_take(struct chains *chains, const struct pem_certificate *certificates)
{
    unsigned char digest[DIGEST_LEN];
    struct chain *chain;

    compute_digest(certificates, digest);
    chain = find(chains, digest);
    if (chain)
        return chain;
    chain = chain_decode(certificates); /* outside the lock */
    if (!chain)
        return NULL;
    memcpy(chain->digest, digest, DIGEST_LEN);
    return add(chains, chain);
}

void chain_release(struct chain *chain)
{
    struct chain *leaving = NULL;
    struct chains *chains;
    bool is_unused;

    if (!chain)
        return;
    chains = chain->chains;
    pthread_mutex_lock(&chains->lock);
    is_unused = --chain->n_uses == 0;
    if (is_unused) {
        LL_APPEND(chains->unused, chain);
        if (++chains->n_unused > UNUSED_MAX)
            leaving = take_longest_unused(chains);
    }
    pthread_mutex_unlock(&chains->lock);
    chain_free(leaving);
    if (is_unused)
        chains_unref(chains);
}

STACK_OF(X509) * chain_certificates(const struct chain *chain)
{
    return chain->certificates;
}
