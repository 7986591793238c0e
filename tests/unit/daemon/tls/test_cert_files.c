/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/chain_cache.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/pki.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"

enum {
    MAPPING_MAX = 64 * 1024 * 1024, /* what is larger is a sanitizer's own */
};

static const struct stamp never;
static struct handshake_trial *trial;

static void make(struct source *source, const char *chain, const char *key,
                 struct chain_cache *chains)
{
    source_init(source, &(struct cert_source){chain, key}, chains, trial);
}

/* One look; the stamp of what was seen is kept for the next. */
static enum look_result look_at(struct source *source, const char *host, struct stamp *last)
{
    struct look look;

    source_look(source, host, last, &look);
    assert_int_equal(look.certificate != NULL, look.result == LOOK_GOOD);
    certificate_unref(look.certificate);
    if (look.result != LOOK_SAME)
        *last = look.stamp;
    return look.result;
}

static void test_files_of_a_host(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct stamp of_a = never, of_b = never;
    struct source source;

    (void)state;
    make(&source, "{host}.pem", "{host}.key", chains);
    assert_false(source.is_shared);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_ABSENT);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_SAME);
    pki_write_pair(A ".pem", A ".key", A, 90);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_GOOD);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_SAME);
    assert_int_equal(look_at(&source, B, &of_b), LOOK_ABSENT);
    pki_write_pair(A ".pem", A ".key", B, 90);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_OTHER_NAME);
    pki_write(A ".key", "no key\n", NULL);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_FAULT);
    source_done(&source);
    chain_cache_unref(chains);
}

/* Read at the first question; what has changed since is for the background pass to find. */
static void test_files_of_all(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct stamp of_a = never, of_b = never;
    const struct certificate *kept;
    struct source source;
    struct look look;

    (void)state;
    make(&source, "all.pem", "all.key", chains);
    assert_true(source.is_shared);
    pki_write_pair("all.pem", "all.key", A, 90);
    assert_false(source_refresh(&source, &look, &kept));
    assert_int_equal(look_at(&source, A, &of_a), LOOK_GOOD);
    assert_int_equal(look_at(&source, B, &of_b), LOOK_OTHER_NAME);
    assert_false(source_refresh(&source, &look, &kept));

    pki_write("all.key", "no key\n", NULL);
    assert_int_equal(look_at(&source, A, &of_a), LOOK_SAME);
    assert_true(source_refresh(&source, &look, &kept));
    assert_int_equal(look.result, LOOK_FAULT);
    assert_non_null(kept);
    assert_false(source_refresh(&source, &look, &kept));

    pki_write_pair("all.pem", "all.key", A ",DNS:" B, 90);
    assert_true(source_refresh(&source, &look, &kept));
    assert_int_equal(look.result, LOOK_GOOD);
    assert_null(kept);
    assert_int_equal(look_at(&source, B, &of_b), LOOK_GOOD);
    source_done(&source);
    chain_cache_unref(chains);
}

/* How a host's files are laid out: two files, or one with the key after the leaf. */
static void write_leaf(const char *host, const struct pki_identity *issuer, const char *chain,
                       bool is_combined)
{
    char names[64], chain_path[64], key_path[64];
    struct pki_request request = {.common_name = host, .names = names};
    struct pki_identity *leaf;

    snprintf(names, sizeof(names), "DNS:%s", host);
    snprintf(chain_path, sizeof(chain_path), "%s.pem", host);
    snprintf(key_path, sizeof(key_path), "%s.key", host);
    leaf = pki_issue(&request, "P-256", issuer);
    if (is_combined) {
        pki_write(chain_path, leaf->certificate_pem, leaf->key_pem, chain, NULL);
    } else {
        pki_write(chain_path, leaf->certificate_pem, chain, NULL);
        pki_write(key_path, leaf->key_pem, NULL);
    }
    pki_free(leaf);
}

/* The second of each kind gets the chain that the first had, and never another's. */
static void test_chains_of_hosts(void **state)
{
    const struct pki_request request = {.common_name = "R", .role = PKI_AUTHORITY};
    struct pki_identity *root = pki_issue(&request, "P-256", NULL);
    struct pki_identity *authorities[] = {pki_issue(&request, "P-256", root),
                                          pki_issue(&request, "P-256", root)};
    static const struct {
        size_t issuer, sent;
        bool is_combined, is_complete;
    } rows[] = {
        {0, 0, false, true}, {0, 0, false, true},  {1, 1, false, true},
        {1, 1, true, true},  {0, 0, true, true},   {0, 0, true, true},
        {1, 1, false, true}, {0, 1, false, false}, {1, 0, true, false},
    };
    struct chain_cache *chains = chain_cache_new();
    struct look looks[ARRAY_LEN(rows)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct source source;
        char host[] = "mta-sts.0.example";

        host[8] = (char)('0' + i);
        write_leaf(host, authorities[rows[i].issuer], authorities[rows[i].sent]->certificate_pem,
                   rows[i].is_combined);
        make(&source, "{host}.pem", rows[i].is_combined ? "{host}.pem" : "{host}.key", chains);
        source_look(&source, host, &never, &looks[i]);
        assert_int_equal(looks[i].result, LOOK_GOOD);
        if ((certificate_check(looks[i].certificate, host, PKI_NOW_UNIX_S, NULL) == 0) !=
            rows[i].is_complete)
            fail_msg("row %zu: another chain", i);
        source_done(&source);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        certificate_unref(looks[i].certificate);
    chain_cache_unref(chains);
    pki_free(root);
    pki_free(authorities[0]);
    pki_free(authorities[1]);
}

static void test_probe(void **state)
{
    static const struct {
        const char *chain;
        int want;
    } rows[] = {
        {"./{host}.pem", 0},    {"./{host}/chain.pem", 0}, {"none/{host}.pem", -1},
        {"./absent.pem", 0},    {"none/absent.pem", 0},    {"probed.pem/{host}.pem", -1},
        {"./x{host}/chain", 0}, {"probed.pem", 0},
    };
    struct chain_cache *chains = chain_cache_new();
    struct err err;

    (void)state;
    pki_write("probed.pem", "", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct source source;
        int result;

        make(&source, rows[i].chain, "key.pem", chains);
        result = source_probe(&source, &err);
        if (result != rows[i].want)
            fail_msg("row %zu: wanted %d, saw %d", i, rows[i].want, result);
        source_done(&source);
    }
    chain_cache_unref(chains);
}

/* Whether memory that can be written holds the text, but for the mapping that the text itself is in
 * and the stack, where this is asked. Read as a file, so that no sanitizer minds what was freed. */
static bool is_in_memory(const char *text, size_t len)
{
    static char buffer[256 * 1024];
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512];
    bool is_found = false;

    assert_true(maps && memory >= 0);
    while (fgets(line, sizeof(line), maps)) {
        uintptr_t from, to;

        assert_int_equal(sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to), 2);
        if (!strstr(line, " rw-p ") || strstr(line, "[stack]") || to - from > MAPPING_MAX ||
            (from <= (uintptr_t)text && (uintptr_t)text < to))
            continue;
        for (uintptr_t at = from; at < to; at += sizeof(buffer) - len) {
            ssize_t count = pread(memory, buffer, sizeof(buffer), (off_t)at);

            is_found |= count > 0 && memmem(buffer, (size_t)count, text, len);
        }
    }
    fclose(maps);
    close(memory);
    return is_found;
}

/* The key is made in another process, so that only its file and what reads that can leave a copy.
 */
static void test_text_of_keys_is_wiped(void **state)
{
    static char text[200]; /* beside the buffer, in no heap */
    struct chain_cache *chains = chain_cache_new();
    struct stamp last = never;
    struct source source;
    pid_t child = fork();
    int status, fd;

    (void)state;
    if (child == 0) {
        pki_write_pair(A ".pem", A ".key", A, 90);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    make(&source, "{host}.pem", "{host}.key", chains);
    assert_int_equal(look_at(&source, A, &last), LOOK_GOOD);
    fd = open(A ".key", O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text)) == sizeof(text));
    close(fd);
    /* The second line of base64, with most of the scalar. */
    assert_false(is_in_memory(text + strlen("-----BEGIN PRIVATE KEY-----\n"), 64));
    source_done(&source);
    chain_cache_unref(chains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_a_host),       cmocka_unit_test(test_files_of_all),
        cmocka_unit_test(test_chains_of_hosts),       cmocka_unit_test(test_probe),
        cmocka_unit_test(test_text_of_keys_is_wiped),
    };

    int result;

    trial = handshake_trial_new();
    result =
        cmocka_run_group_tests_name("tls.source", tests, pki_enter_directory, pki_leave_directory);
    handshake_trial_free(trial);
    return result;
}
