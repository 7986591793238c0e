/* SPDX-License-Identifier: MIT */
#include "tls/reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <utlist.h>

#include "base/arena.h"
#include "tls/certificate.h"
#include "tls/store.h"

/* A read that is to run, runs, or has run and is still waited for; under the reader's lock. */
struct reading {
    struct reading *next;
    struct reading *next_queued;
    struct cert_store *store;
    char *host;
    size_t references; /* of those who wait, and the thread's */
    struct timespec give_up_at;
    bool is_done;
    struct certificate *certificate;
};

/* Threads are made when all are busy, and stay: making one takes as long as half a read. */
struct cert_reader {
    cert_reader_load *load;
    size_t threads_max;
    unsigned patience_ms;
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* there is something in the queue */
    pthread_cond_t done;
    struct reading *readings; /* that are to run or run */
    size_t n_readings;
    struct reading *queue; /* those of them that no thread has taken yet, in order */
    size_t n_queued, n_idle, n_threads;
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
    pthread_cond_init(&reader->wanted, NULL);
    return reader;
}

void cert_reader_free(struct cert_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->is_ending = true;
    pthread_cond_broadcast(&reader->wanted);
    while (reader->n_threads > 0)
        pthread_cond_wait(&reader->done, &reader->lock);
    pthread_mutex_unlock(&reader->lock);
    pthread_cond_destroy(&reader->wanted);
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

static void enqueue(struct cert_reader *reader, struct reading *reading)
{
    LL_PREPEND(reader->readings, reading);
    reader->n_readings++;
    LL_APPEND2(reader->queue, reading, next_queued);
    reader->n_queued++;
}

static void dequeue(struct cert_reader *reader, struct reading *reading)
{
    LL_DELETE2(reader->queue, reading, next_queued);
    reader->n_queued--;
}

static void drop(struct cert_reader *reader, struct reading *reading)
{
    LL_DELETE(reader->readings, reading);
    reader->n_readings--;
    release(reading);
}

/* Under the lock, which is let go of for the read. */
static void perform(struct cert_reader *reader, struct reading *reading)
{
    struct certificate *certificate;

    dequeue(reader, reading);
    pthread_mutex_unlock(&reader->lock);
    certificate = reader->load(reading->store, reading->host);
    pthread_mutex_lock(&reader->lock);
    reading->certificate = certificate;
    reading->is_done = true;
    drop(reader, reading);
    pthread_cond_broadcast(&reader->done);
}

static void *run(void *context)
{
    struct cert_reader *reader = context;

    pthread_mutex_lock(&reader->lock);
    while (reader->queue || !reader->is_ending) {
        if (reader->queue) {
            perform(reader, reader->queue);
            continue;
        }
        reader->n_idle++;
        pthread_cond_wait(&reader->wanted, &reader->lock);
        reader->n_idle--;
    }
    reader->n_threads--;
    pthread_cond_broadcast(&reader->done);
    pthread_mutex_unlock(&reader->lock);
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

static int start_thread(struct cert_reader *reader)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int result;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    result = pthread_create(&thread, &attributes, run, reader);
    pthread_attr_destroy(&attributes);
    reader->n_threads += result == 0;
    return result;
}

/* A thread that is idle for each of the queue, be it a new one. */
static int call_thread(struct cert_reader *reader)
{
    if (reader->n_queued > reader->n_idle)
        return start_thread(reader);
    pthread_cond_signal(&reader->wanted);
    return 0;
}

/* Returns NULL if there are too many. */
static struct reading *start(struct cert_reader *reader, struct cert_store *store, const char *host)
{
    struct reading *reading;

    if (reader->n_readings >= reader->threads_max)
        return NULL;
    reading = memory_alloc(sizeof(*reading));
    *reading = (struct reading){.store = cert_store_ref(store),
                                .host = memory_alloc(strlen(host) + 1),
                                .references = 1,
                                .give_up_at = after_ms(reader->patience_ms)};
    strcpy(reading->host, host);
    enqueue(reader, reading);
    if (call_thread(reader) == 0)
        return reading;
    dequeue(reader, reading);
    drop(reader, reading);
    return NULL;
}

static struct reading *find(const struct cert_reader *reader, const struct cert_store *store,
                            const char *host)
{
    struct reading *reading;

    LL_FOREACH (reader->readings, reading)
        if (reading->store == store && strcmp(reading->host, host) == 0)
            return reading;
    return NULL;
}

/* Until it is done or has taken too long since it began. */
static struct certificate *await(struct cert_reader *reader, struct reading *reading,
                                 bool *ret_is_late)
{
    struct certificate *certificate = NULL;
    int result = 0;

    reading->references++;
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
