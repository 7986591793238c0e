/* SPDX-License-Identifier: MIT */
/*
 * bench_hosts FOLDER < NAMES: a key and a certificate for each host named, one a line.
 *
 * They go where certbot puts them, FOLDER/<host>/fullchain.pem and privkey.pem; beside those,
 * both.pem, which HAProxy wants. What is there already stays. As many threads as there are cores
 * share the work.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "authority.h"

enum {
    THREADS_MAX = 64,
};

struct work {
    const char *folder;
    struct intermediate intermediates[N_INTERMEDIATES];
    char **hosts;
    size_t n_hosts;
    atomic_size_t next;
    atomic_size_t n_made;
};

static void require(int is_good, const char *path)
{
    if (is_good)
        return;
    fprintf(stderr, "bench_hosts: %s: %s\n", path, strerror(errno));
    exit(1);
}

static void read_names(struct work *work)
{
    size_t capacity = 0, size = 0;
    char *line = NULL;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (work->n_hosts == capacity) {
            capacity = capacity * 2 + 1024;
            work->hosts = realloc(work->hosts, capacity * sizeof(*work->hosts));
            require(work->hosts != NULL, "the names");
        }
        work->hosts[work->n_hosts++] = strdup(line);
    }
    free(line);
}

static FILE *open_in(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    FILE *file;

    require(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path), "the path");
    file = fopen(path, mode);
    require(file != NULL, path);
    return file;
}

static void write_chain(FILE *out, X509 *leaf, const struct intermediate *issuer)
{
    authority_require(PEM_write_X509(out, leaf) && PEM_write_X509(out, issuer->certificate),
                      "a chain cannot be written");
}

static void write_key(FILE *out, EVP_PKEY *key)
{
    authority_require(PEM_write_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL),
                      "a key cannot be written");
}

/* The chain is the last file to be made, so that one interrupted is made anew. */
static void write_host(const char *folder, X509 *leaf, EVP_PKEY *key,
                       const struct intermediate *issuer)
{
    FILE *both = open_in(folder, "both.pem", "w");
    FILE *private = open_in(folder, "privkey.pem", "w");
    FILE *chain;

    write_chain(both, leaf, issuer);
    write_key(both, key);
    write_key(private, key);
    require(fclose(both) == 0 && fclose(private) == 0, folder);
    chain = open_in(folder, "fullchain.pem", "w");
    write_chain(chain, leaf, issuer);
    require(fclose(chain) == 0, folder);
}

static void make_host(struct work *work, size_t index)
{
    const struct intermediate *issuer = &work->intermediates[index % N_INTERMEDIATES];
    const char *host = work->hosts[index];
    char folder[4096], chain[4128];
    X509 *leaf;
    EVP_PKEY *key;

    snprintf(folder, sizeof(folder), "%s/%s", work->folder, host);
    snprintf(chain, sizeof(chain), "%s/fullchain.pem", folder);
    if (access(chain, F_OK) == 0)
        return;
    require(mkdir(folder, 0755) == 0 || errno == EEXIST, folder);
    authority_issue(issuer, host, &leaf, &key);
    write_host(folder, leaf, key, issuer);
    X509_free(leaf);
    EVP_PKEY_free(key);
    work->n_made++;
}

static void *run(void *argument)
{
    struct work *work = argument;
    size_t index;

    while ((index = atomic_fetch_add(&work->next, 1)) < work->n_hosts)
        make_host(work, index);
    return NULL;
}

static void run_threads(struct work *work)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    long n_threads = n_cores < THREADS_MAX ? n_cores : THREADS_MAX;
    pthread_t threads[THREADS_MAX];

    for (long i = 0; i < n_threads; i++)
        require(pthread_create(&threads[i], NULL, run, work) == 0, "a thread");
    for (long i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    static struct work work;

    if (argc != 2) {
        fputs("usage: bench_hosts FOLDER < NAMES\n", stderr);
        return 2;
    }
    work.folder = argv[1];
    require(mkdir(work.folder, 0755) == 0 || errno == EEXIST, work.folder);
    read_names(&work);
    authority_open(work.folder, work.intermediates);
    run_threads(&work);
    fprintf(stderr, "bench_hosts: %zu of %zu made\n", (size_t)work.n_made, work.n_hosts);
    for (int i = 0; i < N_INTERMEDIATES; i++) {
        X509_free(work.intermediates[i].certificate);
        EVP_PKEY_free(work.intermediates[i].key);
    }
    for (size_t i = 0; i < work.n_hosts; i++)
        free(work.hosts[i]);
    free(work.hosts);
    return 0;
}
