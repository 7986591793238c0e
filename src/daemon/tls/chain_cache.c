/* SPDX-License-Identifier: MIT */
#include "daemon/tls/chain_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>
#include <utlist.h>

#include <openssl/x509v3.h>

#include "daemon/tls/pem.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"

enum {
    UNUSED_MAX = 16, /* a pass over all certificates keeps none, and decodes no chain twice */
};

struct chain {
    UT_hash_handle hh;
    struct chain *next; /* among the unused, the longest unused first */
    struct chain_cache *chains;
    size_t n_uses;
    STACK_OF(X509) * certificates;
    size_t name_len;
    char name[];
};

struct chain_cache {
    pthread_mutex_t lock; /* of all that is here, and of the chains' n_uses */
    size_t references;    /* the owner's, and one a chain in use */
    struct chain *by_name;
    struct chain *unused;
    size_t n_unused;
};

struct chain_cache *chain_cache_new(void)
{
    struct chain_cache *chains = memory_alloc(sizeof(*chains));

    *chains = (struct chain_cache){.references = 1};
    pthread_mutex_init(&chains->lock, NULL);
    return chains;
}

X509 *x509_decode(const unsigned char *der, size_t len)
{
    X509 *certificate = d2i_X509(NULL, &der, (long)len);

    /* Makes OpenSSL parse the extensions now, not in whichever thread first asks for them. */
    if (certificate)
        X509_check_purpose(certificate, -1, 0);
    return certificate;
}

static void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    sk_X509_pop_free(chain->certificates, X509_free);
    free(chain);
}

/* Under the lock, where there is one; the caller frees it. */
static struct chain *take_longest_unused(struct chain_cache *chains)
{
    struct chain *chain = chains->unused;

    chains->unused = chain->next;
    chains->n_unused--;
    HASH_DEL(chains->by_name, chain);
    return chain;
}

void chain_cache_unref(struct chain_cache *chains)
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
    HASH_CLEAR(hh, chains->by_name); /* the table; the unused stay linked */
    LL_FOREACH_SAFE (chains->unused, chain, next)
        chain_free(chain);
    pthread_mutex_destroy(&chains->lock);
    free(chains);
}

static struct chain *chain_decode(struct slice name, const struct pem_certificate *certificates)
{
    struct chain *chain = memory_alloc(sizeof(*chain) + name.len);

    *chain = (struct chain){.certificates = sk_X509_new_null(), .name_len = name.len};
    memcpy(chain->name, name.ptr, name.len);
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

/* Under the lock; NULL if there is none of this name. */
static struct chain *chain_use(struct chain_cache *chains, struct slice name)
{
    struct chain *chain;

    HASH_FIND(hh, chains->by_name, name.ptr, name.len, chain);
    if (chain && chain->n_uses++ == 0) {
        LL_DELETE(chains->unused, chain);
        chains->n_unused--;
        chains->references++;
    }
    return chain;
}

struct chain *chain_cache_acquire(struct chain_cache *chains, struct slice name)
{
    struct chain *chain;

    pthread_mutex_lock(&chains->lock);
    chain = chain_use(chains, name);
    pthread_mutex_unlock(&chains->lock);
    return chain;
}

struct chain *chain_cache_add(struct chain_cache *chains, struct slice name,
                              const struct pem_certificate *certificates)
{
    struct chain *made = chain_decode(name, certificates); /* outside the lock */
    struct chain *chain;

    if (!made)
        return NULL;
    pthread_mutex_lock(&chains->lock);
    chain = chain_use(chains, name); /* another thread may have been faster */
    if (!chain) {
        chain = made;
        made = NULL;
        chain->chains = chains;
        chain->n_uses = 1;
        chains->references++;
        HASH_ADD_KEYPTR(hh, chains->by_name, chain->name, chain->name_len, chain);
    }
    pthread_mutex_unlock(&chains->lock);
    chain_free(made);
    return chain;
}

void chain_release(struct chain *chain)
{
    struct chain *leaving = NULL;
    struct chain_cache *chains;
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
        chain_cache_unref(chains);
}

STACK_OF(X509) * chain_certificates(const struct chain *chain)
{
    return chain->certificates;
}
