/* SPDX-License-Identifier: MIT */
#include "lib/base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/slice.h"

enum {
    MINUTE_S = 60,
};

static const struct {
    const char *one;
    uint64_t seconds;
} units[] = {{"week", UINT64_C(7) * 86400}, {"day", 86400}, {"hour", 3600}, {"minute", MINUTE_S}};

/* strftime() would name the month in the language of the locale. */
const char *when_date(int64_t unix_s, char buffer[static WHEN_SIZE])
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    time_t minute = (time_t)((unix_s + MINUTE_S - 1) / MINUTE_S * MINUTE_S);
    struct tm parts;

    if (!gmtime_r(&minute, &parts))
        snprintf(buffer, WHEN_SIZE, "%" PRId64 " s after 1970", unix_s);
    else
        snprintf(buffer, WHEN_SIZE, "%d %s %d, %02d:%02d UTC", parts.tm_mday, months[parts.tm_mon],
                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min);
    return buffer;
}

const char *when_duration(uint64_t seconds, char buffer[static WHEN_SIZE])
{
    const char *one = "second";
    uint64_t n = seconds;

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds == 0 || seconds % units[i].seconds != 0)
            continue;
        n = seconds / units[i].seconds;
        one = units[i].one;
        break;
    }
    snprintf(buffer, WHEN_SIZE, "%" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
    return buffer;
}
