/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_store.h"

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
struct entry {
    atomic_size_t references; /* the table's, and the background pass's while it looks */
    UT_hash_handle hh;
    char *host;
    size_t slot;                     /* in the store's slots; belongs to its lock, too */
    struct certificate *certificate; /* NULL: no source has one */
    size_t source;                   /* index of its source; n_sources: none */
    struct stamp stamps[];           /* of each source, as of the last look */
};

struct cert_store {
    atomic_size_t references;
    const struct clock *clock;
    const struct trust_store *trust;
    size_t capacity;
    size_t n_sources;
    struct source *sources;
    struct chain_cache *chains;
    struct handshake_trial *trial;
    /* Workers wait for it: held over no I/O, and over a walk over the hosts only when the hash
     * table doubles, a dozen times in all. */
    pthread_mutex_t lock;
    struct entry *hosts;  /* by name; in the order of use, the latest last */
    struct entry **slots; /* the same, each in its place as long as it is there */
};

struct reporter {
    cert_report *report;
    void *context;
};

/* The caller has matched the host with the configuration; a path is no place to trust that. */
static bool host_is_safe(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && !strchr(host, '/');
}

static struct entry *entry_new(const struct cert_store *store, const char *host)
{
    size_t size = sizeof(struct entry) + store->n_sources * sizeof(struct stamp);
    struct entry *entry = memset(memory_alloc(size), 0, size);

    entry->references = 1;
    entry->host = strcpy(memory_alloc(strlen(host) + 1), host);
    entry->source = store->n_sources;
    return entry;
}

static void entry_unref(struct entry *entry)
{
    if (!entry || atomic_fetch_sub(&entry->references, 1) != 1)
        return;
    certificate_unref(entry->certificate);
    free(entry->host);
    free(entry);
}

static void entry_take(struct cert_store *store, struct entry *entry, size_t source,
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

/* Tells of a change or fault; `kept`: the certificate that stays in use despite it, or NULL. */
static void report_look(const struct reporter *reporter, const char *host, const struct look *look,
                        const struct certificate *kept)
{
    char message[ERR_MSG_MAX + PATH_SHOWN_MAX], date[CERTIFICATE_DATE_MAX];

    if (look->result == LOOK_GOOD)
        snprintf(message, sizeof(message), "%s: a certificate valid until %s is in use", look->path,
                 certificate_date_render(certificate_not_after_unix_s(look->certificate), date));
    else if (!kept)
        snprintf(message, sizeof(message), "%s", look->err.msg);
    else if (look->result == LOOK_ABSENT)
        snprintf(message, sizeof(message),
                 "%s: the file has gone; the certificate read before stays in use", look->path);
    else
        snprintf(message, sizeof(message), "%s; the certificate read before stays in use",
                 look->err.msg);
    reporter->report(reporter->context, host, message);
}

/* Whether a look is worth a word about this host. What befalls a shared source is reported once
 * for all its hosts, and that it names only some of them is its nature. */
static bool look_is_news(const struct look *look, const struct source *source,
                         const struct stamp *last, const struct certificate *kept)
{
    if (stamp_eq(&look->stamp, last))
        return false;
    if (source->is_shared)
        return kept && look->result == LOOK_OTHER_NAME;
    return kept || look->result != LOOK_ABSENT;
}

/*
 * Looks at one source for a host. Returns whether the host's certificate comes from it, so that
 * later sources do not matter: also when its files went bad after a good certificate was read.
 *
 * reporter  NULL at the first use: then a fault is not remembered, and the background pass, which
 *           can report it, finds it anew
 */
static bool entry_consider(struct cert_store *store, struct entry *entry, size_t index,
                           const struct reporter *reporter)
{
    struct source *source = &store->sources[index];
    struct stamp *last = &entry->stamps[index];
    const struct certificate *kept = entry->source == index ? entry->certificate : NULL;
    bool is_fault;
    struct look look;

    source_look(source, entry->host, last, &look);
    if (look.result == LOOK_SAME)
        return kept;
    if (reporter && look_is_news(&look, source, last, kept))
        report_look(reporter, entry->host, &look, kept);
    is_fault = look.result != LOOK_GOOD && look.result != LOOK_ABSENT;
    if (reporter || source->is_shared || !is_fault)
        *last = look.stamp;
    if (look.result != LOOK_GOOD)
        return kept;
    entry_take(store, entry, index, look.certificate);
    return true;
}

static void entry_refresh(struct cert_store *store, struct entry *entry,
                          const struct reporter *reporter)
{
    for (size_t i = 0; i < store->n_sources; i++)
        if (entry_consider(store, entry, i, reporter))
            return;
}

struct cert_store *cert_store_new(const struct cert_source *sources, size_t n_sources,
                                  size_t capacity, const struct clock *clock,
                                  const struct trust_store *trust)
{
    struct cert_store *store = memory_alloc(sizeof(*store));

    *store = (struct cert_store){
        .references = 1,
        .clock = clock,
        .trust = trust,
        .capacity = capacity,
        .n_sources = n_sources,
        .sources = memory_alloc((n_sources + 1) * sizeof(*store->sources)),
        .chains = chain_cache_new(),
        .trial = handshake_trial_new(),
        .slots = memory_alloc((capacity + 1) * sizeof(struct entry *)),
    };
    pthread_mutex_init(&store->lock, NULL);
    for (size_t i = 0; i < n_sources; i++)
        source_init(&store->sources[i], &sources[i], store->chains, store->trial);
    return store;
}

struct cert_store *cert_store_ref(struct cert_store *store)
{
    atomic_fetch_add(&store->references, 1);
    return store;
}

void cert_store_unref(struct cert_store *store)
{
    struct entry *entry, *next;

    if (!store || atomic_fetch_sub(&store->references, 1) != 1)
        return;
    entry = store->hosts;
    HASH_CLEAR(hh, store->hosts); /* the table; the entries stay linked */
    for (; entry; entry = next) {
        next = entry->hh.next;
        entry_unref(entry);
    }
    for (size_t i = 0; i < store->n_sources; i++)
        source_done(&store->sources[i]);
    free(store->sources);
    free(store->slots);
    chain_cache_unref(store->chains);
    handshake_trial_free(store->trial);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* Under the lock; the entry of a host, which becomes the one used last, or NULL. */
static struct entry *recall(struct cert_store *store, const char *host)
{
    struct entry *entry;

    HASH_FIND_STR(store->hosts, host, entry);
    if (entry && entry->hh.next) {
        HASH_DEL(store->hosts, entry);
        HASH_ADD_KEYPTR(hh, store->hosts, entry->host, strlen(entry->host), entry);
    }
    return entry;
}

/* Under the lock; returns the entry that had to go for the new one, now the caller's, or NULL. */
static struct entry *remember(struct cert_store *store, struct entry *entry)
{
    struct entry *oldest = NULL;

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
    struct entry *entry;

    pthread_mutex_lock(&store->lock);
    entry = recall(store, host);
    if (entry)
        *ret_certificate = entry->certificate ? certificate_ref(entry->certificate) : NULL;
    pthread_mutex_unlock(&store->lock);
    return entry;
}

struct certificate *cert_store_find(struct cert_store *store, const char *host)
{
    struct entry *entry, *spare;
    struct certificate *certificate = NULL;

    if (!host_is_safe(host) || cert_store_lookup(store, host, &certificate))
        return certificate;
    spare = entry_new(store, host);
    entry_refresh(store, spare, NULL);
    pthread_mutex_lock(&store->lock);
    entry = recall(store, host); /* another thread may have been faster */
    if (!entry) {
        entry = spare;
        spare = remember(store, entry);
    }
    certificate = entry->certificate ? certificate_ref(entry->certificate) : NULL;
    pthread_mutex_unlock(&store->lock);
    entry_unref(spare);
    return certificate;
}

/* Appends to the message of a state; what is too long is cut. */
static void state_note(struct cert_state *state, const char *reason)
{
    size_t used = strlen(state->message);

    snprintf(state->message + used, sizeof(state->message) - used, "%s%s", used > 0 ? "; " : "",
             reason);
}

static void state_serve(const struct cert_store *store, const struct look *look, const char *host,
                        struct cert_state *state)
{
    char words[CERTIFICATE_FINDINGS_MAX];

    *state = (struct cert_state){
        .certificate = look->certificate,
        .findings = certificate_check(look->certificate, host, store->clock->unix_s(store->clock),
                                      store->trust),
    };
    if (state->findings == 0)
        return;
    certificate_findings_render(look->certificate, state->findings, words, sizeof(words));
    snprintf(state->message, sizeof(state->message), "%s: %s", look->path, words);
}

void cert_store_check(struct cert_store *store, const char *host, struct cert_state *ret_state)
{
    static const struct stamp never = {0};
    size_t n_tried = host_is_safe(host) ? store->n_sources : 0;
    struct look look;

    *ret_state = (struct cert_state){0};
    for (size_t i = 0; i < n_tried; i++) {
        source_look(&store->sources[i], host, &never, &look);
        if (look.result == LOOK_GOOD) {
            state_serve(store, &look, host, ret_state);
            return;
        }
        state_note(ret_state, look.err.msg);
        if (look.result == LOOK_FAULT)
            ret_state->findings |= finding_bit(FINDING_CERTIFICATE_UNREADABLE);
        if (look.result == LOOK_UNUSABLE)
            ret_state->findings |= finding_bit(FINDING_CERTIFICATE_UNUSABLE);
        if (look.result == LOOK_OTHER_NAME)
            ret_state->findings |= finding_bit(FINDING_CERTIFICATE_NAME);
    }
    if (n_tried == 0)
        state_note(ret_state, "there is no source of certificates for this host");
    if (ret_state->findings == 0)
        ret_state->findings = finding_bit(FINDING_CERTIFICATE_MISSING);
}

int cert_store_probe(const struct cert_store *store, struct err *err)
{
    for (size_t i = 0; i < store->n_sources; i++)
        if (source_probe(&store->sources[i], err) != 0)
            return -1;
    return 0;
}

static void shared_refresh(struct source *source, const struct reporter *reporter)
{
    const struct certificate *kept;
    struct look look;

    if (source->is_shared && source_refresh(source, &look, &kept))
        report_look(reporter, "certificates", &look, kept);
}

/* With a reference, so that it lives on if it is evicted meanwhile; NULL: there are no more. */
static struct entry *hold_entry(struct cert_store *store, size_t slot)
{
    struct entry *entry = NULL;

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
    const struct reporter reporter = {report, context};
    struct entry *entry;

    for (size_t i = 0; i < store->n_sources; i++)
        shared_refresh(&store->sources[i], &reporter);
    for (size_t slot = 0; (entry = hold_entry(store, slot)); slot++) {
        entry_refresh(store, entry, &reporter);
        entry_unref(entry);
    }
}
