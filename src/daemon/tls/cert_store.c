/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

#include "daemon/tls/cert_files.h"
#include "daemon/tls/cert_pattern.h"
#include "daemon/tls/certificate.h"
#include "daemon/tls/chain_cache.h"
#include "daemon/tls/handshake_trial.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"

/*
 * A host that was asked for. `certificate` belongs to the store's lock; the rest is filled before
 * the entry is in the table and belongs to the background pass from then on.
 */
struct host_entry {
    atomic_size_t references; /* the table's, and the background pass's while it probes */
    UT_hash_handle hh;
    char *host;
    size_t slot;                     /* in the store's slots; belongs to its lock, too */
    struct certificate *certificate; /* NULL: no source has one */
    size_t source;                   /* index of its source; n_sources: none */
    struct probe_mark marks[];       /* of each source, as of the last probe */
};

struct cert_store {
    atomic_size_t references;
    size_t capacity;
    size_t n_sources;
    struct cert_files *files; /* of each source */
    struct chain_cache *chains;
    struct handshake_trial *trial;
    struct probe_context context;
    /* Workers wait for it: held over no I/O, and over a walk over the hosts only when the hash
     * table doubles, a dozen times in all. */
    pthread_mutex_t lock;
    struct host_entry *hosts;  /* by name; in the order of use, the latest last */
    struct host_entry **slots; /* the same, each in its place as long as it is there */
};

struct store_reporter {
    cert_report *report;
    void *context;
};

/* The caller has found the host in the configuration; a path must not depend on that. */
static bool host_is_safe(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && !strchr(host, '/');
}

static struct host_entry *entry_new(const struct cert_store *store, const char *host)
{
    size_t size = sizeof(struct host_entry) + store->n_sources * sizeof(struct probe_mark);
    struct host_entry *entry = memset(memory_alloc(size), 0, size);

    entry->references = 1;
    entry->host = strcpy(memory_alloc(strlen(host) + 1), host);
    entry->source = store->n_sources;
    return entry;
}

static void entry_unref(struct host_entry *entry)
{
    if (!entry || atomic_fetch_sub(&entry->references, 1) != 1)
        return;
    certificate_unref(entry->certificate);
    free(entry->host);
    free(entry);
}

static void entry_replace(struct cert_store *store, struct host_entry *entry, size_t source,
                          struct certificate *certificate)
{
    struct certificate *old;

    pthread_mutex_lock(&store->lock);
    old = entry->certificate;
    entry->certificate = certificate;
    entry->source = source;
    pthread_mutex_unlock(&store->lock);
    certificate_unref(old);
}

/* is_kept: another certificate stays in use */
static void report_probe(const struct store_reporter *reporter, const char *host,
                         const struct probe *probe, bool is_kept)
{
    char message[ERR_MSG_MAX + PATH_SHOWN_MAX], date[CERTIFICATE_DATE_MAX];
    enum log_level level = probe->mark.result == PROBE_GOOD ? LOG_INFO : LOG_WARNING;

    if (probe->mark.result == PROBE_GOOD)
        snprintf(message, sizeof(message), "%s: a certificate valid until %s is in use",
                 probe->path,
                 certificate_date_render(certificate_not_after_unix_s(probe->certificate), date));
    else if (!is_kept)
        snprintf(message, sizeof(message), "%s", probe->err.msg);
    else if (probe->mark.result == PROBE_ABSENT)
        snprintf(message, sizeof(message),
                 "%s: the file has gone; the certificate read before stays in use", probe->path);
    else
        snprintf(message, sizeof(message), "%s; the certificate read before stays in use",
                 probe->err.msg);
    reporter->report(reporter->context, level, host, message);
}

/*
 * Whether a probe is worth a line about this host. Of shared files there is one line for all hosts,
 * and that they cover only some of them is as it should be.
 *
 * previous  from the same source; NULL: none
 * in_use    from whichever source; NULL: none
 */
static bool probe_is_news(const struct probe *probe, const struct cert_files *files,
                          const struct probe_mark *last, const struct certificate *previous,
                          const struct certificate *in_use)
{
    if (probe_mark_eq(&probe->mark, last))
        return false;
    if (files->is_shared)
        return previous && probe->mark.result == PROBE_NAME_MISMATCH;
    if (probe->mark.result == PROBE_GOOD)
        return in_use && !(previous && certificate_eq(probe->certificate, previous));
    return previous || probe->mark.result != PROBE_ABSENT;
}

/*
 * Checks one source for a host. Returns whether the host's certificate comes from it, so that later
 * sources do not matter: also when its files went bad after a good certificate was read.
 *
 * reporter  NULL at the first use: then a fault is not remembered, and the background pass, which
 *           can report it, finds it anew
 */
static bool entry_check(struct cert_store *store, struct host_entry *entry, size_t index,
                        const struct store_reporter *reporter)
{
    struct cert_files *files = &store->files[index];
    struct probe_mark *last = &entry->marks[index];
    const struct certificate *previous = entry->source == index ? entry->certificate : NULL;
    struct probe probe;

    if (!cert_files_changed(files, entry->host, last))
        return previous;
    cert_files_probe(files, entry->host, &probe);
    probe_compare(&probe, previous, &store->context);
    if (reporter && probe_is_news(&probe, files, last, previous, entry->certificate))
        report_probe(reporter, entry->host, &probe, previous);
    if (reporter || files->is_shared || probe.certificate || probe.mark.result == PROBE_ABSENT)
        *last = probe.mark;
    if (!probe.certificate)
        return previous;
    entry_replace(store, entry, index, probe.certificate);
    return true;
}

static void entry_refresh(struct cert_store *store, struct host_entry *entry,
                          const struct store_reporter *reporter)
{
    for (size_t i = 0; i < store->n_sources; i++)
        if (entry_check(store, entry, i, reporter))
            return;
}

struct cert_store *cert_store_new(const struct cert_source *sources, size_t n_sources,
                                  size_t capacity, const struct clock *clock,
                                  const struct trust_store *trust)
{
    struct cert_store *store = memory_alloc(sizeof(*store));

    *store = (struct cert_store){
        .references = 1,
        .capacity = capacity,
        .n_sources = n_sources,
        .files = memory_alloc((n_sources + 1) * sizeof(*store->files)),
        .chains = chain_cache_new(),
        .trial = handshake_trial_new(),
        .slots = memory_alloc((capacity + 1) * sizeof(struct host_entry *)),
    };
    store->context = (struct probe_context){
        .chains = store->chains, .trial = store->trial, .clock = clock, .trust = trust};
    pthread_mutex_init(&store->lock, NULL);
    for (size_t i = 0; i < n_sources; i++)
        cert_files_init(&store->files[i], &sources[i], &store->context);
    return store;
}

void cert_store_set_explain(struct cert_store *store, cert_files_explain *explain, void *context)
{
    store->context.explain = explain;
    store->context.explain_context = context;
}

struct cert_store *cert_store_ref(struct cert_store *store)
{
    atomic_fetch_add(&store->references, 1);
    return store;
}

void cert_store_unref(struct cert_store *store)
{
    struct host_entry *entry, *next;

    if (!store || atomic_fetch_sub(&store->references, 1) != 1)
        return;
    entry = store->hosts;
    HASH_CLEAR(hh, store->hosts); /* the table; the entries stay linked */
    for (; entry; entry = next) {
        next = entry->hh.next;
        entry_unref(entry);
    }
    for (size_t i = 0; i < store->n_sources; i++)
        cert_files_done(&store->files[i]);
    free(store->files);
    free(store->slots);
    chain_cache_unref(store->chains);
    handshake_trial_free(store->trial);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* Under the lock; the entry of a host, which becomes the one used last, or NULL. */
static struct host_entry *entry_find(struct cert_store *store, const char *host)
{
    struct host_entry *entry;

    HASH_FIND_STR(store->hosts, host, entry);
    if (entry && entry->hh.next) {
        HASH_DEL(store->hosts, entry);
        HASH_ADD_KEYPTR(hh, store->hosts, entry->host, strlen(entry->host), entry);
    }
    return entry;
}

/* Under the lock; returns the entry that had to go for the new one, now the caller's, or NULL. */
static struct host_entry *entry_insert(struct cert_store *store, struct host_entry *entry)
{
    struct host_entry *oldest = NULL;

    entry->slot = HASH_COUNT(store->hosts);
    if (entry->slot >= store->capacity) {
        oldest = store->hosts;
        entry->slot = oldest->slot;
        HASH_DEL(store->hosts, oldest);
    }
    store->slots[entry->slot] = entry;
    HASH_ADD_KEYPTR(hh, store->hosts, entry->host, strlen(entry->host), entry);
    return oldest;
}

bool cert_store_lookup(struct cert_store *store, const char *host,
                       struct certificate **ret_certificate)
{
    struct host_entry *entry;

    pthread_mutex_lock(&store->lock);
    entry = entry_find(store, host);
    if (entry)
        *ret_certificate = entry->certificate ? certificate_ref(entry->certificate) : NULL;
    pthread_mutex_unlock(&store->lock);
    return entry;
}

struct certificate *cert_store_find(struct cert_store *store, const char *host)
{
    struct host_entry *entry, *spare;
    struct certificate *certificate = NULL;

    if (!host_is_safe(host) || cert_store_lookup(store, host, &certificate))
        return certificate;
    spare = entry_new(store, host);
    entry_refresh(store, spare, NULL);
    pthread_mutex_lock(&store->lock);
    entry = entry_find(store, host); /* another thread may have been faster */
    if (!entry) {
        entry = spare;
        spare = entry_insert(store, entry);
    }
    certificate = entry->certificate ? certificate_ref(entry->certificate) : NULL;
    pthread_mutex_unlock(&store->lock);
    entry_unref(spare);
    return certificate;
}

/* Under the lock; unlike entry_find() it is no use of the host. */
static struct host_entry *entry_peek(const struct cert_store *store, const char *host)
{
    struct host_entry *entry;

    HASH_FIND_STR(store->hosts, host, entry);
    return entry;
}

bool cert_store_peek(struct cert_store *store, const char *host,
                     struct certificate **ret_certificate)
{
    struct host_entry *entry;

    pthread_mutex_lock(&store->lock);
    entry = entry_peek(store, host);
    if (entry)
        *ret_certificate = entry->certificate ? certificate_ref(entry->certificate) : NULL;
    pthread_mutex_unlock(&store->lock);
    return entry;
}

size_t cert_store_n_sources(const struct cert_store *store, const char *host)
{
    return host_is_safe(host) ? store->n_sources : 0;
}

void cert_store_probe(struct cert_store *store, size_t source, const char *host,
                      struct probe *ret_probe)
{
    cert_files_probe(&store->files[source], host, ret_probe);
}

const struct probe_context *cert_store_context(const struct cert_store *store)
{
    return &store->context;
}

uint32_t cert_store_mark(struct cert_store *store, const char *host)
{
    struct host_entry *entry;
    uint32_t mark = 0;

    pthread_mutex_lock(&store->lock);
    entry = entry_peek(store, host);
    if (entry && entry->certificate)
        mark = (uint32_t)certificate_not_after_unix_s(entry->certificate) +
               (uint32_t)certificate_not_before_unix_s(entry->certificate);
    pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < store->n_sources && host_is_safe(host); i++)
        mark = cert_files_mark(&store->files[i], host, mark);
    return mark;
}

int cert_store_check_access(const struct cert_store *store, size_t n_required, struct err *err)
{
    for (size_t i = 0; i < store->n_sources; i++)
        if (cert_files_check_access(&store->files[i], err) != 0 &&
            (i < n_required || err->sys_errno != ENOENT))
            return -1;
    return 0;
}

static void shared_refresh(struct cert_files *files, const struct store_reporter *reporter)
{
    struct probe probe;
    bool is_kept;

    if (files->is_shared && cert_files_refresh(files, &probe, &is_kept))
        report_probe(reporter, "certificates", &probe, is_kept);
}

/* With a reference, so that it lives on if it is evicted meanwhile; NULL: there are no more. */
static struct host_entry *entry_hold(struct cert_store *store, size_t slot)
{
    struct host_entry *entry = NULL;

    pthread_mutex_lock(&store->lock);
    if (slot < HASH_COUNT(store->hosts)) {
        entry = store->slots[slot];
        atomic_fetch_add(&entry->references, 1);
    }
    pthread_mutex_unlock(&store->lock);
    return entry;
}

void cert_store_refresh(struct cert_store *store, cert_report *report, void *context)
{
    const struct store_reporter reporter = {report, context};
    struct host_entry *entry;

    for (size_t i = 0; i < store->n_sources; i++) {
        if (store->files[i].pattern)
            cert_pattern_expire(store->files[i].pattern); /* a renewal's hook may have asked */
        shared_refresh(&store->files[i], &reporter);
    }
    for (size_t slot = 0; (entry = entry_hold(store, slot)); slot++) {
        entry_refresh(store, entry, &reporter);
        entry_unref(entry);
    }
}
