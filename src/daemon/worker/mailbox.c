/* SPDX-License-Identifier: MIT */
#include "daemon/worker/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/arena.h"

struct mailbox {
    atomic_size_t n_references;
    h2o_loop_t *loop;
    h2o_multithread_queue_t *queue;
    h2o_multithread_receiver_t receiver;
    pthread_mutex_t lock; /* of the next two, and held while something is sent */
    bool is_open;
    size_t n_sent;
    size_t n_taken; /* the worker's thread's own */
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *mailbox = memory_alloc(sizeof(*mailbox));

    *mailbox = (struct mailbox){.is_open = false};
    atomic_init(&mailbox->n_references, 1);
    pthread_mutex_init(&mailbox->lock, NULL);
    return mailbox;
}

struct mailbox *mailbox_ref(struct mailbox *mailbox)
{
    atomic_fetch_add(&mailbox->n_references, 1);
    return mailbox;
}

void mailbox_unref(struct mailbox *mailbox)
{
    if (!mailbox || atomic_fetch_sub(&mailbox->n_references, 1) > 1)
        return;
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

static void mailbox_on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct mailbox *mailbox = H2O_STRUCT_FROM_MEMBER(struct mailbox, receiver, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        struct mail *mail = H2O_STRUCT_FROM_MEMBER(struct mail, super.link, messages->next);

        h2o_linklist_unlink(&mail->super.link);
        mailbox->n_taken++;
        mail->take(mail, MAIL_TAKEN);
    }
}

/*
 * An h2o socket takes the buffers that it reads into from a pool of the thread that has made it,
 * without a lock. So a queue is made, read and destroyed in one thread: those of the contexts, made
 * in the control plane's for all workers, would share its pool, and nobody writes to them.
 */
void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop)
{
    mailbox->loop = loop;
    mailbox->queue = h2o_multithread_create_queue(loop);
    h2o_multithread_register_receiver(mailbox->queue, &mailbox->receiver, mailbox_on_messages);
    pthread_mutex_lock(&mailbox->lock);
    mailbox->is_open = true;
    pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_close(struct mailbox *mailbox)
{
    /* With the lock: the last sender has let go of the queue when it is destroyed. */
    pthread_mutex_lock(&mailbox->lock);
    mailbox->is_open = false;
    pthread_mutex_unlock(&mailbox->lock);
    while (mailbox->n_taken < mailbox->n_sent)
        h2o_evloop_run(mailbox->loop, 0);
    h2o_multithread_unregister_receiver(mailbox->queue, &mailbox->receiver);
    h2o_multithread_destroy_queue(mailbox->queue);
}

void mailbox_send(struct mailbox *mailbox, struct mail *mail)
{
    bool is_open;

    pthread_mutex_lock(&mailbox->lock);
    is_open = mailbox->is_open;
    if (is_open) {
        mailbox->n_sent++;
        h2o_multithread_send_message(&mailbox->receiver, &mail->super);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (!is_open)
        mail->take(mail, MAIL_DROPPED);
}
