/* SPDX-License-Identifier: MIT */
#include "daemon/http/challenge_reader.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

/* Of the one question that the thread is asked at a time. */
enum reader_stage {
    READER_FREE,
    READER_ASKED,
    READER_ANSWERED,
};

struct challenge_reader {
    char *directory;
    challenge_reader_read *read;
    unsigned timeout_ms;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t changed;
    enum reader_stage stage;
    bool is_late; /* whoever has asked waits no longer */
    bool has_thread, is_ending;
    char token[CHALLENGE_TOKEN_MAX + 1];
    char answer[CHALLENGE_ANSWER_MAX + 1];
    size_t answer_len;
};

static uint64_t reader_deadline_ms(const struct challenge_reader *reader)
{
    return clock_system.monotonic_ms(&clock_system) + reader->timeout_ms;
}

struct challenge_reader *challenge_reader_new(const char *state, challenge_reader_read *read,
                                              unsigned timeout_ms)
{
    struct challenge_reader *reader = memory_alloc(sizeof(*reader));
    pthread_condattr_t attributes;

    *reader = (struct challenge_reader){
        .directory = file_path_below(state, CHALLENGE_DIRECTORY),
        .read = read,
        .timeout_ms = timeout_ms,
    };
    pthread_mutex_init(&reader->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return reader;
}

/* Returns false if the deadline has passed. */
static bool challenge_reader_wait(struct challenge_reader *reader, uint64_t deadline_ms)
{
    struct timespec at = clock_timespec(deadline_ms);

    return pthread_cond_timedwait(&reader->changed, &reader->lock, &at) == 0;
}

int challenge_reader_free(struct challenge_reader *reader)
{
    bool has_thread;

    if (!reader)
        return 0;
    pthread_mutex_lock(&reader->lock);
    reader->is_ending = true;
    pthread_cond_broadcast(&reader->changed);
    for (uint64_t deadline_ms = reader_deadline_ms(reader); reader->has_thread;)
        if (!challenge_reader_wait(reader, deadline_ms))
            break;
    has_thread = reader->has_thread;
    pthread_mutex_unlock(&reader->lock);
    if (has_thread)
        return -1;
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    free(reader->directory);
    free(reader);
    return 0;
}

/* Under the lock, which is released for the read. Nobody else writes to token and answer then. */
static void reader_run(struct challenge_reader *reader)
{
    pthread_mutex_unlock(&reader->lock);
    reader->answer_len = reader->read(reader->directory, slice_of(reader->token), reader->answer);
    pthread_mutex_lock(&reader->lock);
    reader->stage = reader->is_late ? READER_FREE : READER_ANSWERED;
    reader->is_late = false;
    pthread_cond_broadcast(&reader->changed);
}

static void *reader_main(void *context)
{
    struct challenge_reader *reader = context;

    pthread_mutex_lock(&reader->lock);
    while (!reader->is_ending) {
        if (reader->stage == READER_ASKED)
            reader_run(reader);
        else
            pthread_cond_wait(&reader->changed, &reader->lock);
    }
    reader->has_thread = false;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

/* Detached: one that hangs is never joined. */
static bool reader_start_thread(struct challenge_reader *reader)
{
    pthread_attr_t attributes;
    pthread_t id;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    reader->has_thread = pthread_create(&id, &attributes, reader_main, reader) == 0;
    pthread_attr_destroy(&attributes);
    return reader->has_thread;
}

/* Under the lock. Returns false if the deadline has passed, or that of the question before has. */
static bool reader_wait_free(struct challenge_reader *reader, uint64_t deadline_ms)
{
    while (reader->stage != READER_FREE)
        if (reader->is_late || !challenge_reader_wait(reader, deadline_ms))
            return false;
    return true;
}

/* Under the lock. */
static enum challenge_outcome challenge_reader_ask(struct challenge_reader *reader,
                                                   struct slice token,
                                                   char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    uint64_t deadline_ms = reader_deadline_ms(reader);
    bool is_found;

    if (!reader_wait_free(reader, deadline_ms) ||
        (!reader->has_thread && !reader_start_thread(reader)))
        return CHALLENGE_LATE;
    memcpy(reader->token, token.ptr, token.len);
    reader->token[token.len] = '\0';
    reader->stage = READER_ASKED;
    pthread_cond_broadcast(&reader->changed);
    while (reader->stage == READER_ASKED) {
        if (!challenge_reader_wait(reader, deadline_ms) && reader->stage == READER_ASKED) {
            reader->is_late = true;
            pthread_cond_broadcast(&reader->changed);
            return CHALLENGE_LATE;
        }
    }
    is_found = reader->answer_len > 0;
    if (is_found)
        memcpy(ret_answer, reader->answer, reader->answer_len + 1);
    reader->stage = READER_FREE;
    pthread_cond_broadcast(&reader->changed);
    return is_found ? CHALLENGE_FOUND : CHALLENGE_UNKNOWN;
}

enum challenge_outcome challenge_reader_find(struct challenge_reader *reader, struct slice token,
                                             char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    enum challenge_outcome outcome;

    if (!challenge_token_is_valid(token))
        return CHALLENGE_UNKNOWN;
    pthread_mutex_lock(&reader->lock);
    outcome = challenge_reader_ask(reader, token, ret_answer);
    pthread_mutex_unlock(&reader->lock);
    return outcome;
}
