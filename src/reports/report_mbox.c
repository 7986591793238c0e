/* SPDX-License-Identifier: MIT */
#include "reports/report_mbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/mail_limits.h"

enum {
    MBOX_LINE_MAX = 1024, /* bytes looked at of a line */
    MBOX_ROOM_FIRST = 16 * 1024,
    MBOX_ROOM_MAX = REPORT_MAIL_MAX + 1,
};

struct report_mbox {
    FILE *in;
    char *mail;
    size_t mail_len, mail_room;
    char line[MBOX_LINE_MAX];
    size_t line_len, line_begin; /* the line's first bytes; where it begins in `mail` */
    bool has_line;               /* the first line has been read */
    bool is_mbox;
    bool is_after_empty; /* the line before this one is empty */
};

struct report_mbox *report_mbox_new(FILE *in)
{
    struct report_mbox *mbox = memory_alloc(sizeof(*mbox));

    *mbox = (struct report_mbox){.in = in, .mail_room = MBOX_ROOM_FIRST};
    mbox->mail = memory_alloc(mbox->mail_room);
    return mbox;
}

void report_mbox_free(struct report_mbox *mbox)
{
    if (!mbox)
        return;
    free(mbox->mail);
    free(mbox);
}

static void mbox_add(struct report_mbox *mbox, char byte)
{
    if (mbox->line_len < sizeof(mbox->line))
        mbox->line[mbox->line_len++] = byte;
    if (mbox->mail_len == MBOX_ROOM_MAX)
        return;
    if (mbox->mail_len == mbox->mail_room) {
        mbox->mail_room = mbox->mail_room < MBOX_ROOM_MAX / 2 ? 2 * mbox->mail_room : MBOX_ROOM_MAX;
        mbox->mail = memory_resize(mbox->mail, mbox->mail_room, 1);
    }
    mbox->mail[mbox->mail_len++] = byte;
}

/* "From sender Sat Nov 29 03:38:03 2026": the order and the zone vary, a time is always there. */
static bool line_is_from(struct slice line)
{
    if (!slice_starts_with(line, "From "))
        return false;
    for (size_t i = 5; i + 4 < line.len; i++)
        if (ascii_is_digit(line.ptr[i]) && ascii_is_digit(line.ptr[i + 1]) &&
            line.ptr[i + 2] == ':' && ascii_is_digit(line.ptr[i + 3]) &&
            ascii_is_digit(line.ptr[i + 4]))
            return true;
    return false;
}

/* At the end of a line: whether the mail before it is complete, and the line a "From " line. */
static bool line_ends_mail(struct report_mbox *mbox)
{
    struct slice line = {mbox->line, mbox->line_len};
    bool is_from = line_is_from(line), is_first = !mbox->has_line;
    bool ends = mbox->is_mbox && mbox->is_after_empty && is_from;

    mbox->has_line = true;
    mbox->is_mbox = mbox->is_mbox || (is_first && is_from);
    mbox->is_after_empty = slice_eq_text(line, "\n") || slice_eq_text(line, "\r\n");
    if (ends)
        mbox->mail_len = mbox->line_begin;
    mbox->line_begin = mbox->mail_len;
    mbox->line_len = 0;
    return ends;
}

int report_mbox_next(struct report_mbox *mbox, struct slice *ret_mail, struct err *err)
{
    int byte;

    do {
        mbox->mail_len = mbox->line_begin = 0;
        while ((byte = getc_unlocked(mbox->in)) != EOF) {
            mbox_add(mbox, (char)byte);
            if (byte == '\n' && line_ends_mail(mbox))
                break;
        }
        if (ferror(mbox->in))
            return err_io(err, errno, "cannot be read");
    } while (byte != EOF && mbox->mail_len == 0);
    if (byte == EOF && mbox->mail_len == 0)
        return 0;
    *ret_mail = (struct slice){mbox->mail, mbox->mail_len};
    return 1;
}
