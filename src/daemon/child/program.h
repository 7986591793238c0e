/* SPDX-License-Identifier: MIT */
/**
 * Programs that the spawner starts: a fixed table, so that whoever takes over the daemon can start
 * nothing else.
 */
#pragma once

/** The first arguments by which mta-stsd becomes another program. */
#define PROGRAM_SPAWNER "--spawner"
#define PROGRAM_TRIAL_LOAD "--trial-load"

enum program {
    TRIAL_LOAD, /* mta-stsd itself: loads the configuration that is its argument, and ends */
    PROGRAM_COUNT,
};
