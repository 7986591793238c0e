/* SPDX-License-Identifier: MIT */
/**
 * A mailbox: how other threads have something done in a worker's thread, on its loop.
 *
 * Who sends may outlive the worker's loop: what is sent to a closed mailbox is dropped. A mailbox
 * is counted by references, which any thread may take and give back.
 */
#pragma once

#include <h2o.h>

struct mail;
struct mailbox;

/** What becomes of a mail. */
enum mail_fate {
    MAIL_TAKEN,   /* called in the worker's thread */
    MAIL_DROPPED, /* called in the sender's: the mailbox is closed */
};

/** Called once for each mail, which belongs to the callee. Must not block. */
typedef void mail_take(struct mail *mail, enum mail_fate fate);

/** A member of what is sent; `take` is set by the sender. */
struct mail {
    h2o_multithread_message_t super;
    mail_take *take;
};

/** One that nobody can send to before mailbox_open(). Never returns NULL. */
struct mailbox *mailbox_new(void);

struct mailbox *mailbox_ref(struct mailbox *mailbox);

/** Takes NULL. The last reference frees the mailbox, which is closed or was never open. */
void mailbox_unref(struct mailbox *mailbox);

/** Begins to take mail on the loop. In the worker's thread, as is the next. */
void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop);

/** Takes what was sent until now, and nothing any more. */
void mailbox_close(struct mailbox *mailbox);

/** Sends a mail. Safe from any thread. */
void mailbox_send(struct mailbox *mailbox, struct mail *mail);
