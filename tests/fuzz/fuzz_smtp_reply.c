/* SPDX-License-Identifier: MIT */
/*
 * Replies, read whole and in pieces whose size the first byte says: both read the same. What is
 * read is within its bounds, and a reply comes to an end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check/smtp_reply.h"

#include "require.h"

enum {
    EVENTS_MAX = 2 * SMTP_LINES_MAX,
};

/* What reading has given, up to the end of one reply. */
struct reading {
    size_t n, taken;
    struct {
        enum smtp_reply_event event;
        int code;
        size_t text_len;
        char text[SMTP_LINE_MAX];
    } events[EVENTS_MAX];
};

static void require_line(const struct smtp_reply *reply, enum smtp_reply_event event,
                         struct slice text)
{
    require(text.len <= SMTP_LINE_MAX, "a text is within its cap");
    require(text.len == 0 || slice_find_byte(text, '\n') == text.len, "a text is one line");
    require(reply->n_lines <= SMTP_LINES_MAX, "lines are within their cap");
    if (event != SMTP_REPLY_BROKEN)
        require(reply->code >= 200 && reply->code <= 599, "a line has a code of SMTP's");
}

/* Returns whether the reply goes on. */
static bool reading_add(struct reading *reading, const struct smtp_reply *reply,
                        enum smtp_reply_event event, struct slice text)
{
    if (event == SMTP_REPLY_MORE)
        return true;
    require(reading->n < EVENTS_MAX, "a reply comes to an end");
    if (event == SMTP_REPLY_TOO_LONG)
        text.len = 0;
    else
        require_line(reply, event, text);
    reading->events[reading->n].event = event;
    reading->events[reading->n].code = reply->code;
    reading->events[reading->n].text_len = text.len;
    if (text.len > 0)
        memcpy(reading->events[reading->n].text, text.ptr, text.len);
    reading->n++;
    return event == SMTP_REPLY_LINE;
}

static void reading_make(struct reading *reading, struct slice bytes, size_t piece_len)
{
    struct smtp_reply reply = {0};
    bool goes_on = true;

    memset(reading, 0, sizeof(*reading));
    for (size_t at = 0; goes_on && at < bytes.len; at += piece_len) {
        struct slice input = slice_range(bytes, at, at + piece_len), text = {0};
        while (goes_on && input.len > 0) {
            size_t before = input.len;
            enum smtp_reply_event event = smtp_reply_read(&reply, &input, &text);

            require(input.len < before, "reading takes something");
            require(event != SMTP_REPLY_MORE || input.len == 0, "what asks for more took all");
            reading->taken += before - input.len;
            goes_on = reading_add(reading, &reply, event, text);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, pieces;
    struct slice bytes = {(const char *)data + 1, size - 1};

    if (size < 2)
        return 0;
    reading_make(&whole, bytes, bytes.len);
    reading_make(&pieces, bytes, (size_t)data[0] + 1);
    require(whole.n == pieces.n, "pieces have as many lines as the whole");
    require(memcmp(whole.events, pieces.events, sizeof(whole.events)) == 0,
            "pieces read as the whole does");
    if (whole.n > 0 && whole.events[whole.n - 1].event != SMTP_REPLY_TOO_LONG)
        require(whole.taken == pieces.taken, "pieces end where the whole does");
    return 0;
}
