/* SPDX-License-Identifier: MIT */
#include "reports/mail_limits.h"

#include <string.h>

#include "lib/base/slice.h"

enum {
    MAIL_HEAD_MAX = 64 * 1024,
};

struct limit_count {
    size_t field_len, fields_len; /* of the field that is read; of all */
    size_t n_field_lines, n_part_lines;
    bool in_field; /* a continuation line would belong to a field that counts */
};

bool mail_line_may_be_field(struct slice line)
{
    size_t at = 0;

    while (at < line.len && line.ptr[at] > ' ' && line.ptr[at] < 0x7f && line.ptr[at] != ':')
        at++;
    if (at == 0)
        return false;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    return at < line.len && line.ptr[at] == ':';
}

/* GMime takes nothing apart in a field of no standard; nor in JSON, which begins with a brace. */
static bool field_counts(struct slice line)
{
    return ascii_is_alpha(line.ptr[0]) && !slice_eq_nocase(slice_range(line, 0, 2), slice_of("x-"));
}

static void limit_count_line(struct limit_count *count, struct slice line)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
        if (!count->in_field)
            return;
    } else {
        count->field_len = 0;
        count->in_field = mail_line_may_be_field(line);
        count->n_field_lines += count->in_field;
        count->n_part_lines += slice_starts_with(line, "--");
        if (!count->in_field || !field_counts(line)) {
            count->in_field = false;
            return;
        }
    }
    count->field_len += line.len;
    count->fields_len += line.len;
}

static const char *limit_of_count(const struct limit_count *count)
{
    if (count->n_field_lines > MAIL_FIELD_LINES_MAX)
        return "the mail has more than 50,000 lines that may be fields";
    if (count->n_part_lines > MAIL_PART_LINES_MAX)
        return "the mail has more than 10,000 lines that may begin a part";
    if (count->field_len > MAIL_FIELD_MAX)
        return "the mail has a field of more than 16 KiB";
    if (count->fields_len > MAIL_FIELDS_MAX)
        return "the mail has fields of more than 256 KiB";
    return NULL;
}

const char *mail_limits_find(struct slice mail)
{
    struct limit_count count = {0};
    const char *limit = NULL;

    if (mail.len > REPORT_MAIL_MAX)
        return "the mail is larger than 16 MiB";
    while (mail.len > 0 && !limit) {
        struct slice line = slice_range(mail, 0, slice_find_byte(mail, '\n') + 1);

        limit_count_line(&count, line);
        limit = limit_of_count(&count);
        mail = slice_range(mail, line.len, mail.len);
    }
    return limit;
}

bool mail_limits_is_report(struct slice mail)
{
    static const struct slice signs[] = {SLICE_BYTES("\ntls-report-"), SLICE_BYTES("=tlsrpt"),
                                         SLICE_BYTES("=\"tlsrpt\""),
                                         SLICE_BYTES("application/tlsrpt")};
    char head[MAIL_HEAD_MAX];
    size_t len = mail.len < sizeof(head) ? mail.len : sizeof(head);

    for (size_t i = 0; i < len; i++)
        head[i] = ascii_to_lower(mail.ptr[i]);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (memmem(head, len, signs[i].ptr, signs[i].len))
            return true;
    return len > 0 && slice_starts_with((struct slice){head, len}, "tls-report-");
}
