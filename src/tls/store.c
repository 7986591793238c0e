/* SPDX-License-Identifier: MIT */
#include "tls/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "tls/certificate.h"

static const char host_variable[] = "{host}";

enum {
    HOST_VARIABLE_LEN = sizeof(host_variable) - 1,
    PATH_SHOWN_MAX = 192, /* of a path in a message, so that the reason still fits behind it */
};

/* What a pair of files was when it was last read. */
struct stamp {
    bool is_set;
    struct certificate_files files;
    int read_errno; /* why it could not be read: tried again each time, as the cure (a permission,
                       a free descriptor) leaves no trace in the ids */
};

enum look_result {
    LOOK_SAME,       /* the files are as they were at the last look; nothing was read */
    LOOK_ABSENT,     /* neither file is there */
    LOOK_FAULT,      /* a file cannot be read or used */
    LOOK_OTHER_NAME, /* the certificate does not cover the host */
    LOOK_GOOD,
};

/* What one look at a pair of files found. */
struct look {
    enum look_result result;
    struct stamp stamp;
    struct certificate *certificate; /* one reference with LOOK_GOOD, else NULL */
    char path[PATH_SHOWN_MAX];       /* the chain's */
    struct err err;                  /* unless LOOK_SAME or LOOK_GOOD */
};

struct source {
    char *chain;
    char *key;
    bool is_shared; /* no {host}: one certificate for many hosts, read on first use */
    /* Of a shared source, under the store's lock: */
    bool is_read;      /* whether the rest holds */
    struct stamp seen; /* of the files when they were last looked at, good or not */
    struct look look;  /* what hosts are answered */
};

/*
 * A host that was asked for. `certificate` belongs to the store's lock; the rest is filled before
 * the entry is in the table and belongs to the background pass from then on.
 */
struct entry {
    atomic_size_t references; /* the table's, and the background pass's while it looks */
    UT_hash_handle hh;
    char *host;
    struct certificate *certificate; /* NULL: no source has one */
    size_t source;                   /* index of its source; n_sources: none */
    struct stamp stamps[];           /* of each source, as of the last look */
};

struct cert_store {
    atomic_size_t references;
    const struct clock *clock;
    size_t capacity;
    size_t n_sources;
    struct source *sources;
    pthread_mutex_t lock; /* never held over I/O */
    struct entry *hosts;  /* by name; in the order of use, the latest last */
};

struct reporter {
    cert_report *report;
    void *context;
};

static char *text_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(memory_alloc(size), text, size);
}

/* `template` with the host's name in place of each {host}; the caller frees. */
static char *path_expand(const char *template, const char *host)
{
    size_t host_len = strlen(host), n_variables = 0;
    const char *from, *variable;
    char *path, *to;

    for (from = template; (variable = strstr(from, host_variable)); n_variables++)
        from = variable + HOST_VARIABLE_LEN;
    path = to = memory_alloc(strlen(template) + n_variables * host_len + 1);
    for (from = template; (variable = strstr(from, host_variable));
         from = variable + HOST_VARIABLE_LEN) {
        to = mempcpy(to, from, (size_t)(variable - from));
        to = mempcpy(to, host, host_len);
    }
    memcpy(to, from, strlen(from) + 1);
    return path;
}

/* The caller has matched the host with the configuration; a path is no place to trust that. */
static bool host_is_safe(const char *host)
{
    return host[0] != '\0' && host[0] != '.' && !strchr(host, '/');
}

/* A stamp that was never taken equals none. */
static bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
    return a->is_set && b->is_set && a->read_errno == b->read_errno &&
           certificate_files_eq(&a->files, &b->files);
}

/* The stamp is taken before the files are read: a change in between is seen at the next look. */
static void look_at_files(const char *chain, const char *key, const struct stamp *last,
                          struct look *ret_look)
{
    *ret_look = (struct look){.result = LOOK_SAME, .stamp.is_set = true};
    snprintf(ret_look->path, sizeof(ret_look->path), "%s", chain);
    certificate_files_stat(chain, key, &ret_look->stamp.files);
    if (stamp_eq(&ret_look->stamp, last))
        return;
    if (certificate_load(chain, key, &ret_look->certificate, &ret_look->err) == 0) {
        ret_look->result = LOOK_GOOD;
    } else if (certificate_files_are_absent(&ret_look->stamp.files)) {
        ret_look->result = LOOK_ABSENT;
    } else {
        ret_look->result = LOOK_FAULT;
        ret_look->stamp.read_errno = ret_look->err.sys_errno;
    }
}

static void look_judge_name(struct look *look, const char *host)
{
    char names[CERTIFICATE_NAMES_MAX];

    if (look->result != LOOK_GOOD || certificate_covers(look->certificate, host))
        return;
    err_set(&look->err, ERR_CONFIG, "%s: is a certificate for %s", look->path,
            certificate_names_render(look->certificate, names, sizeof(names)));
    certificate_unref(look->certificate);
    look->certificate = NULL;
    look->result = LOOK_OTHER_NAME;
}

static void look_at_template(const struct source *source, const char *host,
                             const struct stamp *last, struct look *ret_look)
{
    char *chain = path_expand(source->chain, host);
    char *key = path_expand(source->key, host);

    look_at_files(chain, key, last, ret_look);
    free(chain);
    free(key);
}

/*
 * Reads a shared source unless that was done. Two threads may both read it: the first one's stays.
 * A fault is left without a stamp, so that the background pass finds it anew and reports it.
 */
static void read_shared(struct cert_store *store, struct source *source)
{
    static const struct stamp never = {0};
    struct look look;
    bool is_read;

    pthread_mutex_lock(&store->lock);
    is_read = source->is_read;
    pthread_mutex_unlock(&store->lock);
    if (is_read)
        return;
    look_at_files(source->chain, source->key, &never, &look);
    if (look.result != LOOK_GOOD)
        look.stamp = never;
    pthread_mutex_lock(&store->lock);
    if (!source->is_read) {
        source->look = look;
        source->seen = look.stamp;
        source->is_read = true;
        look.certificate = NULL;
    }
    pthread_mutex_unlock(&store->lock);
    certificate_unref(look.certificate);
}

static void look_at_shared(struct cert_store *store, struct source *source,
                           const struct stamp *last, struct look *ret_look)
{
    read_shared(store, source);
    pthread_mutex_lock(&store->lock);
    *ret_look = source->look;
    if (stamp_eq(&ret_look->stamp, last)) {
        ret_look->result = LOOK_SAME;
        ret_look->certificate = NULL;
    }
    if (ret_look->certificate)
        certificate_ref(ret_look->certificate);
    pthread_mutex_unlock(&store->lock);
}

/* What a source has for a host; `last`: what it was when this host last asked. */
static void source_look(struct cert_store *store, struct source *source, const char *host,
                        const struct stamp *last, struct look *ret_look)
{
    if (source->is_shared)
        look_at_shared(store, source, last, ret_look);
    else
        look_at_template(source, host, last, ret_look);
    look_judge_name(ret_look, host);
}

static struct entry *entry_new(const struct cert_store *store, const char *host)
{
    size_t size = sizeof(struct entry) + store->n_sources * sizeof(struct stamp);
    struct entry *entry = memset(memory_alloc(size), 0, size);

    entry->references = 1;
    entry->host = text_copy(host);
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

    source_look(store, source, entry->host, last, &look);
    if (look.result == LOOK_SAME)
        return kept;
    if (reporter && look_is_news(&look, source, last, kept))
        report_look(reporter, entry->host, &look, kept);
    is_fault = look.result == LOOK_FAULT || look.result == LOOK_OTHER_NAME;
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
                                  size_t capacity, const struct clock *clock)
{
    struct cert_store *store = memory_alloc(sizeof(*store));

    *store = (struct cert_store){
        .references = 1,
        .clock = clock,
        .capacity = capacity,
        .n_sources = n_sources,
        .sources = memory_alloc((n_sources + 1) * sizeof(*store->sources)),
    };
    pthread_mutex_init(&store->lock, NULL);
    for (size_t i = 0; i < n_sources; i++)
        store->sources[i] = (struct source){
            .chain = text_copy(sources[i].chain),
            .key = text_copy(sources[i].key),
            .is_shared =
                !strstr(sources[i].chain, host_variable) && !strstr(sources[i].key, host_variable),
        };
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
    for (size_t i = 0; i < store->n_sources; i++) {
        certificate_unref(store->sources[i].look.certificate);
        free(store->sources[i].chain);
        free(store->sources[i].key);
    }
    free(store->sources);
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

    if (HASH_COUNT(store->hosts) >= store->capacity) {
        oldest = store->hosts;
        HASH_DEL(store->hosts, oldest);
    }
    HASH_ADD_KEYPTR(hh, store->hosts, entry->host, strlen(entry->host), entry);
    return oldest;
}

bool cert_store_recall(struct cert_store *store, const char *host,
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

    if (!host_is_safe(host) || cert_store_recall(store, host, &certificate))
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

static void state_serve(struct cert_state *state, const struct look *look, const char *host,
                        int64_t now_unix_s)
{
    char words[CERTIFICATE_FINDINGS_MAX];

    *state = (struct cert_state){
        .certificate = look->certificate,
        .findings = certificate_check(look->certificate, host, now_unix_s),
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
        source_look(store, &store->sources[i], host, &never, &look);
        if (look.result == LOOK_GOOD) {
            state_serve(ret_state, &look, host, store->clock->unix_s(store->clock));
            return;
        }
        state_note(ret_state, look.err.msg);
        if (look.result == LOOK_FAULT)
            ret_state->findings |= finding_bit(FINDING_CERTIFICATE_UNREADABLE);
        if (look.result == LOOK_OTHER_NAME)
            ret_state->findings |= finding_bit(FINDING_CERTIFICATE_NAME);
    }
    if (n_tried == 0)
        state_note(ret_state, "there is no source of certificates for this host");
    if (ret_state->findings == 0)
        ret_state->findings = finding_bit(FINDING_CERTIFICATE_MISSING);
}

static int directory_probe(const char *path, struct err *err)
{
    DIR *directory = opendir(path);
    int sys_errno = errno;

    if (directory) {
        errno = 0; /* readdir() leaves it alone at the end of an empty directory */
        sys_errno = readdir(directory) ? 0 : errno;
        closedir(directory);
    }
    return sys_errno == 0 ? 0 : err_io(err, sys_errno, "'%s' cannot be listed", path);
}

/* A file without {host} that can be opened, or is not there, needs no look at its directory. */
static bool file_needs_no_probe(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT;
    close(fd);
    return true;
}

int cert_store_probe(const struct cert_store *store, struct err *err)
{
    for (size_t i = 0; i < store->n_sources; i++) {
        char *path = text_copy(store->sources[i].chain);
        char *variable = strstr(path, host_variable);
        int result = 0;

        if (variable)
            variable[1] = '\0'; /* something must be left for dirname() to drop */
        if (variable || !file_needs_no_probe(path))
            result = directory_probe(dirname(path), err);
        free(path);
        if (result != 0)
            return -1;
    }
    return 0;
}

static void shared_refresh(struct cert_store *store, struct source *source,
                           const struct reporter *reporter)
{
    struct certificate *kept, *old = NULL;
    struct stamp last;
    struct look look;
    bool is_read;

    pthread_mutex_lock(&store->lock);
    is_read = source->is_read;
    last = source->seen;
    pthread_mutex_unlock(&store->lock);
    if (!is_read)
        return;
    look_at_files(source->chain, source->key, &last, &look);
    if (look.result == LOOK_SAME)
        return;
    pthread_mutex_lock(&store->lock);
    kept = look.result == LOOK_GOOD ? NULL : source->look.certificate;
    source->seen = look.stamp;
    if (!kept) {
        old = source->look.certificate;
        source->look = look;
    }
    pthread_mutex_unlock(&store->lock);
    if (!stamp_eq(&look.stamp, &last))
        report_look(reporter, "certificates", &look, kept);
    certificate_unref(old);
}

/* Every entry with a reference, so that those evicted meanwhile live on; the caller frees. */
static struct entry **hold_entries(struct cert_store *store, size_t *ret_n)
{
    struct entry **entries, *entry;
    size_t n = 0;

    pthread_mutex_lock(&store->lock);
    entries = memory_alloc((HASH_COUNT(store->hosts) + 1) * sizeof(struct entry *));
    for (entry = store->hosts; entry; entry = entry->hh.next) {
        atomic_fetch_add(&entry->references, 1);
        entries[n++] = entry;
    }
    pthread_mutex_unlock(&store->lock);
    *ret_n = n;
    return entries;
}

void cert_store_refresh(struct cert_store *store, cert_report *report, void *context)
{
    const struct reporter reporter = {report, context};
    struct entry **entries;
    size_t n;

    for (size_t i = 0; i < store->n_sources; i++)
        if (store->sources[i].is_shared)
            shared_refresh(store, &store->sources[i], &reporter);
    entries = hold_entries(store, &n);
    for (size_t i = 0; i < n; i++) {
        entry_refresh(store, entries[i], &reporter);
        entry_unref(entries[i]);
    }
    free(entries);
}
