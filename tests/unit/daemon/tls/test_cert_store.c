/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/certificate.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/pki.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"
#define C "mta-sts.c.example"
#define WILD "certificates: wild.pem"
#define LIVE "live/" A "/fullchain.pem"
#define IN_USE(date) ": a certificate valid until 2027-" date "T08:00:00Z is in use\n"
#define BIT(name) (UINT64_C(1) << FINDING_CERTIFICATE_##name)
#define KEPT "; the certificate read before stays in use\n"

/* The certificate of each host in a file of its own; then one for all. */
static const struct cert_source pem_sources[] = {{"{host}.pem", "{host}.pem"},
                                                 {"wild.pem", "wild.pem"}};

static int64_t fixed_unix_s(const struct clock *clock)
{
    (void)clock;
    return PKI_NOW_UNIX_S;
}

static const struct clock fixed_clock = {.unix_s = fixed_unix_s};

static void write_combined(const char *path, const char *names, int days)
{
    pki_write_pair(path, path, names, days);
}

static struct cert_store *open_store(const struct cert_source *sources, size_t n_sources)
{
    return cert_store_new(sources, n_sources, CERT_STORE_HOSTS, &fixed_clock, NULL);
}

/* Days left of what the store has for the host, by which these tests tell one certificate from
 * another; -1: nothing. */
static int find_days(struct cert_store *store, const char *host)
{
    struct certificate *certificate = cert_store_find(store, host);
    int64_t left_s = -PKI_DAY_S;

    if (certificate)
        left_s = certificate_not_after_unix_s(certificate) - PKI_NOW_UNIX_S;
    certificate_unref(certificate);
    return (int)(left_s / PKI_DAY_S);
}

enum { REPORTS_MAX = 2048, NOBODY = 65534 };

/* Adds a line to the text that `context` is. */
static void collect(void *context, enum log_level level, const char *host, const char *message)
{
    char *reports = context;
    size_t used = strlen(reports);

    assert_true(level == LOG_INFO || level == LOG_WARNING);
    assert_int_equal(level == LOG_INFO, strstr(message, " is in use") != NULL);
    snprintf(reports + used, REPORTS_MAX - used, "%s: %s\n", host, message);
}

static void assert_refresh_reports(struct cert_store *store, const char *want)
{
    char reports[REPORTS_MAX] = "";

    cert_store_refresh(store, collect, reports);
    assert_string_equal(reports, want);
}

static void lay_certbot(int generation, int days)
{
    char chain[100], key[100];

    snprintf(chain, sizeof(chain), "archive/" A "/fullchain%d.pem", generation);
    snprintf(key, sizeof(key), "archive/" A "/privkey%d.pem", generation);
    pki_write_pair(chain, key, A, days);
    snprintf(chain, sizeof(chain), "../../archive/" A "/fullchain%d.pem", generation);
    snprintf(key, sizeof(key), "../../archive/" A "/privkey%d.pem", generation);
    pki_link(LIVE, chain);
    pki_link("live/" A "/privkey.pem", key);
}

static void lay_kubernetes(int generation, int days)
{
    char chain[100], key[100], folder[20];

    snprintf(folder, sizeof(folder), "..2027_%d", generation);
    snprintf(chain, sizeof(chain), "secret/%s/tls.crt", folder);
    snprintf(key, sizeof(key), "secret/%s/tls.key", folder);
    pki_write_pair(chain, key, A, days);
    pki_link("secret/..data", folder);
    if (generation == 1) {
        pki_link("secret/tls.crt", "..data/tls.crt");
        pki_link("secret/tls.key", "..data/tls.key");
    }
}

static void test_layouts(void **state)
{
    static const struct {
        struct cert_source source;
        const char *chain, *key; /* the files for A, unless it takes more than a pair */
        void (*lay)(int generation, int days);
    } rows[] = {
        {{"live/{host}/fullchain.pem", "live/{host}/privkey.pem"}, LIVE, NULL, lay_certbot},
        {{"secret/tls.crt", "secret/tls.key"}, "secret/tls.crt", NULL, lay_kubernetes},
        {{"{host}.crt", "{host}.key"}, A ".crt", A ".key", NULL}, /* lego */
        {{"{host}_ecc/fullchain.cer", "{host}_ecc/{host}.key"},   /* acme.sh */
         A "_ecc/fullchain.cer",
         A "_ecc/" A ".key",
         NULL},
        {{"{host}.pem", "{host}.pem"}, A ".pem", A ".pem", NULL}, /* HAProxy */
    };
    char want[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_store *store = open_store(&rows[i].source, 1);
        const char *whose = strstr(rows[i].source.chain, "{host}") ? A : "certificates";

        for (int generation = 1; generation <= 2; generation++) {
            if (rows[i].lay)
                rows[i].lay(generation, 40 + 20 * generation);
            else
                pki_write_pair(rows[i].chain, rows[i].key, A, 40 + 20 * generation);
            assert_int_equal(find_days(store, A), 60); /* a look at the files is a refresh's */
        }
        assert_int_equal(find_days(store, B), -1);
        snprintf(want, sizeof(want), "%s: %s" IN_USE("04-05"), whose, rows[i].chain);
        assert_refresh_reports(store, want);
        assert_int_equal(find_days(store, A), 80);
        assert_refresh_reports(store, "");
        cert_store_unref(store);
    }
}

static void test_hosts_that_are_no_names(void **state)
{
    static const char *const hosts[] = {"", ".", "..", ".a", "a/b", "/", "../a"};
    struct cert_store *store = open_store(pem_sources, 1);
    struct cert_state seen;

    (void)state;
    write_combined("a.pem", "a", 60);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        assert_null(cert_store_find(store, hosts[i]));
        cert_store_check(store, hosts[i], &seen);
        assert_null(seen.certificate);
        assert_true(seen.findings == BIT(MISSING));
        assert_string_equal(seen.message, "there is no source of certificates for this host");
    }
    cert_store_unref(store);
}

static void test_no_sources(void **state)
{
    struct cert_store *store = open_store(NULL, 0);
    struct err err;

    (void)state;
    assert_ptr_equal(cert_store_ref(store), store);
    cert_store_unref(store);
    assert_int_equal(find_days(store, A), -1);
    assert_refresh_reports(store, "");
    assert_int_equal(cert_store_check_access(store, 0, &err), 0);
    cert_store_unref(store);
    cert_store_unref(NULL);
}

static void test_directories(void **state)
{
    static const struct cert_source sources[] = {{"{host}.pem", "{host}.pem"},
                                                 {"later/{host}.pem", "later/{host}.pem"}};
    struct cert_store *store = open_store(sources, 2);
    struct err err;

    (void)state;
    assert_int_equal(cert_store_check_access(store, 1, &err), 0);
    assert_int_equal(cert_store_check_access(store, 2, &err), -1);
    assert_string_equal(err.msg, "'later' cannot be listed: No such file or directory");
    write_combined("later", "a", 60); /* no directory: that it has not come yet is no excuse */
    assert_int_equal(cert_store_check_access(store, 1, &err), -1);
    cert_store_unref(store);
}

/* What was evicted is read anew; what stayed is not. */
static void test_least_recently_used_goes(void **state)
{
    struct cert_store *store = cert_store_new(pem_sources, 1, 2, &fixed_clock, NULL);
    struct cert_store *smallest = cert_store_new(pem_sources, 1, 1, &fixed_clock, NULL);

    (void)state;
    write_combined(A ".pem", A, 60);
    write_combined(B ".pem", B, 60);
    assert_int_equal(find_days(store, A), 60);
    assert_int_equal(find_days(store, B), 60);
    assert_int_equal(find_days(store, A), 60);
    assert_int_equal(find_days(smallest, A), 60);
    assert_int_equal(find_days(smallest, B), 60);
    write_combined(A ".pem", A, 80);
    write_combined(B ".pem", B, 80);
    assert_int_equal(find_days(store, C), -1); /* the place of B */
    assert_int_equal(find_days(store, A), 60);
    assert_int_equal(find_days(store, B), 80); /* the place of C, which was used before A */
    assert_int_equal(find_days(smallest, B), 60);
    assert_int_equal(find_days(smallest, A), 80);
    assert_int_equal(find_days(smallest, B), 80);
    assert_refresh_reports(store, A ": " A ".pem" IN_USE("04-05")); /* of those who stayed */
    cert_store_unref(store);
    cert_store_unref(smallest);
}

static void test_missing_is_remembered(void **state)
{
    struct cert_store *store = open_store(pem_sources, 1);

    (void)state;
    assert_int_equal(find_days(store, A), -1);
    assert_refresh_reports(store, "");
    write_combined(A ".pem", A, 60);
    assert_int_equal(find_days(store, A), -1);
    assert_refresh_reports(store, ""); /* the first is told of elsewhere */
    assert_int_equal(find_days(store, A), 60);
    cert_store_unref(store);
}

static void test_faults_keep_the_old_pair(void **state)
{
    static const struct cert_source pair_source = {"{host}.crt", "{host}.key"};
    struct cert_store *store = open_store(&pair_source, 1);

    (void)state;
    pki_write_pair(A ".crt", A ".key", A, 60);
    assert_int_equal(find_days(store, A), 60);

    pki_write_pair(A ".crt", "elsewhere", A, 80); /* half replaced */
    assert_refresh_reports(store,
                           A ": " A ".key: the private key is not that of the certificate" KEPT);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 60);
    assert_int_equal(rename("elsewhere", A ".key"), 0); /* the other half */
    assert_refresh_reports(store, A ": " A ".crt" IN_USE("04-05"));
    assert_int_equal(find_days(store, A), 80);

    pki_write(A ".crt", "", NULL); /* the disk was full */
    assert_refresh_reports(store, A ": " A ".crt: is empty" KEPT);
    pki_write(A ".crt", "not PEM", NULL); /* another fault, another report */
    assert_refresh_reports(store, A ": " A ".crt: has no certificate" KEPT);
    assert_refresh_reports(store, "");

    pki_write_pair(A ".crt", A ".key", B, 60); /* the name was left out of the renewal */
    assert_refresh_reports(store, A ": " A ".crt: is a certificate for '" B "'" KEPT);
    assert_refresh_reports(store, "");

    unlink(A ".key");
    assert_refresh_reports(store, A ": " A ".key: cannot be read: No such file or directory" KEPT);
    assert_refresh_reports(store, "");
    unlink(A ".crt");
    assert_refresh_reports(store, A ": " A ".crt: the file has gone" KEPT);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 80);
    pki_write_pair(A ".crt", A ".key", A, 70);
    assert_refresh_reports(store, A ": " A ".crt" IN_USE("03-26"));
    assert_int_equal(find_days(store, A), 70);
    cert_store_unref(store);
}

static int64_t pair_clock_unix_s;

static int64_t pair_unix_s(const struct clock *clock)
{
    (void)clock;
    return pair_clock_unix_s;
}

/* One that senders refuse does not replace one that they take, until that one is no better. */
static void test_worse_pair_waits(void **state)
{
    static const struct clock clock = {.unix_s = pair_unix_s};
    struct cert_store *store = cert_store_new(pem_sources, 1, CERT_STORE_HOSTS, &clock, NULL);

    (void)state;
    pair_clock_unix_s = PKI_NOW_UNIX_S;
    write_combined(A ".pem", A, 60);
    assert_int_equal(find_days(store, A), 60);
    write_combined(A ".pem", A, -1);
    assert_refresh_reports(store, A ": " A ".pem: expired on 2027-01-14T08:00:00Z" KEPT);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 60);
    write_combined(A ".pem", A, 70);
    pair_clock_unix_s = PKI_NOW_UNIX_S - 2 * PKI_DAY_S; /* before both are valid */
    assert_refresh_reports(store, A ": " A ".pem" IN_USE("03-26"));
    pair_clock_unix_s = PKI_NOW_UNIX_S;
    write_combined(A ".pem", A, -1);
    assert_refresh_reports(store, A ": " A ".pem: expired on 2027-01-14T08:00:00Z" KEPT);
    pair_clock_unix_s = PKI_NOW_UNIX_S + 80 * PKI_DAY_S; /* the files are the same */
    assert_refresh_reports(store, A ": " A ".pem" IN_USE("01-14"));
    cert_store_unref(store);
}

/* What a sender would say of one certificate and another, where no root is trusted. */
static void test_worse_of_two_bad(void **state)
{
    const struct pki_request leaf = {.common_name = A, .names = "DNS:" A},
                             expired = {.common_name = A,
                                        .names = "DNS:" A,
                                        .not_before_unix_s = PKI_NOW_UNIX_S - 9 * PKI_DAY_S,
                                        .not_after_unix_s = PKI_NOW_UNIX_S - PKI_DAY_S};
    struct pki_identity *self_signed = pki_issue(&leaf, "P-256", NULL);
    struct pki_identity *both = pki_issue(&expired, "P-256", NULL);
    struct cert_store *store = open_store(pem_sources, 1);

    (void)state;
    pki_write(A ".pem", self_signed->certificate_pem, self_signed->key_pem, NULL);
    assert_int_equal(find_days(store, A), 60);
    pki_write(A ".pem", both->certificate_pem, both->key_pem, NULL);
    assert_refresh_reports(store,
                           A ": " A ".pem: self-signed, which no sender trusts; get one "
                             "from a public authority; expired on 2027-01-14T08:00:00Z" KEPT);
    assert_int_equal(find_days(store, A), 60);
    write_combined(A ".pem", A, 70);
    assert_refresh_reports(store, A ": " A ".pem" IN_USE("03-26"));
    pki_write(A ".pem", self_signed->certificate_pem, self_signed->key_pem, NULL);
    assert_refresh_reports(store, A ": " A ".pem: self-signed, which no sender trusts; get one "
                                    "from a public authority" KEPT);
    assert_int_equal(find_days(store, A), 70);
    cert_store_unref(store);
    pki_free(self_signed);
    pki_free(both);
}

/* A fault met in a handshake has nobody to report it: the background pass does. */
static void test_first_fault_is_reported_later(void **state)
{
    struct cert_store *store = open_store(pem_sources, ARRAY_LEN(pem_sources));

    (void)state;
    pki_write_pair(A ".pem", "elsewhere", A, 60);
    assert_int_equal(find_days(store, A), -1);
    assert_refresh_reports(store, WILD ": cannot be read: No such file or directory\n" A ": " A
                                       ".pem: has a certificate, but no private key; name the "
                                       "key's file in 'key'\n");
    assert_refresh_reports(store, "");
    cert_store_unref(store);
}

/* root may read everything, so it has to become somebody else to be refused. */
static void become(uid_t user)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(user), 0);
}

/* Neither time nor size nor inode tell that a permission was given. */
static void test_permission_given_later(void **state)
{
    struct cert_store *store = open_store(pem_sources, 1);

    (void)state;
    write_combined(A ".pem", A, 60);
    chmod(A ".pem", 0);
    become(NOBODY);
    assert_int_equal(find_days(store, A), -1);
    assert_refresh_reports(store, A ": " A ".pem: cannot be read: Permission denied\n");
    assert_refresh_reports(store, "");
    become(0);
    chmod(A ".pem", 0644);
    become(NOBODY);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 60);
    become(0);
    cert_store_unref(store);
}

static void test_first_source_wins(void **state)
{
    static const struct cert_source sources[] = {{"1/{host}.pem", "1/{host}.pem"},
                                                 {"wild.pem", "wild.key"},
                                                 {"3/{host}.pem", "3/{host}.pem"}};
    struct cert_store *store = open_store(sources, ARRAY_LEN(sources));

    (void)state;
    write_combined("3/" A ".pem", A, 63);
    write_combined("3/" B ".pem", B, 63);
    pki_write_pair("wild.pem", "wild.key", "*.a.example", 62);
    assert_int_equal(find_days(store, A), 62);
    assert_int_equal(find_days(store, B), 63);
    assert_int_equal(find_days(store, C), -1);
    assert_refresh_reports(store, "");

    write_combined("1/" B ".pem", B, 61); /* a better one appears */
    write_combined("1/" A ".pem", "other.example", 61);
    assert_refresh_reports(store, A ": 1/" A ".pem: is a certificate for 'other.example'\n" B
                                    ": 1/" B ".pem" IN_USE("03-17"));
    assert_int_equal(find_days(store, B), 61);
    assert_int_equal(find_days(store, A), 62);
    unlink("1/" A ".pem");
    assert_refresh_reports(store, "");
    cert_store_unref(store);
}

static void test_shared_source(void **state)
{
    static const struct cert_source source = {"wild.pem", "wild.key"};
    struct cert_store *store = open_store(&source, 1);

    (void)state;
    assert_refresh_reports(store, ""); /* nobody has asked for it */
    pki_write_pair("wild.pem", "wild.key", A ",DNS:" B, 60);
    assert_int_equal(find_days(store, A), 60);
    assert_int_equal(find_days(store, B), 60);
    assert_int_equal(find_days(store, C), -1);
    assert_refresh_reports(store, "");

    pki_write_pair("wild.pem", "wild.key", A ",DNS:" C, 80);
    assert_refresh_reports(store, WILD IN_USE("04-05") B ": wild.pem: is a certificate for '" A
                                                         "', '" C "'" KEPT);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 80);
    assert_int_equal(find_days(store, B), 60);
    assert_int_equal(find_days(store, C), 80);

    pki_write("wild.key", "", NULL);
    assert_refresh_reports(store, "certificates: wild.key: is empty" KEPT);
    assert_refresh_reports(store, "");
    unlink("wild.pem");
    unlink("wild.key");
    assert_refresh_reports(store, WILD ": the file has gone" KEPT);
    assert_refresh_reports(store, "");
    assert_int_equal(find_days(store, A), 80);
    assert_int_equal(find_days(store, "mta-sts.new.example"), -1);
    cert_store_unref(store);
}

enum { RACE_HOSTS = 4, RACE_THREADS = 3, RACE_ROUNDS = 20 };

struct race {
    struct cert_store *store;
    bool is_roomy; /* no host is ever evicted */
    pthread_barrier_t start;
    _Atomic(struct certificate *) first[RACE_HOSTS]; /* what the first thread to ask was given */
    atomic_bool is_over;
    atomic_size_t n_wrong;
};

/* Returns what the store has for the host, only to be compared. */
static struct certificate *race_ask(struct race *race, int index)
{
    struct certificate *seen;
    struct cert_state state;
    char host[64];

    snprintf(host, sizeof(host), "mta-sts.d%d.%s.example", index, index % 2 ? "wild" : "own");
    seen = cert_store_find(race->store, host);
    race->n_wrong += !seen || !certificate_covers(seen, host);
    certificate_unref(seen);
    cert_store_check(race->store, host, &state);
    race->n_wrong += !state.certificate;
    certificate_unref(state.certificate);
    return seen;
}

static void *race_run(void *argument)
{
    struct race *race = argument;

    for (int i = 0; i < RACE_HOSTS; i++) {
        struct certificate *first = NULL, *seen;

        pthread_barrier_wait(&race->start);
        seen = race_ask(race, i);
        /* Two threads may have read the files, but only one certificate is kept. */
        if (!atomic_compare_exchange_strong(&race->first[i], &first, seen) && race->is_roomy)
            race->n_wrong += first != seen;
    }
    pthread_barrier_wait(&race->start);
    for (int i = 0; !race->is_over; i = (i + 1) % RACE_HOSTS)
        race_ask(race, i);
    return NULL;
}

static void race_write(int days)
{
    write_combined("mta-sts.d0.own.example.pem", "mta-sts.d0.own.example", days);
    write_combined("mta-sts.d2.own.example.pem", "mta-sts.d2.own.example", days);
    write_combined("wild.pem", "mta-sts.d1.wild.example,DNS:mta-sts.d3.wild.example", days);
}

/* Files are replaced, and evicted too; no thread ever misses a certificate. */
static void test_threads(void **state)
{
    static const size_t capacities[] = {RACE_HOSTS, RACE_HOSTS / 2};
    char reports[REPORTS_MAX] = "";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(capacities); i++) {
        struct race race = {.is_roomy = i == 0};
        pthread_t threads[RACE_THREADS];

        race_write(60);
        race.store =
            cert_store_new(pem_sources, ARRAY_LEN(pem_sources), capacities[i], &fixed_clock, NULL);
        assert_int_equal(pthread_barrier_init(&race.start, NULL, RACE_THREADS + 1), 0);
        for (size_t j = 0; j < RACE_THREADS; j++)
            assert_int_equal(pthread_create(&threads[j], NULL, race_run, &race), 0);
        for (int j = 0; j < RACE_HOSTS + 1; j++)
            pthread_barrier_wait(&race.start);
        for (int round = 0; round < RACE_ROUNDS; round++) {
            race_write(61 + round);
            cert_store_refresh(race.store, collect, reports);
        }
        race.is_over = true;
        for (size_t j = 0; j < RACE_THREADS; j++)
            assert_int_equal(pthread_join(threads[j], NULL), 0);
        assert_int_equal(race.n_wrong, 0);
        pthread_barrier_destroy(&race.start);
        cert_store_unref(race.store);
    }
}

#define IN_DIRECTORY(test) \
    cmocka_unit_test_setup_teardown(test, pki_enter_directory, pki_leave_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_layouts),
        IN_DIRECTORY(test_hosts_that_are_no_names),
        IN_DIRECTORY(test_no_sources),
        IN_DIRECTORY(test_directories),
        IN_DIRECTORY(test_least_recently_used_goes),
        IN_DIRECTORY(test_missing_is_remembered),
        IN_DIRECTORY(test_faults_keep_the_old_pair),
        IN_DIRECTORY(test_worse_pair_waits),
        IN_DIRECTORY(test_worse_of_two_bad),
        IN_DIRECTORY(test_first_fault_is_reported_later),
        IN_DIRECTORY(test_permission_given_later),
        IN_DIRECTORY(test_first_source_wins),
        IN_DIRECTORY(test_shared_source),
        IN_DIRECTORY(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
