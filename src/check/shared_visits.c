/* SPDX-License-Identifier: MIT */
#include "check/shared_visits.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "lib/base/arena.h"

struct visit_waiter {
    visit_seen *callback;
    void *context;
    const void *seen; /* once there is something */
    struct visit_waiter *prev, *next;
};

struct shared_visit {
    struct shared_visits *visits;
    char *key;
    void *subject; /* NULL: none, or the visit has begun */
    void *visit;   /* NULL: its turn has not come */
    const void *seen;
    struct visit_waiter *waiters;
    struct shared_visit *prev, *next; /* of those queued, or of those seen */
    UT_hash_handle hh;
};

struct shared_visits {
    const struct visit_kind *kind;
    void *tools;
    size_t n_at_once, n_kept, n_visits;
    struct shared_visit *by_key;
    struct shared_visit *queued, *seen; /* the first came first */
    size_t n_seen;
    struct visit_waiter *served; /* those whose visit has been seen */
    uv_timer_t timer;            /* calls them, never from inside shared_visits_ask() */
};

static void waiters_free(struct visit_waiter *waiters)
{
    struct visit_waiter *waiter, *next;

    DL_FOREACH_SAFE (waiters, waiter, next)
        free(waiter);
}

static void entry_free(struct shared_visit *entry)
{
    waiters_free(entry->waiters);
    entry->visits->kind->free(entry->visit);
    free(entry->subject);
    free(entry->key);
    free(entry);
}

static void visits_on_timer(uv_timer_t *timer);

static void visits_wake(struct shared_visits *visits)
{
    uv_timer_start(&visits->timer, visits_on_timer, 0, 0);
}

void shared_visit_end(struct shared_visit *entry, const void *seen)
{
    struct shared_visits *visits = entry->visits;
    struct visit_waiter *waiter;

    entry->seen = seen;
    DL_FOREACH (entry->waiters, waiter)
        waiter->seen = seen;
    DL_CONCAT(visits->served, entry->waiters);
    entry->waiters = NULL;
    DL_APPEND(visits->seen, entry);
    visits->n_seen++;
    visits->n_visits--;
    visits_wake(visits);
}

static void visits_start_next(struct shared_visits *visits)
{
    while (visits->queued && visits->n_visits < visits->n_at_once) {
        struct shared_visit *entry = visits->queued;
        DL_DELETE(visits->queued, entry);
        visits->n_visits++;
        entry->visit = visits->kind->start(visits->tools, entry->key, entry->subject, entry);
        free(entry->subject);
        entry->subject = NULL;
    }
}

static void visits_drop_oldest(struct shared_visits *visits)
{
    while (visits->by_key && visits->seen && visits->n_seen > visits->n_kept) {
        struct shared_visit *entry = visits->seen;
        DL_DELETE(visits->seen, entry);
        visits->n_seen--;
        HASH_DEL(visits->by_key, entry);
        entry_free(entry);
    }
}

/* Nothing is dropped before all who wait for it are served. */
static void visits_on_timer(uv_timer_t *timer)
{
    struct shared_visits *visits = timer->data;

    while (visits->served) {
        struct visit_waiter *waiter = visits->served;
        DL_DELETE(visits->served, waiter);
        waiter->callback(waiter->context, waiter->seen);
        free(waiter);
    }
    visits_drop_oldest(visits);
    visits_start_next(visits);
}

struct shared_visits *shared_visits_new(uv_loop_t *loop, const struct visit_kind *kind, void *tools,
                                        size_t n_at_once, size_t n_kept)
{
    struct shared_visits *visits = memory_alloc(sizeof(*visits));

    *visits = (struct shared_visits){
        .kind = kind, .tools = tools, .n_at_once = n_at_once, .n_kept = n_kept};
    uv_timer_init(loop, &visits->timer);
    visits->timer.data = visits;
    return visits;
}

static void visits_on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void shared_visits_free(struct shared_visits *visits)
{
    struct shared_visit *entry, *next;

    if (visits == NULL)
        return;
    entry = visits->by_key;
    HASH_CLEAR(hh, visits->by_key);
    for (; entry; entry = next) {
        next = entry->hh.next;
        entry_free(entry);
    }
    waiters_free(visits->served);
    uv_close((uv_handle_t *)&visits->timer, visits_on_closed);
}

static struct shared_visit *visits_find(const struct shared_visits *visits, const char *key)
{
    struct shared_visit *entry;

    HASH_FIND_STR(visits->by_key, key, entry);
    return entry;
}

static struct shared_visit *visits_add(struct shared_visits *visits, const char *key,
                                       const void *subject, size_t subject_len)
{
    struct shared_visit *entry = memory_alloc(sizeof(*entry));

    *entry = (struct shared_visit){.visits = visits, .key = strdup(key)};
    if (entry->key == NULL)
        memory_fail();
    if (subject) {
        entry->subject = memory_alloc(subject_len);
        memcpy(entry->subject, subject, subject_len);
    }
    HASH_ADD_KEYPTR(hh, visits->by_key, entry->key, strlen(entry->key), entry);
    DL_APPEND(visits->queued, entry);
    return entry;
}

void shared_visits_ask(struct shared_visits *visits, const char *key, const void *subject,
                       size_t subject_len, visit_seen *callback, void *context)
{
    struct visit_waiter *waiter = memory_alloc(sizeof(*waiter));
    struct shared_visit *entry = visits_find(visits, key);

    if (entry == NULL)
        entry = visits_add(visits, key, subject, subject_len);
    *waiter = (struct visit_waiter){.callback = callback, .context = context, .seen = entry->seen};
    if (entry->seen)
        DL_APPEND(visits->served, waiter);
    else
        DL_APPEND(entry->waiters, waiter);
    visits_wake(visits);
}

bool shared_visits_have(const struct shared_visits *visits, const char *key)
{
    return visits_find(visits, key) != NULL;
}
