/* SPDX-License-Identifier: MIT */
/*
 * TLSA records of a host with one certificate, each after an octet with its length. A record that
 * can be used has numbers that SMTP knows; one of usage 3 matches if and only if its data is what
 * the numbers say, computed here again; and the verdict follows from the matches.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "check/mx_trust.h"
#include "check/tlsa.h"
#include "lib/base/err.h"

#include "require.h"

/* Self-signed, for mx.example, valid for a hundred years. */
static const char certificate_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBmDCCAT6gAwIBAgIUeH9ZcfP/TvFHDQ1RHM0ZpN2JwaMwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKbXguZXhhbXBsZTAgFw0yNjExMjkwNDE3MDFaGA8yMTI2MTEw\n"
    "NTA0MTcwMVowFTETMBEGA1UEAwwKbXguZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABIgySsSUmP4TIYQmZxKscPHewF4sfCd1fFFoII1FkVkJwztUileR\n"
    "p/Vxl0Ri1oaGQN0dKrWIxk5qdaAoIOyBoDijajBoMB0GA1UdDgQWBBQQN+aBkBAl\n"
    "satipTQjWFptZ6SfHjAfBgNVHSMEGDAWgBQQN+aBkBAlsatipTQjWFptZ6SfHjAP\n"
    "BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCm14LmV4YW1wbGUwCgYIKoZIzj0E\n"
    "AwIDSAAwRQIhAOviYsvLQFMy8R3PibCVKbIq9vslacXK9+WUnBBK2Q9qAiAOAuvZ\n"
    "1CaNEprVFodSSv5egjSl2IMZDMcN297n/4QA9Q==\n"
    "-----END CERTIFICATE-----\n";

enum {
    RECORDS_MAX = 8, /* each is tried alone, which takes its time */
    NOW_UNIX_S = 1800000000,
};

static struct mx_trust *trust;
static STACK_OF(X509) * chain;

static void chain_make(void)
{
    BIO *bio = BIO_new_mem_buf(certificate_pem, -1);
    struct err err;

    trust = mx_trust_new(NULL, &err);
    chain = sk_X509_new_null();
    sk_X509_push(chain, PEM_read_bio_X509(bio, NULL, NULL, NULL));
    BIO_free(bio);
}

/* Whether the data is that of the certificate, by the record's numbers. */
static bool data_is_own(const struct tlsa_record *record)
{
    X509 *certificate = sk_X509_value(chain, 0);
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    int len = record->selector == 0 ? i2d_X509(certificate, &der)
                                    : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool is_own;

    if (record->matching != 0)
        EVP_Digest(der, (size_t)len, digest, &digest_len,
                   record->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    is_own = record->matching == 0
                 ? slice_eq(record->data, (struct slice){(char *)der, (size_t)len})
                 : slice_eq(record->data, (struct slice){(char *)digest, digest_len});
    OPENSSL_free(der);
    return is_own;
}

static void require_record(const struct tlsa_record *record, bool matches)
{
    char text[TLSA_TEXT_MAX];

    require(strlen(tlsa_print(record, text)) < TLSA_TEXT_MAX, "a record is printed in its room");
    require(tlsa_use_text(record->use) != NULL, "a use has words");
    if (record->use != TLSA_USABLE) {
        require(!matches, "a record that cannot be used does not match");
        return;
    }
    require(record->usage == 2 || record->usage == 3, "a usage is one of SMTP's");
    require(record->selector <= 1 && record->matching <= 2, "the other numbers are known");
    if (record->usage == 3)
        require(matches == data_is_own(record), "a match is one that can be computed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct tlsa_record records[RECORDS_MAX];
    struct tlsa_judgement seen;
    size_t n_records = 0, n_usable = 0;

    if (trust == NULL)
        chain_make();
    while (n_records < RECORDS_MAX && rest.len > 0) {
        size_t len = (unsigned char)rest.ptr[0] + (size_t)1;
        records[n_records++] = tlsa_parse(slice_range(rest, 1, len));
        rest = slice_range(rest, len, rest.len);
    }
    tlsa_judge(trust, records, n_records, chain, "mx.example", NOW_UNIX_S, &seen);
    for (size_t i = 0; i < n_records; i++) {
        require_record(&records[i], (seen.matches >> i & 1) != 0);
        n_usable += records[i].use == TLSA_USABLE;
    }
    require(seen.n_usable == n_usable, "the usable records are counted");
    require((seen.verdict == TLSA_ENCRYPTED) == (n_usable == 0), "without them, none is asked for");
    require(seen.verdict != TLSA_AUTHENTICATED || seen.matches != 0, "who is let in has matched");
    require((seen.matches & seen.lacking) == 0, "what matches lacks no match");
    return 0;
}
