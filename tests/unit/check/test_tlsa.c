/* SPDX-License-Identifier: MIT */
#include "check/tlsa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "check/mx_trust.h"
#include "lib/base/err.h"
#include "support/pki.h"

static struct pki_identity *root, *middle, *leaf, *expired, *other;
static struct mx_trust *trust;

static int open_trust(void **state)
{
    const struct pki_request authority = {.common_name = "root", .role = PKI_AUTHORITY},
                             between = {.common_name = "middle", .role = PKI_AUTHORITY},
                             good = {.common_name = "leaf", .names = "DNS:mx.example"},
                             past = {.common_name = "expired",
                                     .names = "DNS:mx.example",
                                     .not_before_unix_s = PKI_NOW_UNIX_S - 9 * PKI_DAY_S,
                                     .not_after_unix_s = PKI_NOW_UNIX_S - 1};
    struct err err;

    pki_enter_directory(state);
    root = pki_issue(&authority, "P-256", NULL); /* trusted by nobody */
    middle = pki_issue(&between, "P-256", root);
    leaf = pki_issue(&good, "P-256", middle);
    other = pki_issue(&good, "P-256", middle);
    expired = pki_issue(&past, "P-256", middle);
    pki_write("roots.pem", other->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    return 0;
}

static int close_trust(void **state)
{
    mx_trust_free(trust);
    pki_free(root);
    pki_free(middle);
    pki_free(leaf);
    pki_free(other);
    pki_free(expired);
    return pki_leave_directory(state);
}

/* Writes the rdata of the record that matches `certificate`; returns its length. */
static size_t rdata_write(unsigned char *rdata, unsigned usage, unsigned selector,
                          unsigned matching, X509 *certificate)
{
    unsigned char *der = NULL;
    unsigned len = 0;
    int der_len = selector == 0 ? i2d_X509(certificate, &der)
                                : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    rdata[0] = (unsigned char)usage;
    rdata[1] = (unsigned char)selector;
    rdata[2] = (unsigned char)matching;
    if (matching == 0) {
        memcpy(rdata + 3, der, (size_t)der_len);
        len = (unsigned)der_len;
    } else {
        EVP_Digest(der, (size_t)der_len, rdata + 3, &len,
                   matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    }
    OPENSSL_free(der);
    return len + 3;
}

static void tells_which_records_can_be_used(void **state)
{
    static const struct {
        size_t data_len;
        unsigned char numbers[3];
        enum tlsa_use use;
    } rows[] = {
        {0, {3, 1, 1}, TLSA_BAD_FORMAT},    {31, {3, 1, 1}, TLSA_BAD_LENGTH},
        {32, {3, 1, 1}, TLSA_USABLE},       {33, {3, 1, 1}, TLSA_BAD_LENGTH},
        {32, {2, 0, 1}, TLSA_USABLE},       {63, {3, 1, 2}, TLSA_BAD_LENGTH},
        {64, {3, 0, 2}, TLSA_USABLE},       {65, {3, 0, 2}, TLSA_BAD_LENGTH},
        {32, {0, 1, 1}, TLSA_BAD_USAGE},    {32, {1, 1, 1}, TLSA_BAD_USAGE},
        {32, {4, 1, 1}, TLSA_BAD_USAGE},    {32, {255, 1, 1}, TLSA_BAD_USAGE},
        {32, {3, 2, 1}, TLSA_BAD_SELECTOR}, {32, {3, 255, 1}, TLSA_BAD_SELECTOR},
        {32, {3, 1, 3}, TLSA_BAD_MATCHING}, {32, {3, 1, 255}, TLSA_BAD_MATCHING},
        {32, {3, 0, 0}, TLSA_BAD_DATA},     {32, {3, 1, 0}, TLSA_BAD_DATA},
    };
    unsigned char rdata[80] = {0};

    (void)state;
    for (size_t len = 0; len < 3; len++)
        assert_int_equal(tlsa_parse((struct slice){(char *)rdata, len}).use, TLSA_BAD_FORMAT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tlsa_record record;
        memcpy(rdata, rows[i].numbers, 3);
        record = tlsa_parse((struct slice){(char *)rdata, rows[i].data_len + 3});
        if (record.use != rows[i].use)
            fail_msg("row %zu: expected '%s', found '%s'", i, tlsa_use_text(rows[i].use),
                     tlsa_use_text(record.use));
    }
}

static void takes_whole_certificates_and_keys(void **state)
{
    unsigned char rdata[4096];

    (void)state;
    for (unsigned selector = 0; selector < 2; selector++) {
        size_t len = rdata_write(rdata, 2, selector, 0, root->certificate);
        assert_int_equal(tlsa_parse((struct slice){(char *)rdata, len}).use, TLSA_USABLE);
        assert_int_equal(tlsa_parse((struct slice){(char *)rdata, len - 1}).use, TLSA_BAD_DATA);
        assert_int_equal(tlsa_parse((struct slice){(char *)rdata, len + 1}).use, TLSA_BAD_DATA);
        rdata[1] = (unsigned char)!selector;
        assert_int_equal(tlsa_parse((struct slice){(char *)rdata, len}).use, TLSA_BAD_DATA);
    }
}

static void prints_what_a_person_compares(void **state)
{
    struct slice rdata = SLICE_BYTES("\3\1\1\0\x12\x34\x56\x78\x9a\xbc\xde\xff"),
                 shorter = SLICE_BYTES("\3\1\1\0\x12");
    char text[TLSA_TEXT_MAX];
    struct tlsa_record record = tlsa_parse(rdata);

    (void)state;
    assert_string_equal(tlsa_print(&record, text), "3 1 1 00123456789abcde...");
    record = tlsa_parse(shorter);
    assert_string_equal(tlsa_print(&record, text), "3 1 1 0012");
}

/* Which certificate a record is made of. */
enum whose { NOBODY, LEAF, MIDDLE, ROOT, OTHER, EXPIRED };

static X509 *whose_certificate(enum whose whose)
{
    X509 *all[] = {NULL,
                   leaf->certificate,
                   middle->certificate,
                   root->certificate,
                   other->certificate,
                   expired->certificate};

    return all[whose];
}

struct chain_row {
    struct {
        unsigned usage, selector, matching;
        enum whose whose;
    } records[4];
    enum whose chain[3];
    const char *name;
    enum tlsa_verdict verdict;
    uint64_t matches, ignored, lacking;
};

static void chain_row_check(size_t i, const struct chain_row *row)
{
    static const char *const names[] = {"authenticated", "no match", "not named", "not valid",
                                        "encrypted"};
    static unsigned char rdata[4][4096];
    struct tlsa_record records[4];
    struct tlsa_judgement seen;
    STACK_OF(X509) *chain = sk_X509_new_null();
    size_t n_records = 0;

    for (; n_records < 4 && row->records[n_records].whose != NOBODY; n_records++) {
        size_t len = rdata_write(rdata[n_records], row->records[n_records].usage,
                                 row->records[n_records].selector, row->records[n_records].matching,
                                 whose_certificate(row->records[n_records].whose));
        records[n_records] = tlsa_parse((struct slice){(char *)rdata[n_records], len});
    }
    for (size_t j = 0; j < 3 && row->chain[j] != NOBODY; j++)
        sk_X509_push(chain, whose_certificate(row->chain[j]));
    tlsa_judge(trust, records, n_records, chain, row->name, PKI_NOW_UNIX_S, &seen);
    sk_X509_free(chain);
    if (seen.verdict != row->verdict || seen.matches != row->matches ||
        seen.ignored != row->ignored || seen.lacking != row->lacking)
        fail_msg("row %zu: expected %s %llx %llx %llx, found %s %llx %llx %llx (%s)", i,
                 names[row->verdict], (unsigned long long)row->matches,
                 (unsigned long long)row->ignored, (unsigned long long)row->lacking,
                 names[seen.verdict], (unsigned long long)seen.matches,
                 (unsigned long long)seen.ignored, (unsigned long long)seen.lacking, seen.words);
}

static void judges_chains(void **state)
{
    static const struct chain_row rows[] = {
        /* usage 3: the leaf alone; neither its name nor its dates nor its issuer matter */
        {{{3, 1, 1, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 0, 1, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 1, 2, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 0, 0, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 1, 0, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 1, 1, LEAF}}, {LEAF}, "a.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 1, 1, EXPIRED}}, {EXPIRED}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{3, 1, 1, OTHER}}, {LEAF, MIDDLE}, "mx.example", TLSA_NO_MATCH, 0, 0, 1},
        {{{3, 1, 1, MIDDLE}}, {LEAF, MIDDLE}, "mx.example", TLSA_NO_MATCH, 0, 0, 1},
        {{{3, 1, 1, OTHER}, {3, 1, 1, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 2, 0, 0},
        /* usage 2: a certificate of the chain that was sent, with name and dates */
        {{{2, 0, 1, MIDDLE}}, {LEAF, MIDDLE}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{2, 1, 1, MIDDLE}}, {LEAF, MIDDLE}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{2, 1, 1, ROOT}}, {LEAF, MIDDLE, ROOT}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{2, 1, 1, ROOT}}, {LEAF, MIDDLE}, "mx.example", TLSA_NO_MATCH, 0, 0, 1},
        {{{2, 0, 0, ROOT}}, {LEAF, MIDDLE}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{2, 1, 0, ROOT}}, {LEAF, MIDDLE}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 0},
        {{{2, 1, 1, MIDDLE}}, {LEAF, MIDDLE}, "a.example", TLSA_NOT_NAMED, 1, 0, 0},
        {{{2, 1, 1, MIDDLE}}, {EXPIRED, MIDDLE}, "mx.example", TLSA_NOT_VALID, 1, 0, 0},
        {{{2, 1, 1, LEAF}}, {LEAF, MIDDLE}, "mx.example", TLSA_NO_MATCH, 0, 0, 1},
        /* usages 0 and 1 */
        {{{1, 1, 1, LEAF}}, {LEAF}, "mx.example", TLSA_ENCRYPTED, 0, 0, 0},
        {{{0, 1, 1, OTHER}}, {LEAF}, "mx.example", TLSA_ENCRYPTED, 0, 0, 0},
        {{{1, 1, 1, LEAF}, {3, 1, 1, OTHER}}, {LEAF}, "mx.example", TLSA_NO_MATCH, 0, 0, 2},
        /* digest agility: the stronger digest counts, within one usage and selector */
        {{{3, 1, 1, LEAF}, {3, 1, 2, LEAF}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 3, 1, 0},
        {{{3, 1, 1, LEAF}, {3, 1, 2, OTHER}}, {LEAF}, "mx.example", TLSA_NO_MATCH, 1, 1, 2},
        {{{3, 1, 1, LEAF}, {3, 0, 2, OTHER}}, {LEAF}, "mx.example", TLSA_AUTHENTICATED, 1, 0, 2},
        /* each combination has a match, or some sender finds none */
        {{{3, 1, 1, LEAF}, {2, 1, 1, OTHER}},
         {LEAF, MIDDLE},
         "mx.example",
         TLSA_AUTHENTICATED,
         1,
         0,
         2},
        {{{3, 1, 1, LEAF}, {3, 1, 1, OTHER}, {2, 1, 1, MIDDLE}, {2, 1, 1, OTHER}},
         {LEAF, MIDDLE},
         "mx.example",
         TLSA_AUTHENTICATED,
         5,
         0,
         0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        chain_row_check(i, &rows[i]);
}

static void no_records_are_no_usable_ones(void **state)
{
    static const char *const name = "mx.example";
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct tlsa_judgement seen;

    (void)state;
    sk_X509_push(chain, leaf->certificate);
    tlsa_judge(trust, NULL, 0, chain, name, PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_ENCRYPTED);
    assert_int_equal(seen.n_usable, 0);
    sk_X509_free(chain);
}

static void looks_at_a_bounded_number(void **state)
{
    struct tlsa_record records[TLSA_RECORDS_MAX + 1];
    unsigned char rdata[2][64];
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct tlsa_judgement seen;
    size_t len;

    (void)state;
    sk_X509_push(chain, leaf->certificate);
    len = rdata_write(rdata[0], 3, 1, 1, other->certificate);
    rdata_write(rdata[1], 3, 1, 1, leaf->certificate);
    for (size_t i = 0; i <= TLSA_RECORDS_MAX; i++)
        records[i] = tlsa_parse((struct slice){(char *)rdata[i == TLSA_RECORDS_MAX], len});
    tlsa_judge(trust, records, TLSA_RECORDS_MAX + 1, chain, "mx.example", PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_NO_MATCH);
    assert_int_equal(seen.n_usable, TLSA_RECORDS_MAX);
    tlsa_judge(trust, records + 1, TLSA_RECORDS_MAX, chain, "mx.example", PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_AUTHENTICATED);
    assert_true(seen.matches == UINT64_C(1) << 63);
    sk_X509_free(chain);
}

static void asks_for_a_name_beside_usage_2(void **state)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct tlsa_judgement seen;
    struct tlsa_record record;
    unsigned char rdata[64];
    size_t len = rdata_write(rdata, 2, 1, 1, middle->certificate);

    (void)state;
    record = tlsa_parse((struct slice){(char *)rdata, len});
    sk_X509_push(chain, leaf->certificate);
    sk_X509_push(chain, middle->certificate);
    tlsa_judge(trust, &record, 1, chain, "mx.example", PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_AUTHENTICATED);
    tlsa_judge(trust, &record, 1, chain, "canonical.example", PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_NOT_NAMED);
    tlsa_judge(trust, &record, 1, chain, NULL, PKI_NOW_UNIX_S, &seen);
    assert_int_equal(seen.verdict, TLSA_AUTHENTICATED);
    sk_X509_free(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_which_records_can_be_used),
        cmocka_unit_test(takes_whole_certificates_and_keys),
        cmocka_unit_test(prints_what_a_person_compares),
        cmocka_unit_test(judges_chains),
        cmocka_unit_test(no_records_are_no_usable_ones),
        cmocka_unit_test(looks_at_a_bounded_number),
        cmocka_unit_test(asks_for_a_name_beside_usage_2),
    };

    return cmocka_run_group_tests(tests, open_trust, close_trust);
}
