/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_loader.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

/* A host to read, from when it is asked for until it is read. */
struct load_job {
    struct load_job *prev, *next;
    struct cert_store *store;
    char *host;
    uint64_t deadline_ms;
    size_t references; /* of the handshakes that wait, and the list's */
    bool is_running;
    bool is_done;
    struct certificate *certificate;
};

struct cert_loader {
    cert_loader_load *load;
    unsigned timeout_ms;
    pthread_mutex_t lock; /* of the rest and of all jobs */
    pthread_cond_t added, done;
    struct load_job *jobs;    /* in the order of their deadlines */
    size_t n_jobs, n_waiting; /* all, and those that no thread has taken */
    size_t n_threads, n_idle;
    bool was_late; /* the last read */
    bool is_ending;
};

static uint64_t loader_now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

struct cert_loader *cert_loader_new(cert_loader_load *load, unsigned timeout_ms)
{
    struct cert_loader *loader = memory_alloc(sizeof(*loader));
    pthread_condattr_t attributes;

    *loader = (struct cert_loader){.load = load, .timeout_ms = timeout_ms};
    pthread_mutex_init(&loader->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->added, &attributes);
    pthread_cond_init(&loader->done, &attributes);
    pthread_condattr_destroy(&attributes);
    return loader;
}

/* Returns false if the deadline has passed. */
static bool loader_wait_done(struct cert_loader *loader, uint64_t deadline_ms)
{
    struct timespec at = clock_timespec(deadline_ms);

    return pthread_cond_timedwait(&loader->done, &loader->lock, &at) == 0;
}

static void job_unref(struct load_job *job)
{
    if (--job->references > 0)
        return;
    certificate_unref(job->certificate);
    cert_store_unref(job->store);
    free(job->host);
    free(job);
}

int cert_loader_free(struct cert_loader *loader)
{
    uint64_t deadline_ms = loader_now_ms() + (loader ? loader->timeout_ms : 0);
    struct load_job *job, *next;
    size_t n_left;

    if (!loader)
        return 0;
    pthread_mutex_lock(&loader->lock);
    loader->is_ending = true;
    pthread_cond_broadcast(&loader->added);
    while (loader->n_threads > 0 && loader_wait_done(loader, deadline_ms))
        ;
    n_left = loader->n_threads;
    pthread_mutex_unlock(&loader->lock);
    if (n_left > 0)
        return -1;
    DL_FOREACH_SAFE (loader->jobs, job, next)
        job_unref(job); /* nobody waits for it any more */
    pthread_cond_destroy(&loader->added);
    pthread_cond_destroy(&loader->done);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
    return 0;
}

static struct load_job *loader_next_job(const struct cert_loader *loader)
{
    struct load_job *job;

    DL_FOREACH (loader->jobs, job)
        if (!job->is_running)
            return job;
    return NULL;
}

/* Under the lock, which is released for the read. */
static void loader_run_job(struct cert_loader *loader, struct load_job *job)
{
    struct certificate *certificate;

    job->is_running = true;
    loader->n_waiting--;
    pthread_mutex_unlock(&loader->lock);
    certificate = loader->load(job->store, job->host);
    pthread_mutex_lock(&loader->lock);
    job->certificate = certificate;
    job->is_done = true;
    loader->was_late = loader_now_ms() > job->deadline_ms;
    DL_DELETE(loader->jobs, job);
    loader->n_jobs--;
    job_unref(job);
    pthread_cond_broadcast(&loader->done);
}

static void *loader_main(void *context)
{
    struct cert_loader *loader = context;
    struct load_job *job;

    pthread_mutex_lock(&loader->lock);
    while (!loader->is_ending) {
        job = loader_next_job(loader);
        if (job) {
            loader_run_job(loader, job);
            continue;
        }
        loader->n_idle++;
        pthread_cond_wait(&loader->added, &loader->lock);
        loader->n_idle--;
    }
    loader->n_threads--;
    pthread_cond_broadcast(&loader->done);
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Detached: one that hangs is never joined. Without one, a job waits for those that are there. */
static void loader_start_thread(struct cert_loader *loader)
{
    pthread_attr_t attributes;
    pthread_t id;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&id, &attributes, loader_main, loader) == 0)
        loader->n_threads++;
    pthread_attr_destroy(&attributes);
}

/* The first job has the earliest deadline. */
static bool loader_is_slow(const struct cert_loader *loader)
{
    return loader->was_late || (loader->jobs && loader_now_ms() > loader->jobs->deadline_ms);
}

/* Returns the job, which is the list's, or NULL if there are too many. */
static struct load_job *loader_add_job(struct cert_loader *loader, struct cert_store *store,
                                       const char *host)
{
    struct load_job *job;

    if (loader->n_jobs >= CERT_LOADER_JOBS_MAX)
        return NULL;
    job = memory_alloc(sizeof(*job));
    *job = (struct load_job){
        .store = cert_store_ref(store),
        .host = strcpy(memory_alloc(strlen(host) + 1), host),
        .deadline_ms = loader_now_ms() + loader->timeout_ms,
        .references = 1,
    };
    DL_APPEND(loader->jobs, job);
    loader->n_jobs++;
    loader->n_waiting++;
    if (loader->n_waiting > loader->n_idle && loader->n_threads < CERT_LOADER_THREADS)
        loader_start_thread(loader);
    pthread_cond_signal(&loader->added);
    return job;
}

static struct load_job *loader_find_job(const struct cert_loader *loader,
                                        const struct cert_store *store, const char *host)
{
    struct load_job *job;

    DL_FOREACH (loader->jobs, job)
        if (job->store == store && strcmp(job->host, host) == 0)
            return job;
    return NULL;
}

/*
 * Returns the certificate, or NULL if there is none or a deadline has passed: the job's, or that of
 * one before it, so that a path that hangs stops all workers at one time and not one after another.
 */
static struct certificate *loader_await(struct cert_loader *loader, struct load_job *job,
                                        bool *ret_is_late)
{
    struct certificate *certificate;

    job->references++;
    while (!job->is_done && loader_wait_done(loader, loader->jobs->deadline_ms))
        ;
    *ret_is_late = !job->is_done;
    certificate = job->certificate ? certificate_ref(job->certificate) : NULL;
    job_unref(job);
    return certificate;
}

struct certificate *cert_loader_find(struct cert_loader *loader, struct cert_store *store,
                                     const char *host, bool *ret_is_late)
{
    struct certificate *certificate = NULL;
    struct load_job *job;
    bool is_slow;

    *ret_is_late = false;
    if (cert_store_lookup(store, host, &certificate))
        return certificate;
    pthread_mutex_lock(&loader->lock);
    is_slow = loader_is_slow(loader);
    job = loader_find_job(loader, store, host);
    /* Asked again under the lock: the read may just have ended. */
    if (job || !cert_store_lookup(store, host, &certificate)) {
        if (!job)
            job = loader_add_job(loader, store, host);
        *ret_is_late = true;
        if (job && !is_slow)
            certificate = loader_await(loader, job, ret_is_late);
    }
    pthread_mutex_unlock(&loader->lock);
    return certificate;
}
