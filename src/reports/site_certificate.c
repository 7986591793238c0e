/* SPDX-License-Identifier: MIT */
#include "reports/site_certificate.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"

enum {
    CHAIN_MAX = 256 * 1024, /* bytes of a file */
};

/* A file that all hosts share is read once. */
struct shared_file {
    const char *path;
    STACK_OF(X509) * list;
    int sys_errno; /* 0: it was read */
    UT_hash_handle hh;
};

struct site_certificates {
    const struct config *config;
    int64_t now_unix_s;
    struct arena *arena;
    struct shared_file *shared;
    /* Without any decoder: nobody needs the public keys, and OpenSSL 3 takes longer for one than
     * for all else of a certificate. */
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider;
};

/* The best that was found so far for a host. */
struct leaf_search {
    struct site_certificates *certificates;
    const char *host;
    struct arena *arena;
    struct site_certificate best;
    bool is_denied;
};

struct site_certificates *site_certificates_new(const struct config *config, int64_t now_unix_s)
{
    struct site_certificates *certificates = memory_alloc(sizeof(*certificates));

    *certificates = (struct site_certificates){.config = config,
                                               .now_unix_s = now_unix_s,
                                               .arena = arena_new(0),
                                               .library = OSSL_LIB_CTX_new()};
    certificates->provider = OSSL_PROVIDER_load(certificates->library, "null");
    return certificates;
}

void site_certificates_free(struct site_certificates *certificates)
{
    struct shared_file *shared, *next;

    if (!certificates)
        return;
    HASH_ITER(hh, certificates->shared, shared, next)
    {
        HASH_DEL(certificates->shared, shared);
        sk_X509_pop_free(shared->list, X509_free);
    }
    OSSL_PROVIDER_unload(certificates->provider);
    OSSL_LIB_CTX_free(certificates->library);
    arena_free(certificates->arena);
    free(certificates);
}

static bool certificate_names(X509 *certificate, const char *host)
{
    return X509_check_host(certificate, host, 0,
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           NULL) == 1;
}

/* Adds the certificates of a text to the list; with a host, none after the one that names it: its
 * place is not always the first. */
static void certificates_parse(const struct site_certificates *certificates, struct slice text,
                               const char *host, STACK_OF(X509) * list)
{
    BIO *memory = BIO_new_mem_buf(text.ptr, (int)text.len);
    bool is_found = false;

    while (!is_found) {
        X509 *certificate = X509_new_ex(certificates->library, NULL);

        if (!PEM_read_bio_X509(memory, &certificate, NULL, NULL)) {
            X509_free(certificate);
            break;
        }
        is_found = host && certificate_names(certificate, host);
        sk_X509_push(list, certificate);
    }
    BIO_free(memory);
    ERR_clear_error();
}

/* Adds the certificates of a file to the list. Returns 0, or why it cannot be read. */
static int certificates_read(const struct site_certificates *certificates, const char *path,
                             const char *host, STACK_OF(X509) * list)
{
    int sys_errno = 0;
    struct arena *arena = arena_new(0);
    struct stat status;
    struct slice text;
    struct err err;

    if (file_read_regular(path, CHAIN_MAX, arena, &status, &text, &err) == 0)
        certificates_parse(certificates, text, host, list);
    else
        sys_errno = err.sys_errno;
    arena_free(arena);
    return sys_errno;
}

static int64_t leaf_time(const ASN1_TIME *time)
{
    struct tm parts;

    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static enum site_certificate_state leaf_judge(X509 *leaf, const char *host, int64_t from_unix_s,
                                              int64_t until_unix_s, int64_t now_unix_s)
{
    if (!certificate_names(leaf, host))
        return SITE_CERTIFICATE_NAME;
    if (now_unix_s >= until_unix_s)
        return SITE_CERTIFICATE_EXPIRED;
    if (now_unix_s < from_unix_s)
        return SITE_CERTIFICATE_EARLY;
    if (now_unix_s >= until_unix_s - (until_unix_s - from_unix_s) / 6)
        return SITE_CERTIFICATE_ENDING;
    return SITE_CERTIFICATE_GOOD;
}

static void search_take(struct leaf_search *search, X509 *leaf, const char *path)
{
    int64_t from_unix_s = leaf_time(X509_get0_notBefore(leaf));
    int64_t until_unix_s = leaf_time(X509_get0_notAfter(leaf));
    enum site_certificate_state state =
        leaf_judge(leaf, search->host, from_unix_s, until_unix_s, search->certificates->now_unix_s);

    if (state > search->best.state ||
        (state == search->best.state && until_unix_s <= search->best.until_unix_s))
        return;
    search->best = (struct site_certificate){.state = state,
                                             .from_unix_s = from_unix_s,
                                             .until_unix_s = until_unix_s,
                                             .path = arena_copy(search->arena, slice_of(path))};
}

static void search_take_all(struct leaf_search *search, STACK_OF(X509) * list, const char *path,
                            int sys_errno)
{
    for (int i = 0; i < sk_X509_num(list); i++)
        search_take(search, sk_X509_value(list, i), path);
    search->is_denied |= sys_errno == EACCES || sys_errno == EPERM;
}

static void search_shared(struct leaf_search *search, const char *path)
{
    struct site_certificates *certificates = search->certificates;
    struct shared_file *shared;

    HASH_FIND_STR(certificates->shared, path, shared);
    if (!shared) {
        shared = arena_alloc(certificates->arena, sizeof(*shared));
        shared->list = sk_X509_new_null();
        shared->sys_errno = certificates_read(certificates, path, NULL, shared->list);
        shared->path = arena_copy(certificates->arena, slice_of(path));
        HASH_ADD_KEYPTR(hh, certificates->shared, shared->path, strlen(path), shared);
    }
    search_take_all(search, shared->list, path, shared->sys_errno);
}

static void search_own(struct leaf_search *search, const char *path)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    int sys_errno = certificates_read(search->certificates, path, search->host, list);

    search_take_all(search, list, path, sys_errno);
    sk_X509_pop_free(list, X509_free);
}

/* A host's name has no character that glob() takes for more than itself. */
static void search_matches(struct leaf_search *search, const char *pattern)
{
    glob_t found = {0};

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            search_own(search, found.gl_pathv[i]);
    globfree(&found);
}

struct site_certificate site_certificates_find(struct site_certificates *certificates,
                                               const char *host, struct arena *arena)
{
    const struct config *config = certificates->config;
    struct leaf_search search = {.certificates = certificates,
                                 .host = host,
                                 .arena = arena,
                                 .best = {.state = SITE_CERTIFICATE_MISSING}};

    if (config->n_sources == 0)
        return (struct site_certificate){.state = SITE_CERTIFICATE_UNKNOWN};
    for (size_t i = 0; i < config->n_sources; i++) {
        const char *chain = config->sources[i].chain;
        char *path = cert_path_expand(chain, host);

        if (cert_path_has_star(chain))
            search_matches(&search, path);
        else if (cert_path_has_variable(chain))
            search_own(&search, path);
        else
            search_shared(&search, path);
        free(path);
    }
    if (search.best.state == SITE_CERTIFICATE_MISSING && search.is_denied)
        search.best.state = SITE_CERTIFICATE_UNKNOWN;
    return search.best;
}

bool site_certificate_is_refused(enum site_certificate_state state)
{
    return state == SITE_CERTIFICATE_EXPIRED || state == SITE_CERTIFICATE_EARLY ||
           state == SITE_CERTIFICATE_NAME || state == SITE_CERTIFICATE_MISSING;
}

const char *site_certificate_state_name(enum site_certificate_state state)
{
    static const char *const names[SITE_CERTIFICATE_COUNT] = {
        [SITE_CERTIFICATE_GOOD] = "ok",         [SITE_CERTIFICATE_ENDING] = "ending",
        [SITE_CERTIFICATE_EXPIRED] = "expired", [SITE_CERTIFICATE_EARLY] = "early",
        [SITE_CERTIFICATE_NAME] = "name",       [SITE_CERTIFICATE_MISSING] = "missing",
        [SITE_CERTIFICATE_UNKNOWN] = "unknown",
    };

    return names[state];
}
