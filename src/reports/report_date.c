/* SPDX-License-Identifier: MIT */
/*
 *     date-time   = full-date [("T" / " ") full-time]
 *     full-date   = 4DIGIT "-" 2DIGIT "-" 2DIGIT
 *     full-time   = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT] [time-offset]
 *     time-offset = "Z" / ("+" / "-") 2DIGIT [":"] 2DIGIT
 */
#include "reports/report_date.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "lib/base/slice.h"

#define UNIX_S_MAX INT64_C(253402300799) /* the end of the year 9999 */

enum {
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
};

/* Takes `n` digits off the text. */
static bool date_take_digits(struct slice *text, size_t n, int max, int *ret_value)
{
    uint64_t value;

    if (text->len < n || slice_to_u64(slice_range(*text, 0, n), (uint64_t)max, &value) != 0)
        return false;
    *ret_value = (int)value;
    *text = slice_range(*text, n, text->len);
    return true;
}

/* Takes one of these bytes off the text. Returns it, or NUL. */
static char date_take_byte(struct slice *text, const char *bytes)
{
    char byte = text->len > 0 ? text->ptr[0] : '\0';

    if (byte == '\0' || !strchr(bytes, byte))
        return '\0';
    *text = slice_range(*text, 1, text->len);
    return byte;
}

static bool date_take_day(struct slice *text, struct tm *tm)
{
    bool is_good = date_take_digits(text, 4, 9999, &tm->tm_year) && date_take_byte(text, "-") &&
                   date_take_digits(text, 2, 12, &tm->tm_mon) && date_take_byte(text, "-") &&
                   date_take_digits(text, 2, 31, &tm->tm_mday);

    if (!is_good || tm->tm_year < 1970 || tm->tm_mon < 1 || tm->tm_mday < 1)
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return true;
}

/* A day ends at 24:00:00 too, and 23:59:60 is a leap second's. */
static bool date_take_time(struct slice *text, struct tm *tm)
{
    if (!date_take_digits(text, 2, 24, &tm->tm_hour) || !date_take_byte(text, ":") ||
        !date_take_digits(text, 2, 59, &tm->tm_min) || !date_take_byte(text, ":") ||
        !date_take_digits(text, 2, 60, &tm->tm_sec))
        return false;
    if (date_take_byte(text, "."))
        while (date_take_byte(text, "0123456789"))
            continue;
    return true;
}

/* What has to be added to a time of this zone to get UTC. */
static bool date_take_offset(struct slice *text, int *ret_offset_s)
{
    char sign = date_take_byte(text, "+-");
    int hours, minutes, offset_s;

    if (!sign) {
        date_take_byte(text, "Zz");
        *ret_offset_s = 0;
        return true;
    }
    if (!date_take_digits(text, 2, 23, &hours))
        return false;
    date_take_byte(text, ":");
    if (!date_take_digits(text, 2, 59, &minutes))
        return false;
    offset_s = hours * HOUR_S + minutes * MINUTE_S;
    *ret_offset_s = sign == '+' ? -offset_s : offset_s;
    return true;
}

/* No report is of a year before 1973 or after 5138: a larger number has milliseconds. */
static int64_t date_of_number(uint64_t number)
{
    return (int64_t)(number > UINT64_C(100000000000) ? number / 1000 : number);
}

int report_date_parse(struct slice text, int64_t *ret_unix_s)
{
    struct tm tm = {0};
    int offset_s = 0;
    uint64_t number;
    int64_t unix_s;

    text = slice_trim(text);
    if (slice_to_u64(text, (uint64_t)UNIX_S_MAX * 1000 + 999, &number) == 0) {
        *ret_unix_s = date_of_number(number);
        return 0;
    }
    if (!date_take_day(&text, &tm))
        return -1;
    if (date_take_byte(&text, "Tt ") &&
        (!date_take_time(&text, &tm) || !date_take_offset(&text, &offset_s)))
        return -1;
    if (text.len > 0)
        return -1;
    unix_s = (int64_t)timegm(&tm) + offset_s;
    if (unix_s < 0 || unix_s > UNIX_S_MAX)
        return -1;
    *ret_unix_s = unix_s;
    return 0;
}
