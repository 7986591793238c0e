/* SPDX-License-Identifier: MIT */
#include "lib/diag/finding.h"

const char *level_name(enum level level)
{
    static const char *const names[LEVEL_COUNT] = {"error", "warning", "note"};

    return names[level];
}
