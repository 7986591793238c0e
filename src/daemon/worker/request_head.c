/* SPDX-License-Identifier: MIT */
#include "daemon/worker/request_head.h"

#include <string.h>

#include "lib/base/slice.h"

/* The fields that say how long a request is and which host it is for, as far as they were read. */
struct request_head {
    unsigned n_hosts;
    unsigned n_lengths;
    unsigned n_encodings;
    struct slice length; /* of the first Content-Length */
    bool is_http_1_0;
};

static const char *head_check_length(struct request_head *head, struct slice value)
{
    if (head->n_lengths++ > 0 && !slice_eq(head->length, value))
        return "two Content-Lengths\n";
    head->length = value;
    return NULL;
}

static const char *head_check_field(struct request_head *head, struct slice line)
{
    size_t colon = slice_find_byte(line, ':');
    struct slice name = slice_range(line, 0, colon);
    struct slice value = slice_trim(slice_range(line, colon + 1, line.len));

    if (slice_eq_nocase(name, slice_of("host")))
        head->n_hosts++;
    else if (slice_eq_nocase(name, slice_of("transfer-encoding")))
        head->n_encodings++;
    else if (slice_eq_nocase(name, slice_of("content-length")))
        return head_check_length(head, value);
    return NULL;
}

static const char *head_check_line(struct request_head *head, struct slice line)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return "a folded line\n";
    if (slice_find_byte(line, '\0') < line.len || slice_find_byte(line, '\r') < line.len)
        return "a control character in a line\n";
    return head_check_field(head, line);
}

static const char *head_check_together(const struct request_head *head)
{
    if (head->n_hosts > 1)
        return "several Hosts\n";
    if (head->n_hosts == 0 && !head->is_http_1_0)
        return "no Host\n";
    if (head->n_encodings > 1)
        return "several Transfer-Encodings\n";
    if (head->n_encodings > 0 && (head->n_lengths > 0 || head->is_http_1_0))
        return "a Transfer-Encoding that is not to be trusted\n";
    return NULL;
}

/* An empty line before the request line is allowed (RFC 9112 2.2). */
static struct slice head_skip_empty_line(struct slice bytes)
{
    return slice_starts_with(bytes, "\r\n") ? slice_range(bytes, 2, bytes.len) : bytes;
}

size_t request_head_len(struct slice bytes, size_t from)
{
    size_t at = from > 2 ? from - 2 : 0; /* the line ends may have come one octet at a time */

    while (at < bytes.len) {
        struct slice rest;

        at += slice_find_byte(slice_range(bytes, at, bytes.len), '\n') + 1;
        if (at >= bytes.len)
            return 0;
        rest = slice_range(bytes, at, bytes.len);
        if (slice_starts_with(rest, "\n"))
            return at + 1;
        if (slice_starts_with(rest, "\r\n"))
            return at + 2;
    }
    return 0;
}

bool request_may_be_good(struct slice bytes)
{
    struct slice line = head_skip_empty_line(bytes);
    size_t end = slice_find_byte(line, '\n');
    bool is_whole = end < line.len;

    line = slice_range(line, 0, end);
    if (slice_ends_with(line, "\r"))
        line.len--;
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] < ' ' || line.ptr[i] == '\x7f')
            return false;
    if (!is_whole)
        return true;
    if (line.len > 0)
        line.len--;
    return slice_ends_with(line, " HTTP/1.");
}

static size_t head_body_len_of_field(struct slice line, size_t max)
{
    size_t colon = slice_find_byte(line, ':');
    struct slice name = slice_range(line, 0, colon);
    uint64_t len;

    if (slice_ends_with(line, "\r"))
        line.len--;
    if (slice_eq_nocase(name, slice_of("transfer-encoding")))
        return max;
    if (slice_eq_nocase(name, slice_of("content-length")) &&
        slice_to_u64(slice_trim(slice_range(line, colon + 1, line.len)), max, &len) == 0)
        return (size_t)len;
    return 0;
}

size_t request_body_len(struct slice head, size_t max)
{
    size_t largest = 0;

    while (head.len > 0) {
        size_t end = slice_find_byte(head, '\n');
        size_t len = head_body_len_of_field(slice_range(head, 0, end), max);

        if (len > largest)
            largest = len;
        head = slice_range(head, end + 1, head.len);
    }
    return largest;
}

const char *request_head_fault(struct slice bytes)
{
    struct request_head head = {0};

    bytes = head_skip_empty_line(bytes);
    for (size_t i = 0; bytes.len > 0; i++) {
        size_t end = slice_find_byte(bytes, '\n');
        struct slice line = slice_range(bytes, 0, end);
        const char *fault;

        if (!slice_ends_with(line, "\r"))
            return "a line that does not end in CR LF\n";
        line.len--;
        if (line.len == 0)
            break;
        if (i == 0)
            head.is_http_1_0 = slice_ends_with(line, "HTTP/1.0");
        fault = i == 0 ? NULL : head_check_line(&head, line);
        if (fault)
            return fault;
        bytes = slice_range(bytes, end + 1, bytes.len);
    }
    return head_check_together(&head);
}

void request_target_split(struct slice target, struct slice *ret_authority, struct slice *ret_path)
{
    size_t scheme_len = 0, slash;

    *ret_authority = *ret_path = (struct slice){0};
    if (slice_starts_with(target, "https://"))
        scheme_len = strlen("https://");
    else if (slice_starts_with(target, "http://"))
        scheme_len = strlen("http://");
    else if (!slice_starts_with(target, "/"))
        return;
    target = slice_range(target, scheme_len, target.len);
    slash = slice_find_byte(target, '/');
    *ret_authority = slice_range(target, 0, slash);
    target = slice_range(target, slash, target.len);
    *ret_path = slice_range(target, 0, slice_find_byte(target, '?'));
}
