/* SPDX-License-Identifier: MIT */
#include "lib/policy/policy.h"

static const char *const names[POLICY_MODE_COUNT] = {
    [POLICY_TESTING] = "testing",
    [POLICY_ENFORCE] = "enforce",
    [POLICY_MODE_NONE] = "none",
};

const char *policy_mode_name(enum policy_mode mode)
{
    return names[mode];
}

enum policy_mode policy_mode_find(struct slice name)
{
    enum policy_mode mode = 0;

    while (mode < POLICY_MODE_COUNT && !slice_eq_text(name, names[mode]))
        mode++;
    return mode;
}
