/* SPDX-License-Identifier: MIT */
#include "daemon/worker/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

struct letter {
    struct mail mail;
    unsigned n_taken, n_dropped;
    pthread_t taken_by;
};

static void take(struct mail *mail, enum mail_fate fate)
{
    struct letter *letter = H2O_STRUCT_FROM_MEMBER(struct letter, mail, mail);

    if (fate == MAIL_TAKEN)
        letter->n_taken++;
    else
        letter->n_dropped++;
    letter->taken_by = pthread_self();
}

struct sender {
    struct mailbox *mailbox;
    struct letter letters[50];
    pthread_t thread;
};

static void *send_all(void *context)
{
    struct sender *sender = context;

    for (size_t i = 0; i < ARRAY_LEN(sender->letters); i++)
        mailbox_send(sender->mailbox, &sender->letters[i].mail);
    mailbox_unref(sender->mailbox);
    return NULL;
}

static void start_senders(struct sender *senders, size_t n, struct mailbox *mailbox)
{
    for (size_t i = 0; i < n; i++) {
        senders[i] = (struct sender){.mailbox = mailbox_ref(mailbox)};
        for (size_t j = 0; j < ARRAY_LEN(senders[i].letters); j++)
            senders[i].letters[j].mail.take = take;
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
}

static size_t count_taken(const struct sender *senders, size_t n)
{
    size_t n_taken = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < ARRAY_LEN(senders[i].letters); j++)
            n_taken += senders[i].letters[j].n_taken;
    return n_taken;
}

/* Each letter is taken once, by the thread of the loop. */
static void test_taken(void **state)
{
    h2o_loop_t *loop = h2o_evloop_create();
    struct mailbox *mailbox = mailbox_new();
    struct sender senders[4];
    const size_t n_all = ARRAY_LEN(senders) * ARRAY_LEN(senders[0].letters);

    (void)state;
    mailbox_open(mailbox, loop);
    start_senders(senders, ARRAY_LEN(senders), mailbox);
    while (count_taken(senders, ARRAY_LEN(senders)) < n_all)
        h2o_evloop_run(loop, 1000);
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        pthread_join(senders[i].thread, NULL);
        for (size_t j = 0; j < ARRAY_LEN(senders[i].letters); j++) {
            assert_int_equal(senders[i].letters[j].n_taken, 1);
            assert_int_equal(senders[i].letters[j].n_dropped, 0);
            assert_true(pthread_equal(senders[i].letters[j].taken_by, pthread_self()));
        }
    }
    mailbox_close(mailbox);
    mailbox_unref(mailbox);
    h2o_evloop_destroy(loop);
}

/* A mailbox is closed while others send, who outlive it: each letter is taken or dropped. */
static void test_closed_meanwhile(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        h2o_loop_t *loop = h2o_evloop_create();
        struct mailbox *mailbox = mailbox_new();
        struct sender senders[2];

        mailbox_open(mailbox, loop);
        start_senders(senders, ARRAY_LEN(senders), mailbox);
        while (count_taken(senders, ARRAY_LEN(senders)) < round)
            h2o_evloop_run(loop, 1000);
        mailbox_close(mailbox);
        mailbox_unref(mailbox);
        h2o_evloop_destroy(loop);
        for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
            pthread_join(senders[i].thread, NULL);
            for (size_t j = 0; j < ARRAY_LEN(senders[i].letters); j++)
                assert_int_equal(senders[i].letters[j].n_taken + senders[i].letters[j].n_dropped,
                                 1);
        }
    }
}

/* What was sent before the end is taken at the end. */
static void test_taken_at_close(void **state)
{
    h2o_loop_t *loop = h2o_evloop_create();
    struct mailbox *mailbox = mailbox_new();
    struct letter first = {.mail.take = take}, second = {.mail.take = take},
                  late = {.mail.take = take};

    (void)state;
    mailbox_open(mailbox, loop);
    mailbox_send(mailbox, &first.mail);
    mailbox_send(mailbox, &second.mail);
    assert_int_equal(first.n_taken, 0);
    mailbox_close(mailbox);
    mailbox_send(mailbox, &late.mail);
    assert_int_equal(first.n_taken, 1);
    assert_int_equal(second.n_taken, 1);
    assert_int_equal(late.n_taken, 0);
    assert_int_equal(late.n_dropped, 1);
    mailbox_unref(mailbox);
    h2o_evloop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken),
                                       cmocka_unit_test(test_closed_meanwhile),
                                       cmocka_unit_test(test_taken_at_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
