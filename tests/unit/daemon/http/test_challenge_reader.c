/* SPDX-License-Identifier: MIT */
#include "daemon/http/challenge_reader.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/slice.h"

enum {
    LONG_MS = 60 * 1000, /* never waited for */
    SHORT_MS = 50,
    ASKERS = 8,
};

/* A disk that the test holds back. */
static struct {
    sem_t gate; /* a read needs one of these */
    sem_t reached;
    _Atomic unsigned n_reads;
} disk;

/* The answer is the token twice; there is none with a token that begins with an x. */
static size_t read_slowly(const char *directory, struct slice token,
                          char ret_answer[CHALLENGE_ANSWER_MAX + 1])
{
    assert_string_equal(directory, "/state/challenges");
    disk.n_reads++;
    sem_post(&disk.reached);
    sem_wait(&disk.gate);
    if (token.ptr[0] == 'x')
        return 0;
    return (size_t)snprintf(ret_answer, CHALLENGE_ANSWER_MAX + 1, "%.*s%.*s", SLICE_ARG(token),
                            SLICE_ARG(token));
}

static struct challenge_reader *open_reader(unsigned timeout_ms)
{
    sem_init(&disk.gate, 0, 0);
    sem_init(&disk.reached, 0, 0);
    disk.n_reads = 0;
    return challenge_reader_new("/state", read_slowly, timeout_ms);
}

static void close_reader(struct challenge_reader *reader)
{
    while (challenge_reader_free(reader) != 0)
        sched_yield();
    sem_destroy(&disk.gate);
    sem_destroy(&disk.reached);
}

static enum challenge_outcome ask(struct challenge_reader *reader, const char *token)
{
    char answer[CHALLENGE_ANSWER_MAX + 1] = "untouched", want[2 * CHALLENGE_TOKEN_MAX + 1];
    enum challenge_outcome outcome = challenge_reader_find(reader, slice_of(token), answer);

    snprintf(want, sizeof(want), "%s%s", token, token);
    assert_string_equal(answer, outcome == CHALLENGE_FOUND ? want : "untouched");
    return outcome;
}

static void test_read_in_time(void **state)
{
    struct challenge_reader *reader = open_reader(LONG_MS);

    (void)state;
    for (int i = 0; i < 3; i++)
        sem_post(&disk.gate);
    assert_int_equal(ask(reader, "a"), CHALLENGE_FOUND);
    assert_int_equal(ask(reader, "x"), CHALLENGE_UNKNOWN);
    assert_int_equal(ask(reader, "b"), CHALLENGE_FOUND);
    assert_int_equal(disk.n_reads, 3);
    close_reader(reader);
    assert_int_equal(challenge_reader_free(NULL), 0);
}

static void test_bad_token_is_not_read(void **state)
{
    struct challenge_reader *reader = open_reader(LONG_MS);
    char long_token[CHALLENGE_TOKEN_MAX + 2] = "";

    (void)state;
    memset(long_token, 'a', CHALLENGE_TOKEN_MAX + 1);
    assert_int_equal(ask(reader, ""), CHALLENGE_UNKNOWN);
    assert_int_equal(ask(reader, "../a"), CHALLENGE_UNKNOWN);
    assert_int_equal(ask(reader, long_token), CHALLENGE_UNKNOWN);
    assert_int_equal(disk.n_reads, 0);
    close_reader(reader);
}

/* The time-out is waited for once; as soon as the disk answers again, so does the reader. */
static void test_read_too_slow(void **state)
{
    struct challenge_reader *reader = open_reader(SHORT_MS);
    uint64_t began_ms = clock_system.monotonic_ms(&clock_system);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(reader, "a"), CHALLENGE_LATE);
    assert_true(clock_system.monotonic_ms(&clock_system) - began_ms < 50 * SHORT_MS);
    assert_int_equal(disk.n_reads, 1);
    assert_int_equal(challenge_reader_free(reader), -1);
    for (int i = 0; i < 1000; i++)
        sem_post(&disk.gate);
    close_reader(reader);
}

static void test_disk_that_recovers(void **state)
{
    struct challenge_reader *reader = open_reader(SHORT_MS);

    (void)state;
    assert_int_equal(ask(reader, "a"), CHALLENGE_LATE);
    for (int i = 0; i < 1000; i++)
        sem_post(&disk.gate);
    while (ask(reader, "b") != CHALLENGE_FOUND)
        sched_yield();
    assert_int_equal(ask(reader, "x"), CHALLENGE_UNKNOWN);
    close_reader(reader);
}

static void *ask_often(void *context)
{
    char token[16];

    for (int i = 0; i < 200; i++) {
        snprintf(token, sizeof(token), "%c%d", i % 7 == 0 ? 'x' : 'a', i);
        assert_int_equal(ask(context, token), i % 7 == 0 ? CHALLENGE_UNKNOWN : CHALLENGE_FOUND);
    }
    return NULL;
}

/* Each gets the answer to its own question. */
static void test_many_askers(void **state)
{
    struct challenge_reader *reader = open_reader(LONG_MS);
    pthread_t askers[ASKERS];

    (void)state;
    for (int i = 0; i < ASKERS * 200; i++)
        sem_post(&disk.gate);
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_often, reader), 0);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(askers[i], NULL);
    assert_int_equal(disk.n_reads, ASKERS * 200);
    close_reader(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_in_time),  cmocka_unit_test(test_bad_token_is_not_read),
        cmocka_unit_test(test_read_too_slow), cmocka_unit_test(test_disk_that_recovers),
        cmocka_unit_test(test_many_askers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
