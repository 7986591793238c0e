/* SPDX-License-Identifier: MIT */
#include "check/tlsa.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "check/mx_trust.h"

enum {
    USAGE_DANE_TA = 2,
    USAGE_DANE_EE = 3,
    SELECTORS = 2, /* certificate, key */
    MATCHING_FULL = 0,
    MATCHING_SHA256 = 1,
    MATCHING_SHA512 = 2,
    DATA_SHOWN = 8, /* octets */
    AUTH_LEVEL = 1, /* as for the certificate itself: mx_cert.c */
};

static bool data_is_certificate(struct slice data)
{
    const unsigned char *at = (const unsigned char *)data.ptr;
    X509 *certificate = d2i_X509(NULL, &at, (long)data.len);
    bool is_whole = certificate && at == (const unsigned char *)data.ptr + data.len;

    X509_free(certificate);
    return is_whole;
}

static bool data_is_key(struct slice data)
{
    const unsigned char *at = (const unsigned char *)data.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)data.len);
    bool is_whole = key && at == (const unsigned char *)data.ptr + data.len;

    EVP_PKEY_free(key);
    return is_whole;
}

static enum tlsa_use record_use(const struct tlsa_record *record)
{
    bool is_good = false;

    if (record->usage != USAGE_DANE_TA && record->usage != USAGE_DANE_EE)
        return TLSA_BAD_USAGE;
    if (record->selector >= SELECTORS)
        return TLSA_BAD_SELECTOR;
    switch (record->matching) {
    case MATCHING_SHA256:
        return record->data.len == 32 ? TLSA_USABLE : TLSA_BAD_LENGTH;
    case MATCHING_SHA512:
        return record->data.len == 64 ? TLSA_USABLE : TLSA_BAD_LENGTH;
    case MATCHING_FULL:
        ERR_set_mark();
        is_good =
            record->selector == 0 ? data_is_certificate(record->data) : data_is_key(record->data);
        ERR_pop_to_mark();
        return is_good ? TLSA_USABLE : TLSA_BAD_DATA;
    default:
        return TLSA_BAD_MATCHING;
    }
}

struct tlsa_record tlsa_parse(struct slice rdata)
{
    struct tlsa_record record = {.use = TLSA_BAD_FORMAT};

    if (rdata.len < 4)
        return record;
    record.usage = (uint8_t)rdata.ptr[0];
    record.selector = (uint8_t)rdata.ptr[1];
    record.matching = (uint8_t)rdata.ptr[2];
    record.data = slice_range(rdata, 3, rdata.len);
    record.use = record_use(&record);
    return record;
}

const char *tlsa_use_text(enum tlsa_use use)
{
    static const char *const texts[TLSA_USE_COUNT] = {
        [TLSA_USABLE] = "can be used",
        [TLSA_BAD_FORMAT] = "is too short",
        [TLSA_BAD_USAGE] = "has a usage that SMTP does not have (expected 2 or 3)",
        [TLSA_BAD_SELECTOR] = "has an unknown selector (expected 0 or 1)",
        [TLSA_BAD_MATCHING] = "has an unknown matching type (expected 0, 1 or 2)",
        [TLSA_BAD_LENGTH] = "has a digest of the wrong length",
        [TLSA_BAD_DATA] = "holds no certificate or key",
    };

    return texts[use];
}

const char *tlsa_print(const struct tlsa_record *record, char buffer[TLSA_TEXT_MAX])
{
    size_t shown = record->data.len < DATA_SHOWN ? record->data.len : DATA_SHOWN, len;

    len = (size_t)snprintf(buffer, TLSA_TEXT_MAX, "%u %u %u ", record->usage, record->selector,
                           record->matching);
    for (size_t i = 0; i < shown; i++)
        len += (size_t)snprintf(buffer + len, TLSA_TEXT_MAX - len, "%02x",
                                (unsigned char)record->data.ptr[i]);
    if (shown < record->data.len)
        snprintf(buffer + len, TLSA_TEXT_MAX - len, "...");
    return buffer;
}

/* One verification of the chain by some of the records. */
struct tlsa_trial {
    SSL *ssl;
    int first_error; /* X509_V_OK: none */
};

static int trial_on_verify(int is_good, X509_STORE_CTX *context)
{
    struct tlsa_trial *trial = X509_STORE_CTX_get_app_data(context);

    if (!is_good && trial->first_error == X509_V_OK)
        trial->first_error = X509_STORE_CTX_get_error(context);
    return 1;
}

/* Usage 3 binds the key to the name by DNSSEC alone: no names, no dates (RFC 7671 5.1). */
static SSL *trial_ssl(const struct mx_trust *trust, const char *name)
{
    SSL *ssl = SSL_new(mx_trust_context(trust));

    if (ssl == NULL || SSL_dane_enable(ssl, name) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return ssl;
}

static void trial_add(struct tlsa_trial *trial, const struct tlsa_record *record)
{
    SSL_dane_tlsa_add(trial->ssl, record->usage, record->selector, record->matching,
                      (const unsigned char *)record->data.ptr, record->data.len);
}

/* What a handshake does with the chain when it comes; here the chain is kept from an earlier one,
 * so that records can be tried one by one. */
static void trial_run(struct tlsa_trial *trial, const struct mx_trust *trust,
                      STACK_OF(X509) * chain, int64_t now_unix_s)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;

    trial->first_error = X509_V_ERR_UNSPECIFIED;
    if (context == NULL ||
        X509_STORE_CTX_init(context, mx_trust_roots(trust), sk_X509_value(chain, 0), chain) != 1) {
        X509_STORE_CTX_free(context);
        return;
    }
    trial->first_error = X509_V_OK;
    X509_STORE_CTX_set0_dane(context, SSL_get0_dane(trial->ssl));
    X509_STORE_CTX_set_default(context, "ssl_server");
    param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set1(param, SSL_get0_param(trial->ssl));
    X509_VERIFY_PARAM_set_time(param, (time_t)now_unix_s);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_STORE_CTX_set_app_data(context, trial);
    X509_STORE_CTX_set_verify_cb(context, trial_on_verify);
    if (X509_verify_cert(context) != 1 && trial->first_error == X509_V_OK)
        trial->first_error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
}

/* Whether a certificate of the chain matched, even if the chain was then refused. */
static bool trial_has_match(const struct tlsa_trial *trial)
{
    SSL_set_verify_result(trial->ssl, X509_V_OK); /* SSL_get0_dane_authority() asks for it */
    return SSL_get0_dane_authority(trial->ssl, NULL, NULL) >= 0;
}

static bool is_same_combination(const struct tlsa_record *a, const struct tlsa_record *b)
{
    return a->usage == b->usage && a->selector == b->selector && a->matching == b->matching;
}

/* A usable record of the same usage and selector with a stronger digest: the weaker is not used. */
static bool is_outdone(const struct tlsa_record *record, const struct tlsa_record *other)
{
    return other->use == TLSA_USABLE && other->usage == record->usage &&
           other->selector == record->selector && record->matching == MATCHING_SHA256 &&
           other->matching == MATCHING_SHA512;
}

static void records_compare(const struct tlsa_record *records, size_t n_records,
                            struct tlsa_judgement *judgement)
{
    for (size_t i = 0; i < n_records; i++) {
        bool has_match = false;
        if (records[i].use != TLSA_USABLE)
            continue;
        for (size_t j = 0; j < n_records; j++) {
            if (is_outdone(&records[i], &records[j]))
                judgement->ignored |= UINT64_C(1) << i;
            if (records[j].use == TLSA_USABLE && is_same_combination(&records[i], &records[j]) &&
                (judgement->matches & UINT64_C(1) << j))
                has_match = true;
        }
        if (!has_match)
            judgement->lacking |= UINT64_C(1) << i;
    }
}

static enum tlsa_verdict verdict_of_error(int error, bool has_match)
{
    if (error == X509_V_OK)
        return TLSA_AUTHENTICATED;
    if (error == X509_V_ERR_HOSTNAME_MISMATCH)
        return TLSA_NOT_NAMED;
    return has_match ? TLSA_NOT_VALID : TLSA_NO_MATCH;
}

void tlsa_judge(const struct mx_trust *trust, const struct tlsa_record *records, size_t n_records,
                STACK_OF(X509) * chain, const char *name, int64_t now_unix_s,
                struct tlsa_judgement *ret_judgement)
{
    struct tlsa_judgement judgement = {.verdict = TLSA_ENCRYPTED, .words = ""};
    struct tlsa_trial all = {.ssl = trial_ssl(trust, name)};

    n_records = n_records < TLSA_RECORDS_MAX ? n_records : TLSA_RECORDS_MAX;
    for (size_t i = 0; i < n_records && all.ssl; i++) {
        struct tlsa_trial one = {0};
        if (records[i].use != TLSA_USABLE || !(one.ssl = trial_ssl(trust, name)))
            continue;
        judgement.n_usable++;
        trial_add(&all, &records[i]);
        trial_add(&one, &records[i]);
        trial_run(&one, trust, chain, now_unix_s);
        if (trial_has_match(&one))
            judgement.matches |= UINT64_C(1) << i;
        SSL_free(one.ssl);
    }
    if (judgement.n_usable > 0) {
        trial_run(&all, trust, chain, now_unix_s);
        judgement.verdict = verdict_of_error(all.first_error, trial_has_match(&all));
        if (judgement.verdict == TLSA_NOT_VALID)
            judgement.words = X509_verify_cert_error_string(all.first_error);
    }
    SSL_free(all.ssl);
    records_compare(records, n_records, &judgement);
    *ret_judgement = judgement;
}
