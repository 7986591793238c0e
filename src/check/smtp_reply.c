/* SPDX-License-Identifier: MIT */
/*
 * Greeting   = "220" ("-" / SP) text CRLF, lines as in a reply
 * Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 * Reply-code = %x32-35 %x30-35 %x30-39
 */
#include "check/smtp_reply.h"

#include <string.h>

/* 0 if the line does not begin with a code that stands alone or before "-" or a space. Servers use
 * second digits above 5, which the grammar does not have. */
static int reply_line_code(struct slice line)
{
    if (line.len < 3 || line.ptr[0] < '2' || line.ptr[0] > '5' || !ascii_is_digit(line.ptr[1]) ||
        !ascii_is_digit(line.ptr[2]))
        return 0;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
        return 0;
    return (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0');
}

static enum smtp_reply_event reply_line_judge(struct smtp_reply *reply, struct slice *ret_text)
{
    struct slice line = {reply->line, reply->line_len};
    int code;

    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    *ret_text = line;
    code = reply_line_code(line);
    if (code == 0 || (reply->code != 0 && reply->code != code))
        return SMTP_REPLY_BROKEN;
    reply->code = code;
    *ret_text = slice_range(line, 4, line.len);
    if (line.len == 3 || line.ptr[3] == ' ')
        return SMTP_REPLY_LAST;
    return reply->n_lines < SMTP_LINES_MAX ? SMTP_REPLY_LINE : SMTP_REPLY_TOO_LONG;
}

enum smtp_reply_event smtp_reply_read(struct smtp_reply *reply, struct slice *input,
                                      struct slice *ret_text)
{
    size_t taken = slice_find_byte(*input, '\n'), kept;
    bool has_end = taken < input->len;

    if (reply->is_complete) {
        reply->is_complete = false;
        reply->line_len = 0;
    }
    kept = taken < sizeof(reply->line) - reply->line_len ? taken
                                                         : sizeof(reply->line) - reply->line_len;
    if (kept > 0)
        memcpy(reply->line + reply->line_len, input->ptr, kept);
    reply->line_len += kept;
    taken += has_end;
    *input = slice_range(*input, taken, input->len);
    reply->n_octets += taken;
    if (reply->n_octets > SMTP_OCTETS_MAX)
        return SMTP_REPLY_TOO_LONG;
    if (!has_end)
        return SMTP_REPLY_MORE;
    reply->is_complete = true;
    reply->n_lines++;
    return reply_line_judge(reply, ret_text);
}
