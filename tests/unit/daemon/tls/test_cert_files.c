/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/chain_cache.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/pki.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"

enum {
    NOBODY = 65534,
    MAPPING_MAX = 64 * 1024 * 1024, /* what is larger is a sanitizer's own */
};

static int64_t fixed_unix_s(const struct clock *clock)
{
    (void)clock;
    return PKI_NOW_UNIX_S;
}

static const struct clock fixed_clock = {.unix_s = fixed_unix_s};
static struct probe_context context = {.clock = &fixed_clock};

static void make(struct cert_files *files, const char *chain, const char *key)
{
    cert_files_init(files, &(struct cert_source){chain, key}, &context);
}

/* Returns whether there was something to probe; *last becomes what was found. */
static bool probe_again(struct cert_files *files, const char *host, struct probe_mark *last)
{
    struct probe probe;

    if (!cert_files_changed(files, host, last))
        return false;
    cert_files_probe(files, host, &probe);
    assert_int_equal(probe.certificate != NULL, probe.mark.result == PROBE_GOOD);
    assert_int_equal(probe.err.msg[0] == '\0', probe.mark.result == PROBE_GOOD);
    certificate_unref(probe.certificate);
    *last = probe.mark;
    return true;
}

static void check_found(struct cert_files *files, const char *host, struct probe_mark *last,
                        enum probe_result want)
{
    assert_true(probe_again(files, host, last));
    assert_int_equal(last->result, want);
}

static void test_files_of_a_host(void **state)
{
    struct probe_mark of_a = {0}, of_b = {0};
    struct cert_files files;

    (void)state;
    make(&files, "{host}.pem", "{host}.key");
    assert_false(files.is_shared);
    check_found(&files, A, &of_a, PROBE_ABSENT);
    assert_false(probe_again(&files, A, &of_a));
    pki_write_pair(A ".pem", A ".key", A, 90);
    check_found(&files, A, &of_a, PROBE_GOOD);
    assert_false(probe_again(&files, A, &of_a));
    check_found(&files, B, &of_b, PROBE_ABSENT);
    pki_write_pair(A ".pem", A ".key", B, 90);
    check_found(&files, A, &of_a, PROBE_NAME_MISMATCH);
    pki_write(A ".key", "no key\n", NULL);
    check_found(&files, A, &of_a, PROBE_FAULT);
    assert_false(probe_again(&files, A, &of_a));
    unlink(A ".key"); /* what could not be read is read again each time */
    check_found(&files, A, &of_a, PROBE_FAULT);
    check_found(&files, A, &of_a, PROBE_FAULT);
    cert_files_done(&files);
}

/* Read at the first question; what has changed since is for the background pass to find. */
static void test_files_of_all(void **state)
{
    struct probe_mark of_a = {0}, of_b = {0};
    struct cert_files files;
    struct probe probe;
    bool is_kept;

    (void)state;
    make(&files, "all.pem", "all.key");
    assert_true(files.is_shared);
    pki_write_pair("all.pem", "all.key", A, 90);
    assert_false(cert_files_refresh(&files, &probe, &is_kept));
    check_found(&files, A, &of_a, PROBE_GOOD);
    check_found(&files, B, &of_b, PROBE_NAME_MISMATCH);
    assert_false(cert_files_refresh(&files, &probe, &is_kept));

    pki_write("all.key", "no key\n", NULL);
    assert_false(probe_again(&files, A, &of_a));
    assert_true(cert_files_refresh(&files, &probe, &is_kept));
    assert_int_equal(probe.mark.result, PROBE_FAULT);
    assert_true(is_kept);
    assert_false(cert_files_refresh(&files, &probe, &is_kept));

    pki_write_pair("all.pem", "all.key", A ",DNS:" B, -10); /* expired */
    assert_true(cert_files_refresh(&files, &probe, &is_kept));
    assert_int_equal(probe.mark.result, PROBE_WORSE);
    assert_true(is_kept);
    assert_false(cert_files_refresh(&files, &probe, &is_kept));
    assert_false(probe_again(&files, B, &of_b));

    pki_write_pair("all.pem", "all.key", A ",DNS:" B, 90);
    assert_true(cert_files_refresh(&files, &probe, &is_kept));
    assert_int_equal(probe.mark.result, PROBE_GOOD);
    assert_false(is_kept);
    check_found(&files, B, &of_b, PROBE_GOOD);
    cert_files_done(&files);
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
    struct probe probes[ARRAY_LEN(rows)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_files files;
        char host[] = "mta-sts.0.example";

        host[8] = (char)('0' + i);
        write_leaf(host, authorities[rows[i].issuer], authorities[rows[i].sent]->certificate_pem,
                   rows[i].is_combined);
        make(&files, "{host}.pem", rows[i].is_combined ? "{host}.pem" : "{host}.key");
        cert_files_probe(&files, host, &probes[i]);
        assert_int_equal(probes[i].mark.result, PROBE_GOOD);
        if ((certificate_check(probes[i].certificate, host, PKI_NOW_UNIX_S, NULL) == 0) !=
            rows[i].is_complete)
            fail_msg("row %zu: another chain", i);
        cert_files_done(&files);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        certificate_unref(probes[i].certificate);
    pki_free(root);
    pki_free(authorities[0]);
    pki_free(authorities[1]);
}

/* root may read everything, so it has to become somebody else to be refused. */
static void become(uid_t user)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(user), 0);
}

static void test_access(void **state)
{
    static const struct {
        const char *chain, *want;
    } rows[] = {
        {"live/{host}/x.pem", NULL},
        {"live/x{host}/{host}.pem", NULL},
        {"{host}.pem", NULL},
        {"/{host}.pem", NULL},
        {"none{host}.pem", NULL},
        {"none/{host}.pem", "'none' cannot be listed: No such file or directory"},
        {"none/x/y{host}.pem", "'none/x' cannot be listed: No such file or directory"},
        {"file.pem/{host}", "'file.pem' cannot be listed: Not a directory"},
        {"secret/{host}/x.pem", "'secret' cannot be listed: Permission denied"},
        {"file.pem", NULL},
        {"none.pem", NULL},
        {"none/x.pem", NULL},
        {"locked.pem", NULL}, /* its directory can be listed: the fault is the file's own */
        {"secret/x.pem", "'secret' cannot be listed: Permission denied"},
    };

    (void)state;
    mkdir("live", 0755);
    mkdir("secret", 0);
    pki_write("file.pem", "", NULL);
    pki_write("locked.pem", "", NULL);
    chmod("locked.pem", 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_files files;
        struct err err = {0};
        int result;

        make(&files, rows[i].chain, "key.pem");
        become(NOBODY);
        result = cert_files_check_access(&files, &err);
        become(0);
        cert_files_done(&files);
        if (result != (rows[i].want ? -1 : 0) || err.code != (rows[i].want ? ERR_IO : ERR_NONE) ||
            (result != 0 && strcmp(err.msg, rows[i].want) != 0))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want ? rows[i].want : "nothing",
                     err.msg);
    }
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
    struct probe_mark last = {0};
    struct cert_files files;
    pid_t child = fork();
    int status, fd;

    (void)state;
    if (child == 0) {
        pki_write_pair(A ".pem", A ".key", A, 90);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    make(&files, "{host}.pem", "{host}.key");
    check_found(&files, A, &last, PROBE_GOOD);
    fd = open(A ".key", O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text)) == sizeof(text));
    close(fd);
    /* The second line of base64, with most of the scalar. */
    assert_false(is_in_memory(text + strlen("-----BEGIN PRIVATE KEY-----\n"), 64));
    cert_files_done(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_a_host),       cmocka_unit_test(test_files_of_all),
        cmocka_unit_test(test_chains_of_hosts),       cmocka_unit_test(test_access),
        cmocka_unit_test(test_text_of_keys_is_wiped),
    };

    struct handshake_trial *trial;
    int result;

    context.chains = chain_cache_new();
    context.trial = trial = handshake_trial_new();
    result = cmocka_run_group_tests_name("tls.cert_files", tests, pki_enter_directory,
                                         pki_leave_directory);
    handshake_trial_free(trial);
    chain_cache_unref(context.chains);
    return result;
}
