/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <utlist.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"

/* A read that runs, or has run and is still waited for; under the reader's lock. */
struct reading {
    struct reading *next;
    struct cert_store *store;
    char *host;
    size_t references; /* of those who wait, and the thread's */
    struct timespec give_up_at;
    bool is_done;
    struct certificate *certificate;
};

/* Made when all are busy; it stays, as making one takes as long as half a read. */
struct thread {
    struct thread *next; /* among the idle */
    struct cert_reader *reader;
    pthread_cond_t called;
    struct reading *reading; /* NULL: idle */
};

struct cert_reader {
    cert_reader_load *load;
    size_t threads_max;
    unsigned patience_ms;
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct reading *readings; /* that run */
    size_t n_readings;
    struct thread *idle; /* the latest first: what it needs is still in the processor's caches */
    size_t n_threads;
    bool is_ending;
};

struct cert_reader *cert_reader_new(cert_reader_load *load, size_t threads_max,
                                    unsigned patience_ms)
{
    struct cert_reader *reader = memory_alloc(sizeof(*reader));
    pthread_condattr_t attributes;

    *reader =
        (struct cert_reader){.load = load, .threads_max = threads_max, .patience_ms = patience_ms};
    pthread_mutex_init(&reader->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->done, &attributes);
    pthread_condattr_destroy(&attributes);
    return reader;
}

void cert_reader_free(struct cert_reader *reader)
{
    struct thread *thread;

    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->is_ending = true;
    LL_FOREACH (reader->idle, thread)
        pthread_cond_signal(&thread->called);
    while (reader->n_threads > 0)
        pthread_cond_wait(&reader->done, &reader->lock);
    pthread_mutex_unlock(&reader->lock);
    pthread_cond_destroy(&reader->done);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

static void release(struct reading *reading)
{
    if (--reading->references > 0)
        return;
    certificate_unref(reading->certificate);
    cert_store_unref(reading->store);
    free(reading->host);
    free(reading);
}

static void drop(struct cert_reader *reader, struct reading *reading)
{
    LL_DELETE(reader->readings, reading);
    reader->n_readings--;
    release(reading);
}

/*
 * Under the lock, which is let go of for the read, and for those who wait to find it free. From the
 * moment that they may go on, this thread can be given the next one.
 */
static void perform(struct thread *thread)
{
    struct cert_reader *reader = thread->reader;
    struct reading *reading = thread->reading;
    struct certificate *certificate;

    pthread_mutex_unlock(&reader->lock);
    certificate = reader->load(reading->store, reading->host);
    pthread_mutex_lock(&reader->lock);
    reading->certificate = certificate;
    reading->is_done = true;
    drop(reader, reading);
    thread->reading = NULL;
    LL_PREPEND(reader->idle, thread);
    pthread_mutex_unlock(&reader->lock);
    pthread_cond_broadcast(&reader->done);
    pthread_mutex_lock(&reader->lock);
}

static void *run(void *context)
{
    struct thread *thread = context;
    struct cert_reader *reader = thread->reader;

    pthread_mutex_lock(&reader->lock);
    while (thread->reading || !reader->is_ending) {
        if (thread->reading)
            perform(thread);
        else
            pthread_cond_wait(&thread->called, &reader->lock);
    }
    reader->n_threads--;
    pthread_cond_broadcast(&reader->done);
    pthread_mutex_unlock(&reader->lock);
    pthread_cond_destroy(&thread->called);
    free(thread);
    return NULL;
}

static struct timespec after_ms(unsigned ms)
{
    static const long second_ns = 1000L * 1000 * 1000;
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += (long)(ms % 1000) * 1000 * 1000;
    if (time.tv_nsec >= second_ns) {
        time.tv_sec++;
        time.tv_nsec -= second_ns;
    }
    return time;
}

static int start_thread(struct cert_reader *reader, struct reading *reading)
{
    struct thread *thread = memory_alloc(sizeof(*thread));
    pthread_attr_t attributes;
    pthread_t id;
    int result;

    *thread = (struct thread){.reader = reader, .reading = reading};
    pthread_cond_init(&thread->called, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    result = pthread_create(&id, &attributes, run, thread);
    pthread_attr_destroy(&attributes);
    if (result != 0) {
        pthread_cond_destroy(&thread->called);
        free(thread);
        return -1;
    }
    reader->n_threads++;
    return 0;
}

/* Under the lock, which is let go of for the thread that is called to find it free. */
static int hand_over(struct cert_reader *reader, struct reading *reading)
{
    struct thread *thread = reader->idle;

    reading->references++;
    if (!thread)
        return start_thread(reader, reading);
    LL_DELETE(reader->idle, thread);
    thread->reading = reading;
    pthread_mutex_unlock(&reader->lock);
    pthread_cond_signal(&thread->called);
    pthread_mutex_lock(&reader->lock);
    return 0;
}

static bool is_past(const struct timespec *time)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > time->tv_sec ||
           (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/*
 * While one read hangs, the next one would as a rule hang too, and each costs its worker the whole
 * patience, in which all its other peers wait.
 */
static bool is_stuck(const struct cert_reader *reader)
{
    const struct reading *reading;

    LL_FOREACH (reader->readings, reading)
        if (is_past(&reading->give_up_at))
            return true;
    return false;
}

/* Returns a reference, or NULL if there are too many, or one hangs. */
static struct reading *start(struct cert_reader *reader, struct cert_store *store, const char *host)
{
    struct reading *reading;

    if (reader->n_readings >= reader->threads_max || is_stuck(reader))
        return NULL;
    reading = memory_alloc(sizeof(*reading));
    *reading = (struct reading){.store = cert_store_ref(store),
                                .host = memory_alloc(strlen(host) + 1),
                                .references = 1,
                                .give_up_at = after_ms(reader->patience_ms)};
    strcpy(reading->host, host);
    LL_PREPEND(reader->readings, reading);
    reader->n_readings++;
    if (hand_over(reader, reading) == 0)
        return reading;
    reading->references--; /* the thread's that there is not */
    drop(reader, reading);
    return NULL;
}

/* Returns a reference, or NULL. */
static struct reading *find(const struct cert_reader *reader, const struct cert_store *store,
                            const char *host)
{
    struct reading *reading;

    LL_FOREACH (reader->readings, reading)
        if (reading->store == store && strcmp(reading->host, host) == 0)
            break;
    if (reading)
        reading->references++;
    return reading;
}

/* Until it is done or has taken too long since it began; takes the caller's reference. */
static struct certificate *await(struct cert_reader *reader, struct reading *reading,
                                 bool *ret_is_late)
{
    struct certificate *certificate = NULL;
    int result = 0;

    while (!reading->is_done && result == 0)
        result = pthread_cond_timedwait(&reader->done, &reader->lock, &reading->give_up_at);
    if (reading->certificate)
        certificate = certificate_ref(reading->certificate);
    *ret_is_late = !reading->is_done;
    release(reading);
    return certificate;
}

struct certificate *cert_reader_find(struct cert_reader *reader, struct cert_store *store,
                                     const char *host, bool *ret_is_late)
{
    struct certificate *certificate = NULL;
    struct reading *reading;

    *ret_is_late = false;
    if (cert_store_recall(store, host, &certificate))
        return certificate;
    pthread_mutex_lock(&reader->lock);
    reading = find(reader, store, host);
    /* Asked again under the lock: the read may just have ended. */
    if (!reading && !cert_store_recall(store, host, &certificate)) {
        reading = start(reader, store, host);
        *ret_is_late = !reading;
    }
    if (reading)
        certificate = await(reader, reading, ret_is_late);
    pthread_mutex_unlock(&reader->lock);
    return certificate;
}
