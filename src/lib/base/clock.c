/* SPDX-License-Identifier: MIT */
#include "lib/base/clock.h"

static int64_t system_unix_s(const struct clock *clock)
{
    (void)clock;
    return (int64_t)time(NULL);
}

static int64_t system_unix_ms(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t system_monotonic_ms(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const struct clock clock_system = {system_unix_s, system_unix_ms, system_monotonic_ms};

struct timespec clock_timespec(uint64_t monotonic_ms)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic_ms / 1000),
                             .tv_nsec = (long)(monotonic_ms % 1000) * 1000 * 1000};
}
