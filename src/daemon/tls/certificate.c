/* SPDX-License-Identifier: MIT */
#include "daemon/tls/certificate.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <utlist.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "daemon/tls/chain_cache.h"
#include "daemon/tls/chain_order.h"
#include "daemon/tls/key.h"
#include "daemon/tls/pem.h"
#include "daemon/tls/trust_store.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

enum {
    NAMES_SHOWN = 3,
    PATH_SHOWN = 180, /* bytes of a path in a message */
    LIFE_PARTS = 6,   /* the last of them is when a renewal is overdue */
};

struct certificate {
    atomic_size_t references;
    X509 *leaf;
    EVP_PKEY *key;
    struct chain *chain; /* what is sent after the leaf */
    char *path;
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
};

/* Puts the file's path before the reason, cut so that the reason still fits. */
static int err_name_file(struct err *err, const char *path)
{
    int sys_errno = err->sys_errno;

    err_set(err, err->code, "%.*s: %s", PATH_SHOWN, path, err->msg);
    err->sys_errno = sys_errno;
    return -1;
}

/*
 * The leaf is the first certificate; in one file with the key, where any order will do, it is the
 * one that the key belongs to. If there is none, the message names the key's file.
 */
static int certificate_take_leaf(struct certificate *made, struct pem *pem, const char *chain_path,
                                 const char *key_path, struct err *err)
{
    bool is_combined = strcmp(chain_path, key_path) == 0;
    struct pem_certificate **link = &pem->certificates;

    do {
        if (key_decode_certificate(pem->key, (*link)->der, (*link)->len, &made->leaf, &made->key,
                                   err) == 0) {
            *link = (*link)->next;
            return 0;
        }
        if (err->code == ERR_SYNTAX)
            return err_name_file(err, chain_path);
        link = &(*link)->next;
    } while (is_combined && *link);
    if (is_combined || !chain_order_explain(pem, err))
        return err_name_file(err, key_path);
    return err_name_file(err, chain_path);
}

static int time_to_unix_s(const ASN1_TIME *time, int64_t *ret_unix_s)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return -1;
    *ret_unix_s = (int64_t)timegm(&parts);
    return 0;
}

static int certificate_take_dates(struct certificate *made, struct err *err)
{
    if (time_to_unix_s(X509_get0_notBefore(made->leaf), &made->not_before_unix_s) != 0 ||
        time_to_unix_s(X509_get0_notAfter(made->leaf), &made->not_after_unix_s) != 0)
        return err_set(err, ERR_SYNTAX, "the dates of the certificate are damaged");
    return 0;
}

static int pem_read_file(const char *path, unsigned wanted, struct pem *pem, struct err *err)
{
    struct stat status;
    struct slice text;

    if (file_read_regular(path, CERTIFICATE_FILE_MAX, pem->arena, &status, &text, err) != 0 ||
        pem_parse(text, wanted, pem, err) != 0)
        return err_name_file(err, path);
    return 0;
}

static int pem_read_files(const char *chain_path, const char *key_path, struct pem *pem,
                          struct err *err)
{
    if (strcmp(chain_path, key_path) == 0)
        return pem_read_file(chain_path, PEM_CERTIFICATES | PEM_KEY, pem, err);
    if (pem_read_file(chain_path, PEM_LEAF, pem, err) != 0)
        return -1;
    return pem_read_file(key_path, PEM_KEY, pem, err);
}

static struct slice pem_join(const struct pem *pem)
{
    const struct pem_certificate *at;
    size_t len = 0;
    char *joined, *to;

    LL_FOREACH (pem->certificates, at)
        len += at->len;
    joined = to = arena_alloc(pem->arena, len);
    LL_FOREACH (pem->certificates, at)
        to = mempcpy(to, at->der, at->len);
    return (struct slice){joined, len};
}

/*
 * Behind the leaf of one host stands the same text as behind another's, so a chain is known by its
 * text and decoded once. A text that holds the key as well is only this host's: there it is the
 * DER.
 */
static int certificate_take_chain(struct certificate *made, struct pem *pem,
                                  struct chain_cache *chains, struct err *err)
{
    struct slice name = pem->rest.ptr ? pem->rest : pem_join(pem);

    made->chain = chain_cache_acquire(chains, name);
    if (made->chain)
        return 0;
    if (pem->rest.len > 0 && pem_parse(pem->rest, PEM_CHAIN, pem, err) != 0)
        return -1;
    made->chain = chain_cache_add(chains, name, pem->certificates);
    return made->chain ? 0 : err_set(err, ERR_SYNTAX, "a certificate is damaged");
}

static int certificate_assemble(struct certificate *made, struct pem *pem, const char *chain_path,
                                const char *key_path, struct chain_cache *chains, struct err *err)
{
    if (certificate_take_leaf(made, pem, chain_path, key_path, err) != 0)
        return -1;
    if (certificate_take_chain(made, pem, chains, err) != 0 ||
        certificate_take_dates(made, err) != 0)
        return err_name_file(err, chain_path);
    return 0;
}

int certificate_load(const char *chain_path, const char *key_path, struct chain_cache *chains,
                     struct certificate **ret_certificate, struct err *err)
{
    struct certificate *made = memory_alloc(sizeof(*made));
    struct pem pem = {.arena = arena_new(0)};
    int result = pem_read_files(chain_path, key_path, &pem, err);

    *made = (struct certificate){.references = 1};
    if (result == 0)
        result = certificate_assemble(made, &pem, chain_path, key_path, chains, err);
    made->path = strcpy(memory_alloc(strlen(chain_path) + 1), chain_path);
    if (result == 0)
        *ret_certificate = made;
    else
        certificate_unref(made);
    key_free(pem.key);
    arena_wipe(pem.arena); /* the key's text, and its DER */
    arena_free(pem.arena);
    ERR_clear_error();
    return result;
}

struct certificate *certificate_ref(struct certificate *certificate)
{
    atomic_fetch_add_explicit(&certificate->references, 1, memory_order_relaxed);
    return certificate;
}

void certificate_unref(struct certificate *certificate)
{
    if (!certificate ||
        atomic_fetch_sub_explicit(&certificate->references, 1, memory_order_acq_rel) != 1)
        return;
    X509_free(certificate->leaf);
    EVP_PKEY_free(certificate->key);
    chain_release(certificate->chain);
    free(certificate->path);
    free(certificate);
}

/* The same chain of one cache is one chain. */
bool certificate_eq(const struct certificate *a, const struct certificate *b)
{
    return a->chain == b->chain && X509_cmp(a->leaf, b->leaf) == 0;
}

bool certificate_covers(const struct certificate *certificate, const char *host)
{
    bool covers;

    if (host[0] == '.') /* which X509_check_host() takes for any host below */
        return false;
    covers =
        X509_check_host(certificate->leaf, host, 0,
                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                        NULL) == 1;
    ERR_clear_error();
    return covers;
}

/* Appends what fits; the rest is cut. */
static void text_append(char *buffer, size_t size, const char *text)
{
    size_t used = strlen(buffer);

    strncat(buffer, text, size - used - 1);
}

const char *certificate_names_render(const struct certificate *certificate, char *buffer,
                                     size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    char text[ERR_QUOTE_MAX];
    size_t n_dns = 0;

    buffer[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (type != GEN_DNS || ++n_dns > NAMES_SHOWN)
            continue;
        text_append(buffer, size, n_dns > 1 ? ", " : "");
        text_append(buffer, size,
                    err_quote(text, sizeof(text),
                              (struct slice){(const char *)ASN1_STRING_get0_data(value),
                                             (size_t)ASN1_STRING_length(value)}));
    }
    if (n_dns > NAMES_SHOWN) {
        snprintf(text, sizeof(text), " and %zu more", n_dns - NAMES_SHOWN);
        text_append(buffer, size, text);
    }
    text_append(buffer, size, n_dns == 0 ? "no DNS name" : "");
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return buffer;
}

const char *certificate_issuer_render(const struct certificate *certificate, char *buffer,
                                      size_t size)
{
    BIO *out = BIO_new(BIO_s_mem());
    int len = 0;

    if (out &&
        X509_NAME_print_ex(out, X509_get_issuer_name(certificate->leaf), 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_read(out, buffer, (int)size - 1);
    buffer[len > 0 ? len : 0] = '\0';
    BIO_free(out);
    return buffer;
}

const char *certificate_path(const struct certificate *certificate)
{
    return certificate->path;
}

int64_t certificate_not_before_unix_s(const struct certificate *certificate)
{
    return certificate->not_before_unix_s;
}

int64_t certificate_not_after_unix_s(const struct certificate *certificate)
{
    return certificate->not_after_unix_s;
}

static finding_set certificate_check_life(const struct certificate *certificate, int64_t now_unix_s)
{
    int64_t life_s = certificate->not_after_unix_s - certificate->not_before_unix_s;
    int64_t left_s = certificate->not_after_unix_s - now_unix_s;

    if (left_s < 0) /* RFC 5280 4.1.2.5: valid through notAfter, inclusive */
        return finding_bit(FINDING_CERTIFICATE_EXPIRED);
    if (now_unix_s < certificate->not_before_unix_s)
        return finding_bit(FINDING_CERTIFICATE_NOT_YET_VALID);
    if (left_s * LIFE_PARTS <= life_s)
        return finding_bit(FINDING_CERTIFICATE_EXPIRING);
    return 0;
}

/* Whether the leaf says where its issuer's certificate can be fetched: RFC 5280 4.2.2.1, caIssuers.
 * Public authorities say so of every intermediate, and nobody of a root. */
static bool leaf_names_intermediate(X509 *leaf)
{
    AUTHORITY_INFO_ACCESS *accesses = X509_get_ext_d2i(leaf, NID_info_access, NULL, NULL);
    bool is_named = false;

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(accesses); i++)
        is_named |=
            OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(accesses, i)->method) == NID_ad_ca_issuers;
    AUTHORITY_INFO_ACCESS_free(accesses);
    return is_named;
}

static finding_set certificate_check_chain(const struct certificate *certificate,
                                           const struct trust_store *trust)
{
    const STACK_OF(X509) *sent = chain_certificates(certificate->chain);
    X509 *last = certificate->leaf;
    /* Any link will do: what is sent after a trusted one is for senders with older roots. */
    bool is_trusted = trust_store_issued(trust, last);

    for (int i = 0; i < sk_X509_num(sent); i++) {
        X509 *issuer = sk_X509_value(sent, i);

        if (X509_check_issued(issuer, last) != X509_V_OK)
            return finding_bit(FINDING_CERTIFICATE_CHAIN);
        last = issuer;
        is_trusted = is_trusted || trust_store_issued(trust, last);
    }
    if (is_trusted)
        return 0;
    if (last == certificate->leaf && leaf_names_intermediate(last))
        return finding_bit(FINDING_CERTIFICATE_CHAIN);
    return trust_store_is_empty(trust) ? 0 : finding_bit(FINDING_CERTIFICATE_UNTRUSTED);
}

finding_set certificate_check(const struct certificate *certificate, const char *host,
                              int64_t now_unix_s, const struct trust_store *trust)
{
    finding_set found = certificate_check_life(certificate, now_unix_s);

    if (host && !certificate_covers(certificate, host))
        found |= finding_bit(FINDING_CERTIFICATE_NAME);
    if (X509_self_signed(certificate->leaf, 0) == 1)
        found |= finding_bit(FINDING_CERTIFICATE_SELF_SIGNED);
    else
        found |= certificate_check_chain(certificate, trust);
    ERR_clear_error();
    return found;
}

const char *certificate_date_render(int64_t unix_s, char buffer[static CERTIFICATE_DATE_MAX])
{
    time_t seconds = (time_t)unix_s;
    struct tm parts;

    strftime(buffer, CERTIFICATE_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &parts));
    return buffer;
}

const char *certificate_findings_render(const struct certificate *certificate, finding_set findings,
                                        char *buffer, size_t size)
{
    const struct {
        enum finding finding;
        const char *words;
        const int64_t *at_unix_s;
    } rows[] = {
        {FINDING_CERTIFICATE_SELF_SIGNED,
         "self-signed, which no sender trusts; get one from a public authority", NULL},
        {FINDING_CERTIFICATE_UNTRUSTED,
         "its chain leads to no root that this system trusts; get one from a public authority",
         NULL},
        {FINDING_CERTIFICATE_EXPIRED, "expired on ", &certificate->not_after_unix_s},
        {FINDING_CERTIFICATE_EXPIRING, "in the last sixth of its life, expires on ",
         &certificate->not_after_unix_s},
        {FINDING_CERTIFICATE_NOT_YET_VALID, "not valid before ", &certificate->not_before_unix_s},
        {FINDING_CERTIFICATE_CHAIN,
         chain_order_words(certificate->leaf, chain_certificates(certificate->chain)), NULL},
    };
    char date[CERTIFICATE_DATE_MAX];

    buffer[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!(findings & finding_bit(rows[i].finding)))
            continue;
        text_append(buffer, size, buffer[0] == '\0' ? "" : "; ");
        text_append(buffer, size, rows[i].words);
        text_append(buffer, size,
                    rows[i].at_unix_s ? certificate_date_render(*rows[i].at_unix_s, date) : "");
    }
    return buffer;
}

int certificate_install(struct certificate *certificate, struct ssl_st *ssl)
{
    /* The ClientHello after a HelloRetryRequest may name another host: nothing may be left over. */
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, certificate->leaf, certificate->key,
                                chain_certificates(certificate->chain), 1) == 1
               ? 0
               : -1;
}
