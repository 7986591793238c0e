/* SPDX-License-Identifier: MIT */
/**
 * Numbers that look random and are the same in every run with the same seed.
 */
#pragma once

#include <stdint.h>

/** The next number of a sequence (splitmix64); the caller seeds and keeps `state`. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}
